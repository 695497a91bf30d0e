"""icpadmin application: from a client's form to the number on file, as staff do it; no server is started."""
import csv
import io
import json
import re
import sqlite3

import pytest

from env import this_month

NUMBER = "沪ICP备05012345号"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"


def form(kind="first", name="甲公司", uscc="91330100799655058B", hosts=("tea.example.cn",), **more):
    return {"kind": kind, "language": "zh",
            "holder": {"kind": "business", "name": name, "uscc": uscc, "province": "沪", "address": "上海市浦东新区世纪大道1号101室",
                       "representative": "张三"},
            "contact": {"name": "李四", "email": "li@example.cn", "mobile": "13800138000"},
            "websites": [{"name": "龙井茶叶店", "hosts": list(hosts), "category": "commerce", "person": "李四"}], **more}


@pytest.fixture
def register(httpd):
    httpd.init_register()
    httpd.icpadmin("policy", "set", "apply-url=https://host.example.cn/apply")
    return httpd


def app(httpd, *arguments, **options):
    return httpd.icpadmin("application", *arguments, **options)


def data(httpd, *arguments, **options):
    return json.loads(app(httpd, *arguments, "--json", **options).out)


def add(httpd, **fields):
    return data(httpd, "add", "-", stdin=json.dumps(form(**fields)))["application"]


def bring(httpd, reference, *steps):
    for step in steps:
        app(httpd, step, reference)


def age(httpd, reference, days):
    """As if it had come to its state so many days earlier."""
    with sqlite3.connect(httpd.state / "private.db") as db:
        db.execute("UPDATE application SET state_at = state_at - ?1, due_from = due_from - ?1, created_at = created_at - ?1 "
                   "WHERE id = ?2", (days * 86400, int(reference[4:])))


TO_BUREAU = ("review", "file", "sms", "confirm", "bureau")


def test_from_the_form_to_the_number(register):
    httpd = register
    said = app(httpd, "add", "-", stdin=json.dumps(form()))
    assert "APP-000001 received, expected by 20" in said.out
    assert "https://host.example.cn/apply?application=" in said.out
    assert "document.license" in said.err  # what is missing is named
    bring(httpd, "APP-000001", *TO_BUREAU)
    approved = data(httpd, "approve", "1", "--number", NUMBER, "--website", "tea.example.cn=-1")
    assert approved["sites"] == [{"site": "tea.example.cn", "number": NUMBER + "-1", "what": "added"}]
    assert json.loads(httpd.icpadmin("site", "show", "tea.example.cn", "--json").out)["numbers"] == [NUMBER + "-1"]
    assert json.loads(httpd.icpadmin("license", "show", NUMBER, "--json").out)["holder"] == "甲公司"
    assert app(httpd, "list").out.count("APP-") == 0 and "APP-000001" in app(httpd, "list", "--all").out
    shown = data(httpd, "show", "1")
    assert [event["action"] for event in shown["history"]] == ["application.add"] + [
        f"application.{step}" for step in (*TO_BUREAU, "approve")]
    assert "13800138000" in app(httpd, "show", "1").out
    assert httpd.icpadmin("log", "--verify").code == 0


def test_staff_see_what_only_looked_wrong_and_was_confirmed(register):
    odd = form(name="李明")
    odd["holder"] = {"kind": "person", "name": "李明", "id_number": "E12345678", "province": "沪", "address": "北京市朝阳区示例路1号"}
    said = app(register, "add", "-", stdin=json.dumps(odd), code=2).err
    assert "passport" in said and "another province" in said
    add(register)
    assert "Confirmed " not in app(register, "show", "1").out
    app(register, "add", "-", stdin=json.dumps({**odd, "confirmed": ["holder.id_number", "holder.address"]}))
    shown = app(register, "show", "2").out
    assert re.search(r"^Confirmed +ID number \(holder\.id_number\): This is not the number of an ID card", shown, re.M)
    assert re.search(r"^Confirmed +Address \(holder\.address\): The address begins with another province", shown, re.M)


def test_impossible_steps_name_the_possible_ones(register):
    httpd = register
    add(httpd)
    refused = app(httpd, "approve", "1", "--number", NUMBER, code=1)
    assert "APP-000001 is received: approve is not possible" in refused.err and "now possible: review or withdraw" in refused.err
    bring(httpd, "1", "withdraw")
    assert "the holder may apply anew" in app(httpd, "review", "1", code=1).err
    for unknown in ("APP-000099", "x", "", "99999999999999999999"):
        assert "there is no application" in app(httpd, "review", unknown, code=3).err


def test_one_open_application_per_holder(register):
    httpd = register
    add(httpd)
    refused = app(httpd, "add", "-", stdin=json.dumps(form(hosts=["other.example.cn"])), code=1)
    assert "甲公司 has an open application, APP-000001: received" in refused.err
    bring(httpd, "1", "withdraw")
    assert add(httpd) == "APP-000002"


@pytest.mark.parametrize("text, said", [
    ("{", "is not JSON"), ("[]", "the form is not complete"), ("{}", "kind: Choose what you apply for"),
    (json.dumps(form(uscc="1")), "holder.uscc"), (json.dumps(form(hosts=["nohost"])), "websites.0.hosts"),
    (json.dumps(form(nonsense="x")), "nonsense: There is no such field"),
])
def test_a_form_that_is_wrong_is_refused_by_its_field(register, text, said):
    assert said in app(register, "add", "-", stdin=text, code=2).err
    assert app(register, "list", "--all", "--json").out.strip() == "[]"


def test_return_and_correct(register):
    httpd = register
    add(httpd)
    app(httpd, "review", "1")
    wrong = app(httpd, "return", "1", "--field", "holder.shoe", "--reason", "x", code=2).err
    assert "APP-000001 has no field `holder.shoe`" in wrong and "holder.uscc, " in wrong and ", document.id" in wrong
    for field in ("holder.id_number", "license", "websites.1.hosts", "documents.id"):  # of others, or of none
        assert "has no field" in app(httpd, "return", "1", "--field", field, "--reason", "x", code=2).err
    assert "needs --reason" in app(httpd, "return", "1", code=2).err
    assert "empty" in app(httpd, "return", "1", "--reason", " ", code=2).err
    app(httpd, "return", "1", "--field", "websites.0.hosts", "--reason", "域名写错", "--suggestion", "写 shop.example.cn")
    assert data(httpd, "show", "1")["reasons"] == [
        {"field": "websites.0.hosts", "reason": "域名写错", "suggestion": "写 shop.example.cn"}]
    corrected = form(hosts=["shop.example.cn"])
    assert data(httpd, "correct", "1", "-", stdin=json.dumps(corrected))["state"] == "corrected"
    shown = data(httpd, "show", "1")
    assert shown["form"]["websites"][0]["hosts"] == ["shop.example.cn"] and shown["reasons"] == []
    assert "correct is not possible" in app(httpd, "correct", "1", "-", stdin=json.dumps(corrected), code=1).err


def test_several_fields_are_returned_at_once(register):
    httpd = register
    httpd.icpadmin("policy", "set", "mail=smtp", "mail-from=Example <support@host.example.cn>")
    add(httpd)
    app(httpd, "review", "1")
    for wrong in (("--field", "holder.name", "--reason", "a", "--reason", "b"), ("--reason", "a", "--reason", "b"),
                  ("--field", "holder.name", "--field", "holder.uscc", "--reason", "a"),
                  ("--field", "holder.name", "--reason", "a", "--field", "holder.uscc", "--reason", "b", "--suggestion", "c")):
        assert "give each --reason its --field" in app(httpd, "return", "1", *wrong, code=2).err
    assert "empty" in app(httpd, "return", "1", "--field", "holder.name", "--reason", "a", "--field", "holder.uscc", "--reason", "", code=2).err
    assert "no field `x`" in app(httpd, "return", "1", "--field", "holder.name", "--reason", "a", "--field", "x", "--reason", "b", code=2).err
    app(httpd, "return", "1", "--field", "document.id", "--reason", "照片模糊", "--suggestion", "", "--field", "contact.mobile", "--reason", "无法接通",
        "--suggestion", "换一个号码")
    assert data(httpd, "show", "1")["reasons"] == [{"field": "document.id", "reason": "照片模糊"},
                                                   {"field": "contact.mobile", "reason": "无法接通", "suggestion": "换一个号码"}]
    mail = json.loads(httpd.icpadmin("outbox", "show", newest(httpd), "--json").out)["mail_text"]
    assert "- 负责人身份证件——照片模糊\n- 手机号码——无法接通。换一个号码\n" in mail


def test_fields_are_named_as_the_form_calls_them(register):
    httpd = register
    httpd.icpadmin("policy", "set", "mail=smtp", "mail-from=Example <support@host.example.cn>")
    add(httpd)
    fields = form(name="乙公司", uscc="91110000802100433B")
    fields["websites"].append({**fields["websites"][0], "hosts": ["cup.example.cn"]})
    data(httpd, "add", "-", stdin=json.dumps(fields))
    for reference, field, english, chinese in (("1", "holder.uscc", "- Unified Social Credit Code – 写错。", "- 统一社会信用代码——写错。"),
                                               ("2", "websites.1.hosts", "- Website 2: Host names – 写错。", "- 网站 2：网站域名——写错。")):
        app(httpd, "review", reference)
        app(httpd, "return", reference, "--field", field, "--reason", "写错", "--suggestion", "请核对")
        mail = json.loads(httpd.icpadmin("outbox", "show", newest(httpd), "--json").out)["mail_text"]
        first, second = mail.split("\n----\n")
        assert chinese + "请核对" in first and english + "请核对" in second and field not in mail
    assert re.search(r"^Reason +Website 2: Host names \(websites\.1\.hosts\): 写错 请核对$", app(httpd, "show", "2").out, re.M)
    assert re.search(r"^Website 1: Host names \(websites\.0\.hosts\) +tea\.example\.cn$", app(httpd, "show", "2").out, re.M)
    assert re.search(r"^Host names \(websites\.0\.hosts\) ", app(httpd, "show", "1").out, re.M)
    shown = httpd.icpadmin("outbox", "show", newest(httpd)).out
    assert shown.splitlines()[2] == "" and "\ufffd" not in shown


def newest(httpd):
    """The number of the newest message."""
    with sqlite3.connect(httpd.state / "private.db") as db:
        return str(db.execute("SELECT max(id) FROM outbox").fetchone()[0])


def test_rejection_with_reasons_from_the_catalogue(register):
    httpd = register
    add(httpd)
    bring(httpd, "1", *TO_BUREAU)
    assert "there is no reason `shoe`" in app(httpd, "reject", "1", "--reason", "shoe", code=2).err
    assert "there is no reason `sms-expired`" in app(httpd, "reject", "1", "--reason", "sms-expired", code=2).err
    assert "needs a reason" in app(httpd, "reject", "1", code=2).err
    app(httpd, "reject", "1", "--reason", "phone", "--reason", "documents", "--note", "身份证照片反光")
    shown = app(httpd, "show", "1").out
    assert "The mobile phone was not answered" in shown and "身份证照片反光" in shown
    assert "身份证照片反光" not in httpd.icpadmin("log").out  # what a purge removes is in no log
    details = httpd.icpadmin("help", "application", "reject").out.replace("\n", " ")
    for code in ("domain-not-verified", "registrant-differs", "domain-not-accepted", "name-too-generic", "other-province",
                 "site-open", "filed-site-faulty", "needs-approval", "phone", "documents"):
        assert code in details


def test_each_step_is_a_message(register):
    httpd = register
    httpd.icpadmin("policy", "set", "mail=smtp", "mail-from=Example <support@host.example.cn>")
    add(httpd)
    bring(httpd, "1", *TO_BUREAU)
    app(httpd, "reject", "1", "--reason", "phone")
    with sqlite3.connect(httpd.state / "private.db") as db:
        posted = db.execute("SELECT event, recipient, facts FROM outbox WHERE way = 'mail' ORDER BY id").fetchall()
    assert [row[0] for row in posted] == [f"application.{state}" for state in (
        "received", "reviewing", "filed", "sms-pending", "confirmed", "bureau-review", "rejected")]
    assert {row[1] for row in posted} == {"li@example.cn"}
    facts = json.loads(posted[-1][2])
    assert facts["application"] == "APP-000001" and facts["state"] == "rejected" and facts["expected-by"]
    assert "手机号码无法接通" in facts["reasons"] and "was not answered" in facts["reasons"] and "application=" in facts["link"]


def test_list_by_what_is_due(register):
    httpd = register
    first = add(httpd)
    second = add(httpd, name="乙公司", uscc="91110000802100433B", hosts=["cup.example.cn"])
    age(httpd, second, 20)
    listed = data(httpd, "list")
    assert [entry["application"] for entry in listed] == [second, first]
    assert [entry["overdue"] for entry in listed] == [True, False] and listed[0]["days_waiting"] >= 12
    assert [entry["application"] for entry in data(httpd, "list", "--overdue")] == [second]
    assert [entry["application"] for entry in data(httpd, "list", "--holder", "甲")] == [first]
    assert data(httpd, "list", "--state", "filed") == []
    assert "say one of received" in app(httpd, "list", "--state", "draft", code=2).err
    queue = json.loads(httpd.icpadmin("queue", "--json").out)
    commands = [item["command"] for item in queue if item["kind"] == "application"]
    assert commands == [f"icpadmin application review {second}", f"icpadmin application review {first}"]
    app(httpd, "review", first, second, "--yes")
    assert "--yes" in app(httpd, "file", first, second, code=2).err


def test_terms_follow_the_province_and_the_calendar(register):
    httpd = register
    holidays = httpd.state / "holidays.tsv"
    days = {}
    for province, name, uscc in (("沪", "甲公司", "91330100799655058B"), ("浙", "乙公司", "91110000802100433B")):
        fields = form(name=name, uscc=uscc, hosts=[f"x{len(days)}.example.cn"])
        fields["holder"].update(province=province, address={"沪": "上海市", "浙": "浙江省"}[province] + "某某路1号101室")
        reference = data(httpd, "add", "-", stdin=json.dumps(fields))["application"]
        bring(httpd, reference, *TO_BUREAU)
        entry = data(httpd, "show", reference)
        days[province] = (entry["expected_by"] - entry["since"]) / 86400
    assert 26 <= days["沪"] <= 30 and 40 <= days["浙"] <= 44  # 20 and 30 working days
    assert not holidays.exists() and entry["estimated"] is True


def test_clock_runs_with_pull(register):
    httpd = register
    add(httpd)
    bring(httpd, "1", *TO_BUREAU)
    app(httpd, "reject", "1", "--note", "x")
    assert data(httpd, "pull")["expired"] == 0
    age(httpd, "APP-000001", 40)
    assert "expires on" in httpd.icpadmin("queue").out
    age(httpd, "APP-000001", 6)
    assert data(httpd, "pull")["expired"] == 1
    assert data(httpd, "show", "1")["state"] == "expired"


def test_documents_come_out_again(register, tmp_path):
    httpd = register
    (tmp_path / "scan.pdf").write_bytes(PDF)
    (tmp_path / "page.html").write_text("<script>")
    typed = json.dumps(form())
    assert "say --document KIND=FILE" in app(httpd, "add", "-", "--document", "shoe=x", stdin=typed, code=2).err
    assert "another type" in app(httpd, "add", "-", "--document", f"id={tmp_path}/page.html", stdin=typed, code=1).err
    app(httpd, "add", "-", "--document", f"id={tmp_path}/scan.pdf", stdin=typed)
    kept = [path for path in (httpd.state / "documents").rglob("*") if path.is_file()]
    assert len(kept) == 1 and kept[0].stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "out"
    app(httpd, "show", "1", "--save", folder)
    saved = list(folder.iterdir())
    assert [path.name for path in saved] == ["APP-000001-id-1.pdf"] and saved[0].read_bytes() == PDF
    assert saved[0].stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
    assert "already" in app(httpd, "show", "1", "--save", folder, code=1).err
    assert "application.save" in httpd.icpadmin("log").out


def test_export_is_csv_that_no_spreadsheet_executes(register):
    httpd = register
    add(httpd, name='=HYPERLINK("http://x";"y"),"', hosts=["a.example.cn", "b.example.cn"])
    add(httpd, name="乙公司", uscc="91110000802100433B", hosts=["cup.example.cn"])
    text = app(httpd, "export").out
    assert text.startswith("\ufeffapplication,kind,state,received,number,license,")
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 2
    assert rows[0]["holder"] == '\'=HYPERLINK("http://x";"y"),"' and rows[0]["hosts"] == "a.example.cn b.example.cn"
    assert len(app(httpd, "export", "--month", this_month()).out.splitlines()) == 3
    assert len(app(httpd, "export", "--month", "2020-02").out.splitlines()) == 1
    assert len(app(httpd, "export", "--state", "filed").out.splitlines()) == 1
    for month in ("2020", "2020-13", "2020-1x", "x"):
        assert "is no month" in app(httpd, "export", "--month", month, code=2).err
    assert httpd.icpadmin("log").out.count("application.export") == 4


def test_purge(register, tmp_path):
    httpd = register
    (tmp_path / "scan.pdf").write_bytes(PDF)
    app(httpd, "add", "-", "--document", f"id={tmp_path}/scan.pdf", stdin=json.dumps(form()))
    bring(httpd, "1", "withdraw")
    assert data(httpd, "purge")["applications"] == []
    assert data(httpd, "purge", "--days", "1", "--dry-run")["applications"] == []
    age(httpd, "APP-000001", 400)
    assert data(httpd, "purge", "--dry-run")["applications"] == ["APP-000001"]
    assert data(httpd, "show", "1")["form"] is not None
    assert data(httpd, "purge")["applications"] == ["APP-000001"]
    shown = data(httpd, "show", "1")
    assert shown["form"] is None and shown["link"] is None and shown["state"] == "withdrawn" and shown["purged_at"]
    assert b"13800138000" not in (httpd.state / "private.db").read_bytes()
    assert app(httpd, "show", "1").code == 0 and app(httpd, "export").code == 0


def test_nothing_of_a_stranger_s_text_reaches_the_terminal_raw(register):
    httpd = register
    add(httpd)
    with sqlite3.connect(httpd.state / "private.db") as db:
        db.execute("UPDATE application SET holder = 'x' || char(27) || '[31m', form = replace(form, '龙井', '\\u001b[2J')")
    for command in (("list",), ("show", "1")):
        assert "\x1b" not in app(httpd, *command).out


def test_what_is_no_submission_is_put_aside_and_in_the_queue(register):
    (register.state / "intake" / ("a" * 32 + ".ready")).write_text("not a folder")
    app(register, "pull", code=None)
    (item,) = [item for item in json.loads(register.icpadmin("queue", "--json").out) if item["subject"] == "intake"]
    assert item["why"].endswith("no submissions: 1") and str(register.state / "intake.refused") in item["command"]
