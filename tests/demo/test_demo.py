"""The demo is a test as well: each of its steps fails unless it does what it says."""
import os
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(bool(os.environ.get("SAN")), reason="its httpd loads no sanitizer")
def test_demo_runs_to_its_end():
    script = Path(__file__).with_name("demo.sh")
    done = subprocess.run(["sh", str(script)], env={**os.environ, "ONCE": "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
