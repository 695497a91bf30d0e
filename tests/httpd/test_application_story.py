"""An application from the first click to the sweep, in a real browser: filled in, returned, corrected through its link, approved; and then the sweep
finds that its site does not show the number. In both languages, on a phone and on a desktop. ICP_SCREENSHOTS names a folder for the pages."""
import json
import os
import re
from pathlib import Path

import pytest

from applicant import CONFIG, DOCUMENTS, FIRST
from browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

SEND = "[...document.querySelectorAll('.actions button')].find(b => b.value == 'submit').click()"
TEXTS = {name: value.replace("\r\n", "\n") for name, value in FIRST.items() if name not in ("kind", "websites", "holder.kind")}


def errors(page):
    return page.evaluate("[...document.querySelectorAll('.message')].map(e => e.id.replace('-error', ''))")


def look(page, width, name):
    """Nothing is cut off or wider than the screen, and the browser complains of nothing."""
    folder = os.environ.get("ICP_SCREENSHOTS")
    if folder:
        page.screenshot(Path(folder) / f"apply-{name}.png")
    # A phone widens its window to what does not fit, so it is the screen's width that counts.
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    unlabelled = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).map(e => e.id)"
    assert page.evaluate(unlabelled) == [], name
    assert not [problem for problem in page.problems if "status of 4" not in problem], page.problems  # the browser tells of a 422 as well


@pytest.mark.parametrize("language,size", [("en", (1280, 900)), ("zh-CN", (360, 740))])
def test_from_the_form_to_the_sweep(httpd, tmp_path, language, size):
    english, name = language == "en", f"{language}-{size[0]}"
    for path in [tmp_path, *list(tmp_path.parents)[:2]]:
        path.chmod(path.stat().st_mode | 0o055)
    files = {}
    for kind, (filename, content) in DOCUMENTS.items():
        (tmp_path / filename).write_bytes(content)
        files[kind] = tmp_path / filename
    httpd.site("apply.example.cn", config=CONFIG)
    httpd.vhost("www.example.cn", {"index.html": "<p>tea"}, aliases=["example.cn"])
    httpd.allow_log("belongs? to no registered site")
    httpd.start()
    with Browser({"apply.example.cn": httpd.port}) as browser:
        page = browser.open("http://apply.example.cn/apply", *size, language)
        assert page.evaluate("document.documentElement.lang") == language
        look(page, size[0], f"{name}-start")
        page.go("document.querySelector('.kinds a').click()")
        look(page, size[0], f"{name}-form")

        # Sent with mistakes: each at its field, and what was typed is still there.
        page.fill({**TEXTS, "contact.mobile": "123", "holder.kind-business": True})
        page.choose_files({**files, "document.id": files["document.license"]})
        page.go(SEND)
        assert errors(page) == ["contact.mobile"]
        assert page.evaluate("document.getElementById('holder.name').value") == FIRST["holder.name"]
        look(page, size[0], f"{name}-errors")
        page.fill({"contact.mobile": FIRST["contact.mobile"]})
        page.go(SEND)
        assert errors(page) == ["document.license", "document.id", "document.domain-certificate"]
        page.choose_files(files)
        page.go(SEND)
        link = page.evaluate("location.href")
        assert re.search(r"\?application=[\w-]{32}&sent=", link), errors(page)
        look(page, size[0], f"{name}-sent")

        # Taken over, and returned for a field.
        httpd.icpadmin("application", "pull")
        application, = json.loads(httpd.icpadmin("--json", "application", "list").out)
        reference = application["application"]
        httpd.icpadmin("application", "review", reference)
        httpd.icpadmin("application", "return", reference, "--field", "websites.0.name", "--reason", "too general", "--suggestion", "say more")
        page.go("location.reload()")
        assert page.evaluate("document.querySelector('.reasons a').hash") == "#websites.0.name"
        assert "too general" in page.evaluate("document.body.innerText")
        assert page.evaluate("document.getElementById('websites.0.name').value") == FIRST["websites.0.name"]
        look(page, size[0], f"{name}-returned")

        # Corrected through the link; the documents that are there need not be sent again.
        page.fill({"websites.0.name": "示例茶具书画"})
        page.go(SEND)
        assert errors(page) == []
        httpd.icpadmin("application", "pull")
        for step in ("review", "file", "sms", "confirm", "bureau"):
            httpd.icpadmin("application", step, reference)
        httpd.icpadmin("application", "approve", reference, "--number", "沪ICP备2026012345号", "--website", "www.example.cn=-1")
        page.go("location.reload()")
        assert "沪ICP备2026012345号" in page.evaluate("document.body.innerText")
        assert ("approved" if english else "已通过") in page.evaluate("document.getElementById('state').textContent").lower()
        look(page, size[0], f"{name}-approved")

    # The number is on file, and the sweep misses it on the page.
    sites = httpd.icpadmin("site", "list").out
    assert "www.example.cn" in sites
    checked = httpd.icpadmin("check", "--all", code=None).out
    assert re.search(r"example\.cn\s+missing", checked), checked
