"""The application form as visitors use it, without a browser: languages, fields, what is wrong and where, documents, links."""
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from applicant import CONFIG, DOCUMENTS, FIRST, JPEG, PDF, Visitor, handed_in, multipart, png, token_of

KINDS = ("first", "website", "access", "change", "cancel-website", "cancel-license", "cancel-access")


@pytest.fixture
def server(httpd):
    httpd.init_register()
    httpd.site("apply.example.cn", config=CONFIG + "\n" + CONFIG.replace("/apply", "/icp/apply"))
    httpd.config("ICPApplyLimit 0")
    httpd.start()
    return httpd


def test_both_languages(server):
    english, chinese = Visitor(server, "en").get(), Visitor(server, "zh-CN").get()
    assert english.headers["Content-Language"] == "en" and "What do you need?" in english.text and '<html lang="en">' in english.text
    assert chinese.headers["Content-Language"] == "zh-CN" and "您要办理什么？" in chinese.text and '<html lang="zh-CN">' in chinese.text
    switched = Visitor(server, "en").get("?kind=first&lang=zh")
    assert "主办单位" in switched.text
    assert "/apply?lang=en" in Visitor(server, "en").get("?lang=zh").page.links
    visitor = Visitor(server, "en")
    visitor.get("?kind=first&lang=zh")
    answer = visitor.post(FIRST, {}, query="?lang=zh")
    assert answer.status == 422 and answer.page.errors["document.id"] == "请选择此文件。"


def test_the_other_language_keeps_what_was_typed(server):
    visitor = Visitor(server, "en")
    typed = {**FIRST, "contact.mobile": "1"}
    assert 'value="language-zh-CN"' in visitor.get("?kind=first").text
    chinese = visitor.post(typed, DOCUMENTS, action="language-zh-CN")
    assert chinese.status == 200 and chinese.headers["Content-Language"] == "zh-CN" and not chinese.page.errors
    assert {name: chinese.page.fields[name].replace("\n", "\r\n") for name in FIRST} == typed and "请重新选择" in chinese.text
    assert visitor.post(typed, {}, query="?lang=zh").status == 422  # its form goes on in Chinese
    told = visitor.post({**typed, "checked": "1"}, DOCUMENTS, action="language-en", query="?lang=zh")  # so do errors
    assert told.status == 200 and told.page.errors.keys() == {"contact.mobile"} and "no mobile number" in told.page.errors["contact.mobile"]
    assert told.page.fields["checked"] == "1" and told.page.fields["holder.name"] == FIRST["holder.name"]
    assert handed_in(server) == []
    visitor.cookie = None  # nothing is taken, so nothing has to be proved
    assert visitor.post(typed, {}, action="language-zh-CN").status == 200


def test_headers(server):
    answer = Visitor(server).get("?kind=first")
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'") and "script" not in answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert server.get("http://apply.example.cn/apply", method="DELETE").status == 405
    assert server.get("http://apply.example.cn/apply", method="HEAD").body == b""


def test_path_of_several_parts(server):
    """No folder of that name is in the DocumentRoot, and httpd calls what it did not find there path information."""
    answer = server.get("http://apply.example.cn/icp/apply", {"Accept-Language": "en"})
    assert answer.status == 200 and "/icp/apply?kind=first" in answer.text


def test_what_may_be_left_out_says_so(server):
    """A change names what changes alone; nobody should have to find that out by an error."""
    def optional(kind):
        page = Visitor(server).get(f"?kind={kind}").text
        return re.findall(r'<label for="([^"]+)">[^<]*(?:<span class="only"> \(of a \w+\)</span>)?<span class="only"> \(optional\)</span></label>', page)
    assert optional("first") == ["websites.0.homepage"]
    assert optional("change") == [f"websites.0.{name}" for name in ("name", "hosts", "category", "person")]
    assert optional("cancel-website") == ["reason", "document.license"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(server, kind):
    """Each asks for what it needs, and what it asks for is enough."""
    visitor = Visitor(server)
    form = visitor.get(f"?kind={kind}").page
    assert f"?kind={kind}" in "".join(visitor.get().page.links)
    license_ = {} if kind == "first" else {"license": "沪ICP备05012345号-1", "reason": "搬迁"}
    files = {name: file for name, file in DOCUMENTS.items() if name in form.ids}
    asked = {name: value for name, value in {**FIRST, **license_, "kind": kind}.items() if name in form.ids | {"kind", "websites"} or name == "holder.kind"}
    token_of(visitor.apply({**{name: None for name in FIRST}, **asked}, files))
    envelope, opened = handed_in(server)[0]
    assert envelope["action"] == "submit" and envelope["form"]["kind"] == kind and envelope["form"]["holder"]["province"] == "沪"
    assert len(opened) == len(files)


def test_what_was_typed_arrives(server):
    token = token_of(Visitor(server).apply())
    (envelope, opened), = handed_in(server)
    assert envelope["token"] == token and envelope["form"]["language"] == "en"
    assert envelope["form"]["holder"] == {"kind": "business", "name": "上海示例商贸有限公司", "uscc": "91310000775785552L", "province": "沪",
                                          "address": "上海市黄浦区示例路1号101室", "representative": "张三"}
    assert envelope["form"]["contact"] == {"name": "李四", "email": "li.si@example.cn", "mobile": "13800138000"}
    assert envelope["form"]["websites"] == [{"name": "示例茶具", "hosts": ["www.example.cn", "example.cn"], "category": "commerce", "person": "李四"}]
    assert [(d["kind"], d["name"], d["type"]) for d in envelope["documents"]] == [
        ("license", "执照.pdf", "application/pdf"), ("id", "id.png", "image/png"), ("domain-certificate", "c.jpg", "image/jpeg")]
    assert [opened[f"document-{i}"] for i in range(3)] == [PDF, png(), JPEG]


def test_large_documents_arrive_whole(server):
    """Up to the limit of each, and all three at once; with bytes in them that look like the end of a part."""
    filler = b"\r\n--" + bytes(range(256)) * 20000
    pdf = PDF[:-30] + filler + b"%" * (5 * 1024 * 1024 - len(PDF) - len(filler)) + PDF[-30:]
    assert len(pdf) == 5 * 1024 * 1024
    token_of(Visitor(server).apply(files={name: ("a.pdf", pdf) for name in DOCUMENTS}))
    (_, opened), = handed_in(server)
    assert all(content == pdf for content in opened.values()) and len(opened) == 3


def test_errors_stand_at_their_fields(server):
    bad = {"holder.uscc": "9131", "holder.address": "x", "contact.email": "nobody", "contact.mobile": "123", "websites.0.hosts": "http://x/\r\nwww.example.cn",
           "websites.0.category": "", "holder.name": " "}
    for language, words in (("en", "Please fill this in."), ("zh", "请填写此项。")):
        answer = Visitor(server, language).apply(bad, {})
        page = answer.page
        assert answer.status == 422
        assert set(page.errors) == set(bad) | {"document.license", "document.id", "document.domain-certificate"}
        assert page.errors["holder.name"] == words == page.errors["websites.0.category"]
        for name, error in page.errors.items():
            assert f"#{name}" in page.links and name in page.ids, name  # the summary leads there
            assert re.search(f'id="{re.escape(name)}"[^>]* aria-describedby="[^"]*{re.escape(name)}-error"', answer.text), name
            assert (language == "zh") == bool(re.search("[一-鿿]", error)), error
        kept = {name: value for name, value in {**FIRST, **bad}.items() if name != "holder.name"}
        assert {name: page.fields.get(name, "").replace("\n", "\r\n") for name in kept} == kept
    assert handed_in(server) == []


def test_nothing_filled_in(server):
    page = Visitor(server).apply({name: None for name in FIRST if name != "kind"}, {}).page
    assert {"holder.kind", "holder.name", "contact.email", "websites.0.hosts"} <= set(page.errors)
    assert "holder.uscc" not in page.errors  # not known yet who the holder is


def test_a_warning_is_confirmed(server):
    odd = {"holder.uscc": "91310000775785552M", "websites.0.name": "网站"}
    visitor = Visitor(server)
    answer = visitor.apply(odd)
    assert set(answer.page.errors) == set(odd) and {f"{name}-confirmed" for name in odd} <= answer.page.ids
    assert "choose them again" in answer.text  # browsers keep no files
    answer = visitor.post({**FIRST, **odd, "confirmed": "holder.uscc"}, DOCUMENTS)
    assert set(answer.page.errors) == {"websites.0.name"} and answer.page.fields["confirmed"] == "holder.uscc"
    assert handed_in(server) == []
    fields = [*{**FIRST, **odd, "ticket": visitor.ticket, "do": "submit"}.items(), *(("confirmed", name) for name in odd)]
    token_of(visitor.post_body(*multipart(fields, DOCUMENTS)))
    assert handed_in(server)[0][0]["form"]["confirmed"] == list(odd)


def test_several_websites(server):
    visitor = Visitor(server)
    visitor.get("?kind=first")
    answer = visitor.post(FIRST, action="add")
    assert answer.status == 200 and answer.page.fields["websites"] == "2" and answer.page.errors == {}
    assert answer.page.fields["websites.0.name"] == "示例茶具" and "websites.1.name" in answer.page.ids
    second = {"websites": "2", "websites.1.name": "示例书店", "websites.1.hosts": "books.example.cn", "websites.1.category": "commerce",
              "websites.1.person": "李四"}
    assert visitor.post({**FIRST, **second}, action="remove-0").page.fields["websites.0.name"] == "示例书店"
    answer = visitor.post({**FIRST, **second, "websites.1.hosts": "localhost"}, DOCUMENTS)
    assert set(answer.page.errors) == {"websites.1.hosts"} and "Website 2: Host names" in answer.text
    token_of(visitor.post({**FIRST, **second}, DOCUMENTS))
    assert [w["name"] for w in handed_in(server)[0][0]["form"]["websites"]] == ["示例茶具", "示例书店"]
    for count in range(2, 11):
        answer = visitor.post({**FIRST, "websites": str(count - 1)}, action="add")
    assert answer.page.fields["websites"] == "10" and "Add another website" not in answer.text
    assert visitor.post({**FIRST, "websites": "10"}, action="add").page.fields["websites"] == "10"


def test_the_link(server):
    """It says that it was received, in the language of the visitor, and no more than that of a link that nobody was given."""
    visitor = Visitor(server)
    answer = visitor.apply()
    page = visitor.get("?" + answer.headers["Location"].split("?")[1])
    assert page.status == 200 and "being taken over" in page.text and "Keep the link" in page.text
    mine, guessed = visitor.get(f"?application={token_of(answer)}"), visitor.get("?application=" + "A" * 32)
    assert mine.status == guessed.status == 200
    assert re.sub("[A-Za-z0-9_-]{32,}", "", mine.text) == re.sub("[A-Za-z0-9_-]{32,}", "", guessed.text)
    for bad in ("x", "..%2F..%2Fetc%2Fpasswd", "A" * 33, "A" * 31 + "%00", "<script>"):
        answer = visitor.get(f"?application={bad}")
        assert answer.status == 404 and "<script" not in answer.text


def test_withdrawing(server):
    """By the link, once one is sure; afterwards nothing more can be done with it, nor be sent by who has an old page open."""
    visitor = Visitor(server)
    token = token_of(visitor.apply())
    assert visitor.post({"application": token, "sure": "1"}, action="withdraw").status == 409  # not taken over yet
    server.icpadmin("application", "pull")
    page = visitor.get(f"?application={token}")
    assert "Withdraw the application" in page.text and "holder.name" not in page.page.ids  # nothing to be corrected now
    answer = visitor.post({"application": token}, action="withdraw")
    assert answer.status == 422 and answer.page.errors == {"sure": "Please tick that you are sure."}
    assert visitor.post({**FIRST, "application": token}, DOCUMENTS).status == 409
    answer = visitor.post({"application": token, "sure": "1"}, action="withdraw")
    assert token_of(answer) == token
    assert "has been received" in visitor.get("?" + answer.headers["Location"].split("?")[1]).text
    server.icpadmin("application", "pull")
    page = visitor.get(f"?application={token}")
    assert "withdrawn" in page.text and "Withdraw the application" not in page.text
    assert visitor.post({"application": token, "sure": "1"}, action="withdraw").status == 409
    assert handed_in(server) == []


def test_a_double_click_is_one_application(server):
    visitor = Visitor(server)
    first = visitor.apply()
    again = visitor.post(FIRST, DOCUMENTS)
    assert token_of(first) == token_of(again) and len(handed_in(server)) == 1
    visitor.get("?kind=first")
    assert token_of(visitor.post(FIRST, DOCUMENTS)) != token_of(first) and len(handed_in(server)) == 2


def test_a_reload_of_httpd_leaves_open_forms_valid(server):
    visitor = Visitor(server)
    visitor.get("?kind=first")
    server.graceful()
    token_of(visitor.post(FIRST, DOCUMENTS))


def test_long_holiday(httpd, tmp_path):
    """The form warns of one that begins within two weeks."""
    first = datetime.now(timezone(timedelta(hours=8))).date() + timedelta(days=5)
    calendar = tmp_path / "holidays.tsv"
    calendar.write_text("".join(f"{first + timedelta(days=i)}\t示例节\toff\tExample Festival\n" for i in range(4)))
    httpd.init_register()
    httpd.site("apply.example.cn", config=CONFIG)
    httpd.config(f'ICPHolidays "{calendar}"')
    httpd.start()
    assert "Example Festival" in Visitor(httpd, "en").get("?kind=first").text
    assert "示例节" in Visitor(httpd, "zh").get().text


def test_config_errors(httpd):
    httpd.config("ICPApplyLimit many")
    assert "ICPApplyLimit: 'many' is not allowed here" in httpd.start_fails()


def test_json_of_the_envelope_is_plain(server):
    """What staff's side reads: nothing of the page's own fields is in it."""
    Visitor(server).apply({"holder.kind": "person", "holder.id_number": "11010519491231002X", "websites.0.homepage": "https://www.example.cn/shop/"})
    form = handed_in(server)[0][0]["form"]
    assert set(form) == {"kind", "language", "holder", "contact", "websites"} and "uscc" not in json.dumps(form)
    assert form["websites"][0]["homepage"] == "https://www.example.cn/shop/"
