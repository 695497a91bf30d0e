"""What the reader sees is what a browser draws: every page of the corpus in headless Chromium, whose document.body.innerText must hold
the numbers that the reader lists as displayed. Cases that may differ say why in the last column of tests/corpus/pages.tsv.
"""
import html
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from env import BUILD

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
HOST = "pages.example.cn"


def cases():
    lines = (CORPUS / "pages.tsv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


class Pages(BaseHTTPRequestHandler):
    """Serves the corpus, each page with the Content-Type that its case names."""
    types = {case["file"]: case["content_type"] for case in cases()}

    def do_GET(self):
        name = self.path.lstrip("/")
        known = name in self.types
        body = (CORPUS / "pages" / name).read_bytes() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", self.types.get(name, "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def inspect(page):
    answer = subprocess.run([BUILD / "icpadmin", "--json", "inspect", "-"], input=page, capture_output=True, check=False)
    return set(json.loads(answer.stdout)["displayed"])


def drawn_numbers(text, joined):
    """The numbers in what the browser draws; lines are read apart, or as one where the case says so."""
    lines = [text] if joined else text.split("\n")
    page = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return inspect(f"<meta charset=utf-8>{page}".encode())


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium")
def test_reader_sees_what_the_browser_draws():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wrong, compared = [], 0
    try:
        with Browser({HOST: server.server_port}) as browser:
            for case in cases():
                reason = case.get("browser_differs", "")
                if reason not in ("", "joined"):
                    continue
                page = browser.open(f"http://{HOST}/{case['file']}")
                text = page.evaluate("document.body ? document.body.innerText : ''")
                page.call("Page.close")
                drawn = drawn_numbers(re.sub(r"\r", "", text), reason == "joined")
                expected = set(filter(None, case["visible_numbers"].split("|")))
                compared += 1
                if drawn != expected:
                    wrong.append(f"{case['file']}: drawn {sorted(drawn)}, listed {sorted(expected)}")
    finally:
        server.shutdown()
    assert not wrong, "\n".join(wrong)
    assert compared > 100
