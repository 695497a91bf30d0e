"""The notice and the status page as a browser shows them: on a phone and on a desktop, light and dark, by keyboard and to a
screen reader. Set ICP_SCREENSHOTS to a folder to look at the pages."""
import os
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from env import Httpd

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
REASONS = ("missing", "unlicensed", "order")
LONG = "a-rather-long-name-of-a-web-shop-for-tea.shanghai.example.cn"
URLS = {**{reason: f"http://{reason}.example.cn/" for reason in REASONS}, "status": "http://status.example.cn/icp-status"}

# The lowest contrast of any text with what is painted behind it (WCAG 2), and that text.
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const canvas = () => { const d = document.createElement('div'); d.style.backgroundColor = 'Canvas'; document.body.append(d);
                         const c = parse(getComputedStyle(d).backgroundColor); d.remove(); return c; };
  const behind = e => {
    let layers = [];
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor), alpha = c.length > 3 ? c[3] : 1;
      if (alpha > 0) layers.push([c, alpha]);
      if (alpha == 1) break;
    }
    return layers.reverse().reduce((under, [c, a]) => under.map((v, i) => c[i] * a + v * (1 - a)), canvas().slice(0, 3));
  };
  let worst = [21, ''];
  for (const e of document.querySelectorAll('body *')) {
    const text = [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).join('');
    if (!text || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, text];
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def browser():
    httpd = Httpd()
    try:
        httpd.load("authz_host")
        httpd.config('ICPProvider "示例云 Example Cloud" https://cloud.example.cn/\nICPFaq https://cloud.example.cn/faq\n'
                     'ICPApply https://cloud.example.cn/apply\n'
                     'ICPContact "备案客服 400-000-0000（工作日 9:00–18:00），'
                     'a-rather-long-address-of-the-support@mail.cloud.example.cn"')
        for reason in REASONS:
            httpd.site(f"{reason}.example.cn", number=None if reason == "unlicensed" else "沪ICP备05012345号-12345")
        httpd.site("status.example.cn", config="<Location /icp-status>\nSetHandler icp-status\nRequire ip 127.0.0.1\n</Location>")
        httpd.register_site(LONG)
        httpd.start()
        for reason in REASONS:
            httpd.icpadmin("suspend", f"{reason}.example.cn", "--reason", reason)
        httpd.icpadmin("suspend", LONG, "--reason", "incorrect")
        with Browser({f"{name}.example.cn": httpd.port for name in URLS}) as started:
            yield started
        httpd.close()
    finally:
        httpd.discard()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize("size", SIZES)
def test_fits_and_can_be_read(browser, size, name, language):
    page = browser.open(URLS[name], *SIZES[size], language)
    folder = os.environ.get("ICP_SCREENSHOTS")
    assert page.evaluate("document.querySelector('h1').textContent") == ("ICP status" if name == "status" else f"{name}.example.cn")
    assert page.overhang() <= 0
    assert page.evaluate("[...document.querySelectorAll('body *')].every("
                         "e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display == 'inline')")
    assert page.evaluate("Math.min(...[...document.querySelectorAll('body *')].map("
                         "e => parseFloat(getComputedStyle(e).fontSize)))") >= 13
    assert page.evaluate("document.compatMode") == "CSS1Compat"
    for scheme in ("light", "dark"):
        page.color_scheme(scheme)
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{scheme}: {text}"
        if folder:
            page.screenshot(Path(folder) / f"{name}-{size}-{language}-{scheme}.png")


# Texts of the page in which a line ends within a word. Where a long name may be divided, another text node begins.
DIVIDED = """(() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  const top = (node, i) => { range.setStart(node, i); range.setEnd(node, i + 1); return range.getBoundingClientRect().top; };
  while (walk.nextNode()) {
    const node = walk.currentNode, text = node.data;
    for (let i = 1; i < text.length; i++) {
      if (/\\w/.test(text[i - 1]) && /\\w/.test(text[i]) && top(node, i) > top(node, i - 1) + 2) { found.push(text); break; }
    }
  }
  return found;
})()"""


def test_status_page_divides_no_word_on_a_phone(browser):
    page = browser.open(URLS["status"], *SIZES["phone"], "en")
    assert LONG in page.evaluate("document.querySelector('.list').textContent")
    assert page.evaluate(DIVIDED) == []


@pytest.mark.parametrize("name", URLS)
def test_loads_nothing_and_breaks_no_policy(browser, name):
    page = browser.open(URLS[name])
    page.evaluate("new Promise(done => setTimeout(done, 200))")
    assert [url for url in page.requests if not url.endswith("/favicon.ico")] == [URLS[name]]
    assert [text for text in page.problems if "status of 451" not in text] == []


def test_first_screen_of_a_phone_says_what_matters(browser):
    page = browser.open(URLS["missing"], *SIZES["phone"], "zh-CN")
    for selector in ("h1", "h2", ".problem", ".visitor"):
        assert page.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().bottom <= innerHeight"), selector


@pytest.mark.parametrize("language, first", [("zh-CN", "网站已暂停访问"), ("en", "This website is suspended")])
def test_screen_reader(browser, language, first):
    page = browser.open(URLS["missing"], language=language)
    heard = page.accessible()
    roles = [role for role, _ in heard]
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert roles.count(landmark) == 1, landmark
    regions = [name for role, name in heard if role == "region"]
    assert regions[0] == first and sorted(regions) == ["This website is suspended", "网站已暂停访问"]
    assert all(name for role, name in heard if role in ("heading", "link"))
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    untagged = page.evaluate("""[...document.querySelectorAll('main *')].filter(e => !e.closest('[lang]')).length""")
    assert untagged == 0
    assert page.evaluate("document.documentElement.lang") == language


def test_keyboard_reaches_every_link_in_order(browser):
    page = browser.open(URLS["missing"])
    links = page.evaluate("[...document.links].map(a => a.href)")
    reached = []
    for _ in links:
        page.press_tab()
        reached.append(page.evaluate("document.activeElement.href"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert len(links) >= 6 and reached == links


def test_language_link_leads_to_the_other_language(browser):
    page = browser.open(URLS["missing"], *SIZES["phone"], "zh-CN")
    page.evaluate("document.querySelector('nav a').click()")
    assert page.evaluate("document.getElementById('en').getBoundingClientRect().top") < 5
