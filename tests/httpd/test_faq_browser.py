"""The questions and answers as a browser shows them: on a phone and on a desktop, light and dark, by keyboard and to a screen
reader; and the field that makes the HTML for a number. Set ICP_SCREENSHOTS to a folder to look at the pages."""
import os
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from env import NUMBER, Httpd
from test_notice_browser import CONTRAST, SIZES

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

URL = "http://faq.example.cn/icp-faq"


@pytest.fixture(scope="module")
def browser():
    httpd = Httpd()
    try:
        httpd.config('ICPProvider "示例云 Example Cloud" https://cloud.example.cn/\nICPApply https://cloud.example.cn/apply\n'
                     f'ICPContact "备案客服 400-000-0000（工作日 9:00–18:00）"\nICPFaq {URL}')
        httpd.vhost("faq.example.cn", config="<Location /icp-faq>\nSetHandler icp-faq\n</Location>")
        httpd.site("off.example.cn")
        httpd.allow_log("belongs to no registered site")
        httpd.start()
        httpd.icpadmin("suspend", "off.example.cn", "--reason", "hidden")
        with Browser({name: httpd.port for name in ("faq.example.cn", "off.example.cn")}) as started:
            yield started
        httpd.close()
    finally:
        httpd.discard()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_fits_and_can_be_read(browser, size, language):
    page = browser.open(f"{URL}?number={NUMBER}#html", *SIZES[size], language)
    folder = os.environ.get("ICP_SCREENSHOTS")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.overhang() <= 0
    assert page.evaluate("[...document.querySelectorAll('body *')].every("
                         "e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display == 'inline')")
    assert page.evaluate("Math.min(...[...document.querySelectorAll('body *')].map("
                         "e => parseFloat(getComputedStyle(e).fontSize)))") >= 13
    for scheme in ("light", "dark"):
        page.color_scheme(scheme)
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{scheme}: {text}"
        if folder:
            page.screenshot(Path(folder) / f"faq-{size}-{language}-{scheme}.png")
    assert [url for url in page.requests if not url.startswith(URL) and not url.endswith("/favicon.ico")] == []
    assert page.problems == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_field_makes_the_html(browser, language):
    page = browser.open(URL, *SIZES["phone"], language)
    page.evaluate("document.getElementById('number').value = '粤ICP备 2021098765号－3'")
    page.go("document.querySelector('form').requestSubmit()")
    assert page.evaluate("location.hash") == "#html"
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.querySelector('pre').textContent.trim()") == \
        '<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">粤ICP备2021098765号</a>'
    page.evaluate("document.getElementById('number').value = '<script>alert(1)</script>'")
    page.go("document.querySelector('form').requestSubmit()")
    assert "<script>alert(1)</script>" in page.evaluate("document.querySelector('[role=alert]').textContent")
    assert page.evaluate("document.scripts.length") == 0
    assert page.problems == []


def test_notice_leads_to_the_answer(browser):
    page = browser.open("http://off.example.cn/", *SIZES["phone"], "en")
    page.go("[...document.querySelectorAll('a')].find(a => a.textContent == 'Questions and answers').click()")
    assert page.evaluate("document.querySelector(':target h3').textContent") == "The number is hidden"
    assert abs(page.evaluate("document.querySelector(':target').getBoundingClientRect().top")) < 60
    assert NUMBER in page.evaluate("document.querySelector('pre').textContent")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_screen_reader(browser, language):
    page = browser.open(URL, language=language)
    heard = page.accessible()
    roles = [role for role, _ in heard]
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    assert all(name for role, name in heard if role in ("heading", "link", "article", "region", "textbox", "button"))
    assert roles.count("article") > 20 and roles.count("textbox") == roles.count("button") == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and all(after <= before + 1 for before, after in zip(levels, levels[1:]))


def test_keyboard_reaches_every_link_and_the_field(browser):
    page = browser.open(URL, language="en")
    wanted = page.evaluate("document.querySelectorAll('a, input:not([type=hidden]), button').length")
    for _ in range(wanted):
        page.press_tab()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.evaluate("document.activeElement == [...document.querySelectorAll('a')].pop()")
