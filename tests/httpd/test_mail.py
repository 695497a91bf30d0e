"""Mails: what is in them, read with Python's own mail package; and the policies and templates that say so."""
import json
import re
import time

import pytest

from mailserver import MailServer
from postbox import add_holders, content, sql, suspend, suspend_many, use, waiting


# --- what a mail is ---------------------------------------------------------------------------------------------------


def test_holder_is_told_of_a_suspension_in_both_languages(register):
    with MailServer() as server:
        use(register, server)
        suspend(register)
        assert register.icpadmin("outbox", "send").out == "1 sent, 0 failed, 0 of them given up\n"
    (mail,) = server.mails
    assert mail.envelope == ("support@example.cn", ["owner@shop.example.cn"])
    assert mail["From"] == "示例云 <support@example.cn>" and mail["To"] == "owner@shop.example.cn"
    assert mail["Subject"] == "网站已暂停访问：shop.example.cn / This website is suspended: shop.example.cn"
    assert mail["Auto-Submitted"] == "auto-generated" and mail["MIME-Version"] == "1.0"
    assert re.fullmatch(r"<icp\.1\.\d+\.[0-9a-f]{16}@example\.cn>", mail["Message-ID"])
    assert abs(mail["Date"].datetime.timestamp() - time.time()) < 600
    text = content(mail)
    chinese, english = text.split("\n----\n")
    assert "网站首页没有显示 ICP 备案号。" in chinese and "应显示的备案号：沪ICP备05012345号-3" in chinese
    assert "The home page of this website shows no ICP number." in english and "Number to display: 沪ICP备05012345号-3" in english
    for half in (chinese, english):
        assert "ICP-000001" in half and "shop.example.cn, www.shop.example.cn" in half and "021-12345678" in half
        assert '<a href="https://beian.miit.gov.cn/" target="_blank" rel="noopener">沪ICP备05012345号-3</a>' in half
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 76 and mail.raw.isascii()
    assert waiting(register) == [] and waiting(register, "--all")[0]["state"] == "sent"


def test_what_leaves_is_what_show_shows(register):
    with MailServer() as server:
        use(register, server)
        suspend(register)
        raw = register.icpadmin("outbox", "show", 1, "--raw").out
        shown = json.loads(register.icpadmin("outbox", "show", 1, "--json").out)
        plain = register.icpadmin("outbox", "show", 1).out
        register.icpadmin("outbox", "send")
    (mail,) = server.mails
    assert mail.raw.replace(b"\r\n", b"\n").rstrip() == raw.encode().rstrip()
    assert shown["mail_subject"] == mail["Subject"] and shown["mail_text"] == content(mail)
    assert content(mail) in plain and plain.startswith("To: owner@shop.example.cn\nSubject: 网站已暂停访问")
    assert shown["facts"]["case"] == "ICP-000001"


def test_many_mails_go_through_one_connection(register):
    names = add_holders(register, 12)
    with MailServer() as server:
        use(register, server)
        suspend_many(register, names)
        register.icpadmin("outbox", "send")
        assert len(server.mails) == 12 and server.connections == 1
        assert {mail["To"] for mail in server.mails} == {f"owner{i}@shop.example.cn" for i in range(12)}
        assert len({mail["Message-ID"] for mail in server.mails}) == 12


def test_no_text_of_others_gets_into_the_header(register):
    """Holder, site, provider and sender are as hostile as the commands let them be."""
    with MailServer() as server:
        register.icpadmin("site", "add", "<b>坏\"=?UTF-8?B?=?=", "--license", "沪ICP备05012345号", "--host", "bad.example.cn")
        use(register, server, "mail-from=\"A, B\" =?x?= \\ <support@example.cn>")
        assert register.icpadmin("policy", "set", "provider=A\nBcc: x@example.cn", code=2).err
        suspend(register, "<b>坏\"=?UTF-8?B?=?=")
        facts = json.dumps({"site": "a\r\nBcc: evil@example.cn\r\n\r\n.\r\n", "reason": "missing", "expected": "x" * 5000})
        sql(register, "INSERT INTO outbox (posted_at, way, event, subject, recipient, facts, next_at, state_at) "
            "VALUES (1, 'mail', 'site.suspended', 'x', 'v@example.cn', ?, 1, strftime('%s'))", facts)
        register.icpadmin("outbox", "send")
    assert len(server.mails) == 2
    for mail in server.mails:
        assert sorted(mail.keys()) == sorted(["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                                              "Content-Transfer-Encoding"])
        assert mail["From"].addresses[0].addr_spec == "support@example.cn"
        assert len(mail["From"].addresses) == 1 and max(map(len, mail.raw.split(b"\r\n"))) <= 76
    hostile = next(mail for mail in server.mails if mail["To"] == "v@example.cn")
    assert "Bcc: evil@example.cn" in hostile["Subject"] and "x" * 5000 in content(hostile)
    other = next(mail for mail in server.mails if mail is not hostile)
    assert '<b>坏"=?UTF-8?B?=?=' in other["Subject"]


@pytest.mark.parametrize("address, fault", [("nobody", "there is no @"), ("a b@example.cn", "before the @"), ("a@b@example.cn", "before the @"),
                                            ("用户@example.cn", "only ASCII"), ("a@[127.0.0.1]", "no domain"), ("a@example..cn", "no domain"),
                                            ("a..b@example.cn", "a dot"), ("@example.cn", "nothing stands before"),
                                            ("a@example.cn>, <b@example.cn", "before the @")])
def test_an_address_that_cannot_be_one_is_given_up_at_once(register, address, fault):
    refused = register.icpadmin("holder", "edit", "上海示例商贸有限公司", "--email", address, code=2)
    assert fault in refused.err and "write it as info@example.cn" in refused.err
    sql(register, "UPDATE contact SET email = ?", address)  # a register may hold it all the same
    with MailServer() as server:
        use(register, server)
        suspend(register)
        result = register.icpadmin("outbox", "send", code=1)
        assert fault in result.err and result.out == "0 sent, 1 failed, 1 of them given up\n" and not server.mails
        assert "icpadmin outbox retry 1" in register.icpadmin("queue").out
        register.icpadmin("outbox", "retry", 1, "--to", "right@商店.中国")
        register.icpadmin("outbox", "send")
    assert server.mails[0].envelope[1] == ["right@xn--czrs0t.xn--fiqs8s"]
    assert "outbox retry" not in register.icpadmin("queue").out


# --- policies and templates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting, said", [
    (["checks", "=", "3"], "write NAME=VALUE without blanks"),
    (["mail=smtp"], "mail needs a sender"),
    (["mail-from=nobody"], "there is no @"),
    (["mail-from=A <a@example.cn"], "a < is not closed"),
    (["mail-server=http://127.0.0.1"], "is no mail server"),
    (["mail-server=smtp://user:secret@127.0.0.1"], "is no mail server"),
    (["mail-server=smtp://"], "is no mail server"),
    (["on-event=event"], "give its whole path"),
    (["on-event=/nowhere/event"], "cannot be run"),
    (["mail=command", "mail-command=/nowhere/sendmail", "mail-from=a@example.cn"], "cannot be run"),
    (["mail-templates=templates"], "is no folder of templates"),
    (["mail-templates=/nowhere"], "cannot read the folder"),
])
def test_policy_that_cannot_work_is_refused(register, setting, said):
    result = register.icpadmin("policy", "set", *setting, code=None)
    assert result.code in (2, 3) and said in result.err, result
    assert all(row["set"] is False for row in json.loads(register.icpadmin("policy", "show", "--json").out))


def test_templates_of_the_operator(register, tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    own = folder / "site.suspended.txt"
    own.write_text("Subject: 停 {{site}}\n\n{{>greeting}}\n{{>problem-en}}\n")
    (folder / "parts.txt").write_text("{{<greeting}}\n尊敬的客户 of {{provider}}\n{{/greeting}}\n")
    (folder / "README").write_text("not a template")
    with MailServer() as server:
        use(register, server, f"mail-templates={folder}")
        suspend(register)
        register.icpadmin("outbox", "send")
        assert server.mails[0]["Subject"] == "停 shop.example.cn"
        assert content(server.mails[0]) == "尊敬的客户 of 示例云\nThe home page of this website shows no ICP number. The law requires the " \
                                                "number to be shown at the bottom of the home page at all times.\n"
        own.write_text("Subject: x\n\n{{nonsense}}\n")  # spoilt later: the mail leaves all the same
        names = add_holders(register, 1)
        suspend_many(register, names)
        result = register.icpadmin("outbox", "send")
        assert f"{own} line 3: {{{{nonsense}}}}" in result.err and "the built-in template is used" in result.err
        assert "网站首页没有显示 ICP 备案号" in content(server.mails[1])


@pytest.mark.parametrize("name, text, said", [
    ("site.suspended.txt", "Subject: {{site}}\n\nHello\n{{sight}}\n", "site.suspended.txt line 4: {{sight}}: there is no placeholder"),
    ("site.suspended.txt", "Hello\n", "site.suspended.txt line 1: the first line is not the subject"),
    ("site.suspended.txt", "Subject: {{site\n\nx", "site.suspended.txt line 1:"),
    ("site.suspended.txt", "", "site.suspended.txt line 1:"),
    ("site.suspend.txt", "Subject: x\n\nx", "site.suspend.txt is not named after an event"),
    ("parts.txt", "{{<a}}", "parts.txt line 1: {{/a}} is missing"),
])
def test_bad_template_is_refused_with_file_and_line(register, tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    result = register.icpadmin("policy", "set", f"mail-templates={tmp_path}", code=2)
    assert said in result.err
    assert json.loads(register.icpadmin("policy", "show", "mail-templates", "--json").out)[0]["set"] is False
