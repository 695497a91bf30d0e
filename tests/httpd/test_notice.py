"""The notice: what every reason says in both languages, who gets which form, and that nothing about a request, method or
status lets it be anything else."""
import datetime
import html.parser
import re

import pytest

from env import NUMBER, SOURCE, Httpd

DOCUMENTATION = SOURCE / "docs/notice.md"
CHINA = datetime.timezone(datetime.timedelta(hours=8))
REASONS = ("missing", "incorrect", "invalid", "hidden", "unlicensed", "cancelled", "order")
SAYS = {  # a phrase of each reason, Chinese and English
    "missing": ("没有显示 ICP 备案号", "shows no ICP number"),
    "incorrect": ("不是本网站的备案号", "not the one that belongs to this website"),
    "invalid": ("不是有效的号码", "not a valid number"),
    "hidden": ("访问者看不到", "visitors cannot see it"),
    "unlicensed": ("本网站还没有 ICP 备案号", "This website has no ICP number yet"),
    "cancelled": ("已被注销或撤销", "has been cancelled or revoked"),
    "order": ("主管部门的要求", "order of an authority"),
    "unregistered": ("没有使用这个网址的网站", "No website with this address is registered"),
}
PROVIDER = """
ICPProvider "示例云 & Sons" https://cloud.example.cn/
ICPContact "备案 <客服> 400-000-0000"
ICPFaq https://cloud.example.cn/faq?a=1&b=2
ICPApply https://cloud.example.cn/apply
"""
SECRET = "the site's own words"


@pytest.fixture(scope="module")
def server():
    """One site for each reason, some vhosts with a status of their own, and one address that nobody registered."""
    httpd = Httpd()
    try:
        httpd.load("http2")
        httpd.config(PROVIDER)
        for reason in REASONS:
            httpd.site(f"{reason}.example.cn", {"index.html": SECRET}, number=None if reason == "unlicensed" else NUMBER)
        for status in (503, 403, 200):
            httpd.site(f"s{status}.example.cn", {"index.html": SECRET, "own.html": "own error page"},
                       f"ICPNoticeStatus {status}\nErrorDocument {status} /own.html")
        httpd.vhost("nobody.example.cn", {"index.html": SECRET}, "ICPUnregistered Notice")
        httpd.start()
        for reason in REASONS:
            httpd.icpadmin("suspend", f"{reason}.example.cn", "--reason", reason)
        for status in (503, 403, 200):
            httpd.icpadmin("suspend", f"s{status}.example.cn", "--reason", "missing")
        yield httpd
        httpd.close()
    finally:
        httpd.discard()


def get(server, name, accept=None, language=None, **more):
    headers = {"Accept": accept, "Accept-Language": language, **more.pop("headers", {})}
    return server.get(f"http://{name}.example.cn/", {k: v for k, v in headers.items() if v is not None}, **more)


class Outline(html.parser.HTMLParser):
    """What a page is made of: tags with attributes, and the text under each language."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._languages = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self._languages.append(dict(attributes).get("lang", self._languages[-1] if self._languages else ""))

    def handle_endtag(self, tag):
        self._languages.pop()

    def handle_data(self, data):
        language = self._languages[-1] if self._languages else ""
        self.texts[language] = self.texts.get(language, "") + data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


# -- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*REASONS, "unregistered"])
def test_page_says_what_is_wrong_in_both_languages(server, reason):
    answer = get(server, "nobody" if reason == "unregistered" else reason)
    texts = Outline(answer.text).texts
    assert answer.status == 451
    assert answer.headers["ICP-Notice"] == reason
    for other, (chinese, english) in SAYS.items():
        assert (chinese in texts["zh-CN"]) == (other == reason)
        assert (english in texts["en"]) == (other == reason)
    for language in ("zh-CN", "en"):
        assert "备案 <客服> 400-000-0000" in texts[language]
        assert "示例云 & Sons" in texts[language]
        if reason in ("missing", "incorrect", "invalid", "hidden"):
            assert NUMBER in texts["zh-CN"]
            assert f'<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">{NUMBER}</a>' in texts[language]
    if reason != "unregistered":
        today = {datetime.datetime.now(CHINA).date(), (datetime.datetime.now(CHINA) - datetime.timedelta(minutes=10)).date()}
        assert any(f"{day.year}年{day.month}月{day.day}日" in texts["zh-CN"] for day in today)
        assert any(f"{day.day} {day:%B} {day.year}" in texts["en"] for day in today)
        assert re.search(r"ICP-\d{6}", texts["en"])
    assert ("二十个工作日" in texts["zh-CN"]) == (reason == "unlicensed")
    assert SECRET not in answer.text


def test_page_is_self_contained_and_well_formed(server):
    answer = get(server, "missing")
    page = Outline(answer.text)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|javascript:|\son\w+=", answer.text)
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == 1
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["aria-labelledby"] for a in page.all("section")} <= set(ids)
    links = {a["href"] for a in page.all("a")}
    assert {"https://cloud.example.cn/apply", "https://cloud.example.cn/"} <= links
    assert sum(link.startswith("https://cloud.example.cn/faq?a=1&b=2&lang=") for link in links) == 2
    assert all(link[1:] in ids for link in links if link.startswith("#"))
    assert "{{" not in answer.text


@pytest.mark.parametrize("language, first", [
    (None, "zh-CN"), ("", "zh-CN"), ("zh", "zh-CN"), ("zh-TW", "zh-CN"), ("zh-HK,en;q=0.9", "zh-CN"), ("zh-Hant-TW", "zh-CN"),
    ("en", "en"), ("en-US,en;q=0.9", "en"), ("EN-gb", "en"), ("en-US,en;q=0.9,zh-CN;q=0.8", "en"), ("zh-CN;q=0.8,en;q=0.9", "en"),
    ("en;q=0.8, zh;q=0.9", "zh-CN"), ("fr", "zh-CN"), ("fr,en;q=0.3", "en"), ("de,zh;q=0.2,en;q=0.1", "zh-CN"), ("*", "zh-CN"),
    ("en,*;q=0.5", "en"), ("zh;q=0,*", "en"), ("en;q=0", "zh-CN"), ("en;q=0.0001,zh;q=0", "zh-CN"), ("en;q=x,zh;q=0.1", "zh-CN"),
    ("ena,zhx", "zh-CN"), ("en,zh", "en"), ("zh,en", "zh-CN"), (",;q=,en ; q = 0.5", "en"), ("en;q=0.123456", "en"),
])
def test_visitors_language_comes_first(server, language, first):
    answer = get(server, "missing", language=language)
    page = Outline(answer.text)
    assert page.all("html") == [{"lang": first}]
    assert [section["lang"] for section in page.all("section")] == sorted(("zh-CN", "en"), key=lambda name: name != first)
    assert answer.headers["Content-Language"].split(",")[0] == first
    answer = get(server, "missing", "text/plain", language)
    assert answer.text.startswith("网站已暂停访问" if first == "zh-CN" else "This website is suspended")


# -- who gets which form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept, kind", [
    (None, "html"), ("", "html"), ("*/*", "html"), ("text/html", "html"), ("text/*", "html"),
    ("image/png", "html"), ("nonsense", "html"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "html"),
    ("application/json", "json"), ("application/problem+json", "json"), ("application/vnd.api+json", "json"),
    ("application/json, text/plain, */*", "json"), ("application/json, text/javascript, */*; q=0.01", "json"),
    ("APPLICATION/JSON", "json"), ("application/*", "json"), ("text/html;q=0.5, application/json", "json"),
    ("application/json;q=0.5, text/html", "html"), ("application/json;q=0.5, text/html;q=0.5", "html"),
    ("text/html;q=0, */*", "json"), ("application/json;q=0", "html"), ("application/json;charset=utf-8;q=0.9, */*;q=0.1", "json"),
    ("text/plain", "text"), ("text/plain, */*;q=0.1", "text"), ("text/html;q=0.9, text/plain;q=0.91", "text"),
    ('text/plain;x="a,b;q=0", text/html;q=0.5', "text"),
])
def test_form_follows_accept(server, accept, kind):
    types = {"html": "text/html; charset=utf-8", "json": "application/problem+json", "text": "text/plain; charset=utf-8"}
    answer = get(server, "missing", accept)
    assert (answer.status, answer.headers["Content-Type"]) == (451, types[kind])
    assert {name.strip() for name in answer.headers["Vary"].split(",")} == {"Accept", "Accept-Language"}
    assert answer.headers["ICP-Notice"] == "missing"


def test_problem_details(server):
    answer = get(server, "missing", "application/json", "en")
    details = answer.json()
    case = details.pop("case")
    since = datetime.datetime.fromisoformat(details.pop("since"))
    assert re.fullmatch(r"ICP-\d{6}", case)
    assert since.utcoffset() == datetime.timedelta(hours=8)
    assert abs(datetime.datetime.now(CHINA) - since) < datetime.timedelta(hours=1)
    assert details == {
        "type": "urn:problem-type:icp:missing", "title": "This website is suspended", "status": 451,
        "detail": "The home page of this website shows no ICP number. The law requires the number to be shown at the bottom of "
                  "the home page at all times.",
        "instance": f"urn:problem-instance:icp:{case}", "site": "missing.example.cn", "host": "missing.example.cn",
        "reason": "missing", "expected": [NUMBER], "provider": "示例云 & Sons", "contact": "备案 <客服> 400-000-0000",
        "faq": "https://cloud.example.cn/faq?a=1&b=2", "apply": "https://cloud.example.cn/apply"}
    assert answer.headers["Content-Language"] == "en"
    assert get(server, "missing", "application/json", "zh").json()["title"] == "网站已暂停访问"
    assert get(server, "s503", "application/json").json()["status"] == 503
    unregistered = get(server, "nobody", "application/json").json()
    assert unregistered["reason"] == "unregistered" and unregistered["expected"] == []
    assert not {"site", "since", "case", "instance"} & set(unregistered)


@pytest.mark.parametrize("reason", REASONS)
def test_text_says_the_same(server, reason):
    text = get(server, reason, "text/plain").text
    assert SAYS[reason][0] in text and SAYS[reason][1] in text
    assert re.search(r"ICP-\d{6}", text) and "备案 <客服> 400-000-0000" in text
    assert "{{" not in text and "&lt;" not in text and "\n\n\n" not in text


# -- status and headers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, status", [("missing", 451), ("s503", 503), ("s403", 403), ("s200", 200)])
def test_status_and_headers(server, name, status):
    answer = get(server, name)
    assert answer.status == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers.get("Link") == ('<https://cloud.example.cn/>; rel="blocked-by"' if status == 451 else None)
    assert answer.headers.get("Retry-After") == ("3600" if status == 503 else None)
    assert not {"ETag", "Last-Modified", "Set-Cookie", "Location"} & set(answer.headers)
    assert "网站已暂停访问" in answer.text and "own error page" not in answer.text


def test_reason_phrase(server):
    assert get(server, "missing").reason == "Unavailable For Legal Reasons"


def test_no_link_without_provider(httpd):
    httpd.site("a.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    answer = httpd.get("http://a.example.cn/")
    assert answer.status == 451 and answer.headers["Link"] is None
    assert 'href=""' not in answer.text and "<footer>" not in answer.text


@pytest.mark.parametrize("headers", [
    {"Range": "bytes=0-9"}, {"Range": "bytes=0-9", "If-Range": '"x"'}, {"If-None-Match": "*"},
    {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, {"If-Match": '"x"'},
    {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
])
@pytest.mark.parametrize("name, status", [("missing", 451), ("s200", 200)])
def test_conditions_and_ranges_are_ignored(server, name, status, headers):
    whole = get(server, name)
    answer = get(server, name, headers=headers)
    assert (answer.status, answer.body) == (status, whole.body)
    assert answer.headers["Content-Range"] is None and answer.headers["Accept-Ranges"] is None


# -- methods, versions, bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["missing", "s200"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW"])
def test_every_method(server, name, method):
    answer = get(server, name, "text/plain", "en", method=method)
    assert answer.status == (451 if name == "missing" else 200)
    assert answer.text.startswith("This website is suspended")


@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/plain"])
def test_head_is_get_without_body(server, accept):
    whole, head = get(server, "missing", accept), get(server, "missing", accept, method="HEAD")
    for answer in (whole, head):
        del answer.headers["Date"]
    assert head.body == b"" and head.headers.items() == whole.headers.items()


def test_connection_survives_bodies(server):
    with server.connection() as connection:
        for size in (0, 10, 300_000):
            answer = connection.request("POST", "/cart", {"Host": "missing.example.cn"}, b"x" * size)
            assert answer.status == 451
        assert connection.request("GET", "/", {"Host": "missing.example.cn"}).status == 451
    chunked = ("POST / HTTP/1.1\r\nHost: missing.example.cn\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
               "GET /second HTTP/1.1\r\nHost: missing.example.cn\r\nConnection: close\r\n\r\n")
    assert server.raw(chunked).count(b"HTTP/1.1 451 ") == 2


def test_broken_body_ends_the_connection(server):
    answer = server.raw("POST / HTTP/1.1\r\nHost: missing.example.cn\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
                        "GET /second HTTP/1.1\r\nHost: missing.example.cn\r\n\r\n")
    assert re.match(rb"HTTP/1.1 (400|451) ", answer) and answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer and SECRET.encode() not in answer


def test_expecting_client_is_not_asked_for_the_body(server):
    answer = server.raw("POST / HTTP/1.1\r\nHost: missing.example.cn\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n"
                        "Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 451 ")


def test_old_clients(server):
    answer = server.raw("GET / HTTP/1.0\r\nHost: missing.example.cn\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 451 ") and "网站已暂停访问".encode() in answer
    answer = server.raw("GET http://missing.example.cn/ HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 451 ")


@pytest.mark.parametrize("name, status", [("missing", 451), ("s200", 200)])
def test_http2(server, name, status):
    for options in ((), ("--data", "x" * 100_000), ("--request", "PUT", "--data", "x"), ("--range", "0-9")):
        answer = server.curl(f"http://{name}.example.cn/", "--http2-prior-knowledge", *options)
        assert (answer.version, answer.status) == ("2", status)
        assert answer.headers["ICP-Notice"] == "missing"
        assert answer.text.rstrip().endswith("</html>")


# -- nothing comes back unescaped -----------------------------------------------------------------------------------


EVIL = '"><script>alert(1)</script>\'&'


def test_request_is_not_echoed(server):
    headers = {"Referer": "http://marker/", "User-Agent": "marker", "Cookie": "marker=marker", "Accept-Language": "marker"}
    for accept in ("text/html", "application/json", "text/plain"):
        answer = server.get("http://missing.example.cn/marker?marker", {**headers, "Accept": accept})
        assert answer.status == 451 and "marker" not in answer.text + str(answer.headers)


def test_host_names_are_escaped(httpd):
    hosts = (EVIL, "a.<b>.example.cn", "\x80\xff.example.cn", "x.example.cn\t<b>", "[::1]", "xn--55qx5d.xn--fiqs8s",
             "{{contact}}", "x" * 4000)
    httpd.config("HttpProtocolOptions Unsafe")
    httpd.site("only.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "only.example.cn", "--reason", "missing")
    shown = 0
    for host in hosts:
        for accept in ("text/html", "application/json", "text/plain"):
            request = f"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
            head, body = httpd.raw(request.encode("latin-1")).split(b"\r\n\r\n", 1)
            if head.startswith(b"HTTP/1.1 400"):
                continue
            assert head.startswith(b"HTTP/1.1 451")
            body.decode("utf-8")
            if accept == "text/html":
                shown += 1
                assert b"<script" not in body and b"<b>" not in body and b'title="x' not in body
    assert shown >= 4


def test_every_placeholder_is_escaped(httpd):
    section = DOCUMENTATION.read_text().split("### Placeholders")[1].split("### Built-in")[0]
    names = [name for row in re.findall(r"^\| (`.*?`) \|", section, re.M) for name in re.findall(r"`([a-z-]+)`", row)]
    assert len(names) >= 30
    page = "".join(f"<p id='{name}' title=\"{{{{{name}}}}}\">{{{{{name}}}}}</p>\n" for name in names)
    (httpd.root / "conf/page.html").write_text(page)
    quoted = EVIL.replace('"', '\\"')
    httpd.config(f'ICPNotice conf/page.html\nICPProvider "{quoted}" https://cloud.example.cn/?a=1&b=\'2\'\nICPContact "{quoted}"')
    httpd.site("a.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    text = httpd.get("http://a.example.cn/").text
    assert len(re.findall(r"<p ", text)) == len(names) and "<script" not in text
    outline = Outline(text)
    values = {tag["id"]: tag["title"] for tag in outline.all("p")}
    assert values["provider"] == values["contact"] == EVIL
    assert values["provider-url"] == "https://cloud.example.cn/?a=1&b='2'"
    assert values["site"] == values["host"] == values["name"] == "a.example.cn" and values["alias"] == ""
    assert values["snippet-en"] == f'<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">{NUMBER}</a>'
    assert values["reason"] == "missing"
    assert values["missing"] == values["repair"] == values["suspended"] == values["zh-first"] == "1"
    assert values["filing"] == values["order"] == values["other"] == ""


# -- templates ------------------------------------------------------------------------------------------------------


def test_documented_example_works(httpd):
    example = re.search(r"^(    <!doctype html>\n(?:    .*\n)*)", DOCUMENTATION.read_text(), re.M).group(1)
    (httpd.root / "conf/page.html").write_text(re.sub(r"^    ", "", example, flags=re.M))
    httpd.site("a.example.cn", config='ICPNotice conf/page.html\nICPContact "call us"')
    httpd.site("b.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "incorrect")
    httpd.icpadmin("suspend", "b.example.cn", "--reason", "incorrect")
    answer = httpd.get("http://a.example.cn/", {"Accept-Language": "en"})
    assert "<title>a.example.cn</title>" in answer.text and "Contact: call us" in answer.text
    assert answer.text.index(SAYS["incorrect"][1]) < answer.text.index(SAYS["incorrect"][0])
    assert "案件编号" not in answer.text and "案件编号" in httpd.get("http://b.example.cn/").text
    assert httpd.get("http://a.example.cn/", {"Accept": "application/json"}).json()["contact"] == "call us"


@pytest.mark.parametrize("content, says", [
    (b"one\ntwo {{nonsense}}\n", "line 2: {{nonsense}}"), (b"{{#site}}\n\n", "line 1: {{/site}} is missing"),
    (b"", "line 1: the template is empty"), (b"ok\nok\n\xb1\xb8\xb0\xb8", "line 3: the template is not UTF-8"),
    (300_000, "over 256 KB"), (b"{{>step}}", "line 1: {{>step}}"),
    (None, "No such file"),
])
def test_bad_template_is_a_configuration_error(httpd, content, says):
    if content is not None:
        (httpd.root / "conf/page.html").write_bytes(b"x" * content if isinstance(content, int) else content)
    httpd.vhost("a.example.cn", config="ICPNotice conf/page.html")
    result = httpd.config_test()
    assert result.code != 0
    assert str(httpd.root / "conf/page.html") in result.err and says in result.err and "ICPNotice" in result.err


def test_reload_takes_a_new_template(httpd):
    (httpd.root / "conf/page.html").write_text("first {{reason}}")
    httpd.site("a.example.cn", config="ICPNotice conf/page.html")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "order")
    assert httpd.get("http://a.example.cn/").text == "first order"
    (httpd.root / "conf/page.html").write_text("second {{reason}}")
    httpd.graceful()
    httpd.wait_for(lambda: httpd.get("http://a.example.cn/").text == "second order")


# -- words ----------------------------------------------------------------------------------------------------------


def test_documentation_lists_every_placeholder_and_part():
    documented = DOCUMENTATION.read_text()
    names = set(re.findall(r'\[V_\w+\] = "([a-z-]+)"', (SOURCE / "mod_icp/notice.c").read_text()))
    parts = set(re.findall(r"^\{\{<([a-z-]+)-zh\}\}", (SOURCE / "conf/notice/words.txt").read_text(), re.M))
    assert names and parts
    assert not {name for name in names | parts if f"`{name}`" not in documented}


def test_both_languages_have_the_same_parts():
    words = (SOURCE / "conf/notice/words.txt").read_text()
    parts = {language: set(re.findall(rf"^\{{\{{<([a-z-]+)-{language}\}}\}}", words, re.M)) for language in ("zh", "en")}
    assert parts["zh"] and parts["zh"] == parts["en"]
