"""Each program of unit tests is a test here, and so is each fuzz target with the inputs it keeps: they run beside each other, and
what fails is told with all the rest."""
import os
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
BUILD = TESTS.parent / os.environ.get("ICP_BUILD", "build")


def run(*command):
    done = subprocess.run(command, cwd=TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}"


@pytest.mark.parametrize("name", sorted(path.stem for path in TESTS.glob("unit/test_*.c")))
def test_unit(name):
    run(BUILD / "unit" / name)


@pytest.mark.parametrize("target", sorted(path.stem.removeprefix("fuzz_") for path in TESTS.glob("fuzz/fuzz_*.c")))
def test_replay(target):
    run(BUILD / "replay" / target, TESTS / "fuzz/corpus" / target)
