"""SetHandler icp-faq: both languages say the same, the HTML for one number, links from the notice; nothing a stranger sends
becomes markup. What a browser makes of it is in test_faq_browser.py."""
import re
import urllib.parse

import pytest

from env import NUMBER, SOURCE, Httpd
from test_notice import REASONS, Outline

URL = "http://faq.example.cn/icp-faq"
LANGUAGES = {"en": "en", "zh": "zh-CN"}
PROVIDER = 'ICPProvider "示例云 & Sons" https://cloud.example.cn/\nICPContact "备案 <客服> 400-000-0000"\nICPApply /apply\n'


@pytest.fixture(scope="module")
def server():
    httpd = Httpd()
    try:
        httpd.config("ICPFaq http://faq.example.cn/icp-faq")
        httpd.vhost("faq.example.cn", config=f"{PROVIDER}<Location /icp-faq>\nSetHandler icp-faq\n</Location>")
        httpd.vhost("bare.example.cn", config="ICPEngine Off\n<Location />\nSetHandler icp-faq\n</Location>")
        for reason in REASONS:
            httpd.site(f"{reason}.example.cn", number=None if reason == "unlicensed" else NUMBER)
        httpd.vhost("nobody.example.cn", config="ICPUnregistered Notice")
        httpd.vhost("own.example.cn", config="ICPUnregistered Notice\nICPFaq https://own.example.cn/help#icp")
        httpd.vhost("query.example.cn", config="ICPUnregistered Notice\nICPFaq https://own.example.cn/help?a=1")
        httpd.start()
        for reason in REASONS:
            httpd.icpadmin("suspend", f"{reason}.example.cn", "--reason", reason)
        yield httpd
        httpd.allow_log("belong")
        httpd.close()
    finally:
        httpd.discard()


def ask(server, language="en", number=None, **more):
    query = {"lang": language, **({} if number is None else {"number": number})}
    return server.get(f"{URL}?{urllib.parse.urlencode(query)}", **more)


def questions(page):
    return [attributes["id"] for attributes in Outline(page).all("article")]


# -- the page -------------------------------------------------------------------------------------------------------


def test_both_languages_answer_the_same_questions(server):
    pages = {language: ask(server, language).text for language in LANGUAGES}
    ids = questions(pages["en"])
    assert ids == questions(pages["zh"]) and len(ids) == len(set(ids)) > 20
    assert {*REASONS, "unregistered", "off"} <= set(ids)
    links = {language: Outline(page).all("a") for language, page in pages.items()}
    inner = {language: [a["href"] for a in found if a["href"].startswith("#")] for language, found in links.items()}
    assert inner["en"] == inner["zh"] and {href[1:] for href in inner["en"]} == set(ids)
    for mark in ("li", "strong", "code"):
        assert len(Outline(pages["en"]).all(mark)) == len(Outline(pages["zh"]).all(mark)), mark


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_whole_and_holds_what_it_needs(server, language):
    answer = ask(server, language)
    page = Outline(answer.text)
    assert page.all("html") == [{"lang": LANGUAGES[language]}]
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"\{\{|\}\}|@[a-z-]+@|\*\*|javascript:|\son\w+=", answer.text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a} <= set(ids)
    assert {label["for"] for label in page.all("label")} <= set(ids)
    text = "".join(page.texts.values())
    assert "备案 <客服> 400-000-0000" in text and "示例云 & Sons" in text
    assert "/apply" in [a["href"] for a in page.all("a")]


def test_headers(server):
    answer = ask(server)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600" and answer.headers["Vary"] == "Accept-Language"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Content-Length"] == str(len(answer.body)) and "Set-Cookie" not in answer.headers
    assert server.get(URL, method="HEAD").headers["Content-Length"] == str(len(server.get(URL).body))
    refused = server.get(URL, method="POST", body=b"number=x")
    assert refused.status == 405 and "GET" in refused.headers["Allow"]


@pytest.mark.parametrize("header, query, language", [
    (None, "", "zh-CN"), ("en-GB,en;q=0.9", "", "en"), ("zh-TW", "", "zh-CN"), ("en", "?lang=zh", "zh-CN"),
    ("zh", "?lang=en", "en"), ("en", "?lang=fr", "en"), ("en", "?lang=", "en"), ("zh", "?lang", "zh-CN")])
def test_language(server, header, query, language):
    answer = server.get(URL + query, {"Accept-Language": header} if header else {})
    assert Outline(answer.text).all("html") == [{"lang": language}] and answer.headers["Content-Language"] == language


def test_the_other_language_keeps_the_number(server):
    links = [a["href"] for a in Outline(ask(server, "en", NUMBER).text).all("a") if a.get("hreflang")]
    assert len(links) == 1
    query = urllib.parse.parse_qs(links[0].lstrip("?"))
    assert query == {"lang": ["zh"], "number": [NUMBER]}
    assert snippet(server.get(URL + links[0]).text) == link_to_ministry(NUMBER)


def test_without_an_engine_and_without_a_provider(server):
    answer = server.get("http://bare.example.cn/?lang=en")
    assert answer.status == 200 and "The provider that hosts your website." in answer.text and "<footer>" not in answer.text


# -- the HTML to paste ----------------------------------------------------------------------------------------------


def snippet(page):
    (code,) = re.findall(r"<pre><code>(.*?)</code></pre>", page)
    return code.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')


def link_to_ministry(number):
    return f'<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">{number}</a>'


@pytest.mark.parametrize("typed, shown", [
    (NUMBER, NUMBER), (" 沪ICP备 05012345号－1 ", NUMBER), ("滬ICP備05012345號-1", NUMBER), ("京ICP证030173号", "京ICP证030173号"),
    ("粤B2-20090191-2", "粤B2-20090191-2"), ("粤ICP备2021098765号-3", "粤ICP备2021098765号"), ("沪ICP备05012345号", "沪ICP备05012345号")])
def test_snippet_for_a_number(server, typed, shown):
    page = ask(server, "en", typed).text
    assert snippet(page) == link_to_ministry(shown)
    assert 'role="alert"' not in page
    assert ("Guangdong asks for the license number" in page) == (typed.startswith("粤ICP备"))
    assert ("This is a license number" in page) == (typed == "沪ICP备05012345号")


def test_snippet_passes_our_own_inspection(server):
    page = f"<html><body><p>hello</p><footer>{snippet(ask(server, 'zh', NUMBER).text)}</footer></body></html>"
    (server.root / "pasted.html").write_text(page)
    result = server.icpadmin("inspect", str(server.root / "pasted.html"), "--expect", NUMBER, "--json", code=0).out
    assert '"displayed"' in result and "link-" not in result


@pytest.mark.parametrize("typed", [
    "沪ICP备XXXXXXXX号", "沪ICP备12345678号", "港ICP备05012345号", "沪ICP备05012345号-1A", "京公网安备11010802020088号", "hello", "-",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "沪ICP备05012345号-1<b>", "' OR 1=1 --", "{{contact}}", "%00",
    "沪ICP备05012345号-1 京ICP证030173号", "\u202e沪ICP备05012345号-1x", "沪" * 300, "a\r\nSet-Cookie: x=1"])
def test_what_is_no_number_of_a_website(server, typed):
    answer = ask(server, "en", typed)
    assert answer.status == 200 and "Set-Cookie" not in answer.headers
    assert snippet(answer.text) == link_to_ministry("沪ICP备05012345号-1")
    assert '<p role="alert">' in answer.text
    page = Outline(answer.text)
    assert not {"script", "img", "b"} & {tag for tag, _ in page.tags}
    assert "\u202e" not in answer.text and len(answer.text) < 60000
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


@pytest.mark.parametrize("query", ["number=%FF%FE", "number=%", "number=%zz", "number", "number=", "&&&=&number=&", "number=" + "a" * 7000,
                                   "lang=en&lang=zh&number=x&number=y"])
def test_odd_queries(server, query):
    answer = server.get(f"{URL}?{query}")
    assert answer.status == 200 and answer.body.decode("utf-8")
    assert link_to_ministry("沪ICP备05012345号-1") == snippet(answer.text)


# -- links from the notice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*REASONS, "unregistered"])
def test_notice_leads_to_the_right_answer(server, reason):
    name = "nobody" if reason == "unregistered" else reason
    page = Outline(server.get(f"http://{name}.example.cn/").text)
    links = [a["href"] for a in page.all("a") if a["href"].startswith(URL)]
    assert [re.search(r"lang=(\w+)", link)[1] for link in links] == ["zh", "en"]
    text = server.get(f"http://{name}.example.cn/", {"Accept": "text/plain"}).text
    for link in links:
        parts = urllib.parse.urlsplit(link)
        query = urllib.parse.parse_qs(parts.query)
        assert parts.fragment == reason and link in text
        assert query.get("number") == (None if reason in ("unlicensed", "unregistered") else [NUMBER])
        answer = server.get(link.split("#")[0])
        assert parts.fragment in questions(answer.text)
        if "number" in query:
            assert snippet(answer.text) == link_to_ministry(NUMBER)


def test_other_addresses_of_answers(server):
    hrefs = {name: [a["href"] for a in Outline(server.get(f"http://{name}.example.cn/").text).all("a")] for name in ("own", "query")}
    assert "https://own.example.cn/help#icp" in hrefs["own"]
    assert "https://own.example.cn/help?a=1&lang=zh#unregistered" in hrefs["query"]
    assert server.get("http://own.example.cn/", {"Accept": "application/json"}).json()["faq"] == "https://own.example.cn/help#icp"


# -- the documents --------------------------------------------------------------------------------------------------


def test_documents_have_the_same_anchors(server):
    ids = questions(ask(server).text)
    for language in LANGUAGES:
        text = (SOURCE / f"docs/faq.{language}.md").read_text()
        assert re.findall(r'^<a id="(\w+)"></a>$', text, re.MULTILINE) == ids
        assert set(re.findall(r"\]\(#(\w+)\)", text)) <= set(ids)
