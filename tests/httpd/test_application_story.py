"""An application from the first click to the sweep, in a real browser: filled in, returned, corrected through its link, approved; and then the sweep
finds that its site does not show the number. In both languages, on a phone and on a desktop. ICP_SCREENSHOTS names a folder for the pages."""
import json
import os
import re
from pathlib import Path

import pytest

from applicant import CONFIG, DOCUMENTS, FIRST
from browser import CHROMIUM, Browser
from test_notice_browser import CONTRAST

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
    for scheme in ("dark", "light"):
        page.color_scheme(scheme)
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{name}, {scheme}: {text}"
        if folder and scheme == "dark":
            page.screenshot(Path(folder) / f"apply-{name}-dark.png")
    unlabelled = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).map(e => e.id)"
    assert page.evaluate(unlabelled) == [], name
    assert not [problem for problem in page.problems if "status of 4" not in problem], page.problems  # the browser tells of a 422 as well


# The control that has the focus: its id or value, whether a reader would see that it has it, and where it stands.
FOCUS = """(e => [e.id || e.value || e.textContent, parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle != 'none',
               e.getBoundingClientRect().top + scrollY])(document.activeElement)"""


def by_keyboard(page):
    """The Tab key leads through all controls as they stand on the page, one after the other, and each shows that it is its turn."""
    stops = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        page.press_tab()
        name, visible, top = page.evaluate(FOCUS)
        stops.append(name)
        assert visible, name
        assert len(stops) < 2 or top >= before - 1, name
        before = top
        if name == "submit":
            break
    wanted = [name for name in (*FIRST, *DOCUMENTS) if name not in ("kind", "websites", "holder.kind")]
    assert set(wanted) <= set(stops), stops
    assert stops[-1] == "submit" and any(name.startswith("holder.kind-") for name in stops), stops


def follow(page, link):
    """Where the focus is after a link within the page."""
    page.evaluate(f"document.querySelector({json.dumps(link)}).click()")
    return page.evaluate("new Promise(done => setTimeout(() => done(document.activeElement.id), 50))")


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

        by_keyboard(page)

        # Sent with mistakes: each at its field, and what was typed is still there.
        page.fill({**TEXTS, "contact.mobile": "123", "holder.kind-business": True})
        page.choose_files({**files, "document.id": files["document.license"]})
        page.go(SEND)
        assert errors(page) == ["contact.mobile"]
        assert page.evaluate("document.activeElement.id") == "top"
        assert follow(page, ".alert li a") == "contact.mobile"
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
        at_field = page.evaluate("document.getElementById(document.getElementById('websites.0.name').getAttribute('aria-describedby').split(' ')[1]).innerText")
        assert "too general" in at_field and "say more" in at_field
        assert follow(page, ".reasons a") == "websites.0.name"
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
