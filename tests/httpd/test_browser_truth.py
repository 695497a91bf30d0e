"""What the reader sees is what a browser draws: every page of the corpus, and pages and style sheets thrown together at random, in headless
Chromium, whose document.body.innerText must hold the numbers that the reader lists as displayed. Cases of the corpus that may
differ say why in the last column of tests/corpus/pages.tsv.
"""
import html
import json
import random
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
    """Serves `pages`: name → (Content-Type, bytes)."""
    pages = {}

    def do_GET(self):
        content_type, body = self.pages.get(self.path.lstrip("/"), ("text/plain", b""))
        self.send_response(200)
        self.send_header("Content-Type", content_type)
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


READ_ALL = """
(async names => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.width = 1200; frame.height = 800;
    const texts = {};
    for (const name of names) {
        await new Promise(done => { frame.onload = done; frame.src = "/" + name; });
        const body = frame.contentDocument.body;
        texts[name] = body ? body.innerText : "";
    }
    return texts;
})"""


def drawn(pages):
    """innerText of each of the pages: name → (Content-Type, bytes)."""
    if not CHROMIUM:
        pytest.skip("no Chromium")
    Pages.pages = dict(pages, **{"": ("text/html", b"<!DOCTYPE html><body>")})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Browser({HOST: server.server_port}) as browser:
            return browser.open(f"http://{HOST}/").evaluate(f"{READ_ALL}({json.dumps(list(pages))})")
    finally:
        server.shutdown()


def test_reader_sees_what_the_browser_draws():
    compared = [case for case in cases() if case.get("browser_differs", "") in ("", "joined")]
    texts = drawn({case["file"]: (case["content_type"], (CORPUS / "pages" / case["file"]).read_bytes()) for case in compared})
    wrong = []
    for case in compared:
        numbers = drawn_numbers(texts[case["file"]], case.get("browser_differs") == "joined")
        expected = set(filter(None, case["visible_numbers"].split("|")))
        if numbers != expected:
            wrong.append(f"{case['file']}: drawn {sorted(numbers)}, listed {sorted(expected)}")
    assert not wrong, "\n".join(wrong)
    assert len(compared) > 100


TAGS = ("div p span b i a font ul li table tr td th tbody caption section footer h1 h2 form dl dt dd center button strong em svg text "
        "details summary dialog canvas article nobr label x-y fieldset blockquote small br hr img input pre").split()
STYLES = ("display:none", "visibility:hidden", "visibility:visible", "display:block", "display:inline", "color:red", "display:contents",
          "display:none;display:foo", "display:table-cell")
ODDITIES = ("<!-- x -->", "<!-->", "<!--->", "-->", "<![CDATA[", "]]>", "</>", "<?x>", "<!x>", "<3", "&nbsp", "</br>", "</body>", "</html>",
            "<script>'<!--<script></script>'</script>", "<style></p></style>", "<b title='>'>", "<i hidden=\">\">")


def thrown_together(seed):
    """Tags, end tags that fit nothing, styles and numbers in any order."""
    dice = random.Random(seed)
    parts = []
    for _ in range(dice.randint(4, 16)):
        kind = dice.random()
        if kind < 0.42:
            tag, style = dice.choice(TAGS), dice.random()
            attribute = f' style="{dice.choice(STYLES)}"' if style < 0.3 else " hidden" if style < 0.36 else ""
            parts.append(f"<{tag}{attribute}>")
        elif kind < 0.66:
            parts.append(f"</{dice.choice(TAGS)}>")
        elif kind < 0.72:
            parts.append(dice.choice(ODDITIES))
        else:
            parts.append(f"京ICP备{dice.randint(10000001, 23999999):08}号 ")
    return f"<!DOCTYPE html><meta charset=utf-8>{''.join(parts)}"


SELECTORS = ("p", "div", "span", "b", ".x", ".y", ".z", "#i", ".x .y", "div>p", "div .x", ".y>.z", "p.x", ".x.y", "#i .x", ".x:not(.y)", "body *", "body .z",
             "div div", ".x,.y", "[hidden]", "[lang]", "p:hover", ":root .y",
             ".md\\:x", ".x>.md\\:x")
DECLARATIONS = ("display:none", "display:block", "display:inline", "display:none!important", "display:block !important", "visibility:hidden",
                "visibility:visible", "color:red", "display:var(--d)", "display:contents", "display:foo", "display:inherit")
AROUND = ("{}", "{}", "{}", "@media print{{{}}}", "@media screen{{{}}}", "@media (max-width:700px){{{}}}", "@media (min-width:700px){{{}}}",
          "@supports (display:grid){{{}}}", "/*{}*/", "@layer a{{{}}}", "{};")


def styled(seed):
    """Well-formed mark-up under rules of every kind."""
    dice = random.Random(seed)
    rules = [dice.choice(AROUND).format(f"{dice.choice(SELECTORS)}{{{dice.choice(DECLARATIONS)}}}") for _ in range(dice.randint(1, 6))]
    style = f"<style>:root{{--d:{dice.choice(('none', 'block'))}}}{''.join(rules)}</style>"

    def element(depth):
        tag, attributes = dice.choice(("div", "p", "span", "b")), ""
        if dice.random() < 0.7:
            attributes += f' class="{" ".join(dice.sample(["x", "y", "z", "md:x"], dice.randint(1, 2)))}"'
        if dice.random() < 0.15:
            attributes += " id=i"
        if dice.random() < 0.15:
            attributes += " hidden"
        if dice.random() < 0.15:
            attributes += f' style="{dice.choice(DECLARATIONS)}"'
        inside = "".join(element(depth + 1) for _ in range(dice.randint(0, 2))) if depth < 4 and tag != "p" else ""
        return f"<{tag}{attributes}>京ICP备{dice.randint(10000001, 23999999):08}号 {inside}</{tag}>"

    return f"<!DOCTYPE html><meta charset=utf-8>{style}{''.join(element(0) for _ in range(3))}"


def test_pages_thrown_together_are_read_as_they_are_drawn():
    pages = {str(seed): thrown_together(seed) for seed in range(300)}
    pages.update({f"styled{seed}": styled(seed) for seed in range(200)})
    texts = drawn({name: ("text/html", page.encode()) for name, page in pages.items()})
    wrong = []
    for name, page in pages.items():
        shown, read = set(re.findall(r"京ICP备\d{8}号", texts[name])), inspect(page.encode())
        if read != shown:
            wrong.append(f"{name}: drawn {sorted(shown)}, read {sorted(read)}: {page}")
    assert not wrong, "\n".join(wrong)
