"""Messages on their way out: real SMTP servers on loopback that take mail, refuse it, hang and break off; the sendmail command; the event
command. What arrives is read with Python's own mail package."""
import email
import email.policy
import json
import re
import shlex
import signal
import sqlite3
import subprocess
import time

import pytest

from env import BUILD
from mailserver import DumbServer, MailServer

SENDER = "mail-from=示例云 <support@example.cn>"


@pytest.fixture
def register(httpd):
    """A register with one site whose holder has a mailbox; httpd itself is not started."""
    httpd.init_register()
    httpd.icpadmin("license", "add", "沪ICP备05012345号", "--holder", "上海示例商贸有限公司")
    httpd.icpadmin("holder", "edit", "上海示例商贸有限公司", "--email", "owner@shop.example.cn")
    httpd.icpadmin("site", "add", "shop.example.cn", "--host", "www.shop.example.cn", "--license", "沪ICP备05012345号-3")
    return httpd


def use(register, server, *more):
    register.icpadmin("policy", "set", "mail=smtp", f"mail-server={server.url}", SENDER, "provider=示例云", "contact=021-12345678",
                      "message-timeout=2", *more)


def suspend(register, site="shop.example.cn"):
    register.icpadmin("suspend", site, "--reason", "missing")


def waiting(register, *arguments):
    return json.loads(register.icpadmin("outbox", "list", "--json", *arguments).out)


def add_holders(register, count):
    """Sites that each have a holder of their own; returns their names."""
    names = [f"s{i}.example.cn" for i in range(count)]
    numbers = [f"沪ICP备19{i + 123456}号" for i in range(count)]
    licenses, sites = register.root / "licenses.csv", register.root / "sites.csv"
    licenses.write_text("number,holder\n" + "".join(f"{number},holder {i}\n" for i, number in enumerate(numbers)))
    sites.write_text("name,hosts,license\n" + "".join(f"{name},{name},{number}\n" for name, number in zip(names, numbers)))
    register.icpadmin("license", "import", licenses)
    register.icpadmin("site", "import", sites)
    with sqlite3.connect(register.register) as connection:
        connection.execute("ATTACH ? AS private", [str(register.state / "private.db")])
        connection.execute("INSERT INTO private.contact (holder_id, email) SELECT id, 'owner' || substr(name, 8) || '@shop.example.cn' "
                           "FROM holder WHERE name LIKE 'holder %'")
    connection.close()
    return names


def suspend_many(register, names):
    register.icpadmin("suspend", "-", "--reason", "missing", "--yes", stdin="\n".join(names))


def sql(register, statement, *values):
    with sqlite3.connect(register.state / "private.db") as connection:
        connection.execute(statement, values)
    connection.close()


def content(mail):
    """The text as a reader sees it."""
    return mail.get_content().replace("\r\n", "\n")


def make_due(register):
    """The back-off is over."""
    sql(register, "UPDATE outbox SET next_at = next_at - 7200")


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
    register.icpadmin("holder", "edit", "上海示例商贸有限公司", "--email", address)
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


# --- the server -------------------------------------------------------------------------------------------------------


def test_server_that_is_down_loses_nothing(register):
    names = add_holders(register, 3)
    server = MailServer()
    use(register, server)
    suspend_many(register, names)
    result = register.icpadmin("outbox", "send", code=1)
    assert result.out == "0 sent, 1 failed, 0 of them given up\n" and "no other mail is tried in this run" in result.err
    rows = waiting(register)
    assert [row["attempts"] for row in rows] == [1, 0, 0] and "on connecting" in rows[0]["fault"]
    assert rows[0]["next_at"] >= rows[0]["posted_at"] + 60
    assert json.loads(register.icpadmin("queue", "--json").out) == [] or "message" not in register.icpadmin("queue", "--json").out
    make_due(register)
    with server:
        register.icpadmin("outbox", "send")
    assert len(server.mails) == 3 and waiting(register) == []


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_refusal_for_good_is_given_up_at_once_and_the_others_leave(register, where):
    names = add_holders(register, 3)
    with MailServer() as server:
        getattr(server, where)["owner1@shop.example.cn"] = "550 5.1.1 No such user here"
        use(register, server)
        suspend_many(register, names)
        register.icpadmin("outbox", "send", code=1)
        assert len(server.mails) == 2
        (row,) = waiting(register)
        assert row["state"] == "given-up" and row["recipient"] == "owner1@shop.example.cn"
        assert ("at RCPT TO" if where == "rcpt" else "after the text") in row["fault"] and "550 5.1.1 No such user here" in row["fault"]
        item = next(item for item in json.loads(register.icpadmin("queue", "--json").out) if item["kind"] == "message")
        assert item["command"] == f"icpadmin outbox retry {row['id']}" and "was given up" in item["why"]
        register.icpadmin("outbox", "drop", row["id"], "--note", "told by phone")
        assert not any(item["kind"] == "message" for item in json.loads(register.icpadmin("queue", "--json").out))
        assert "told by phone" in register.icpadmin("log").out
        server.rcpt.clear()
        server.data.clear()
        register.icpadmin("outbox", "retry", row["id"])
        register.icpadmin("outbox", "send")
        assert len(server.mails) == 3
        assert "was sent" in register.icpadmin("outbox", "retry", row["id"], code=1).err
        assert "was sent" in register.icpadmin("outbox", "drop", row["id"], "--note", "x", code=1).err


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_refusal_for_now_is_tried_again_ever_later_until_it_is_given_up(register, where):
    with MailServer() as server:
        getattr(server, where)["*"] = "451 4.7.1 Greylisted, try again"
        use(register, server, "message-hours=1")
        suspend(register)
        waits = []
        for _ in range(8):
            register.icpadmin("outbox", "send", code=1)
            (row,) = waiting(register)
            waits.append(row["next_at"] - int(time.time()))
            make_due(register)
        assert [round(wait / 60) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]
        sql(register, "UPDATE outbox SET state_at = state_at - 3601")
        assert register.icpadmin("outbox", "send", code=1).out == "0 sent, 1 failed, 1 of them given up\n"
        (row,) = waiting(register)
        assert row["state"] == "given-up" and "451 4.7.1 Greylisted" in row["fault"] and row["attempts"] == 9


def test_refused_sender_is_no_message_s_fault(register):
    names = add_holders(register, 2)
    with MailServer() as server:
        server.mail_from = "550 5.7.1 Sender not allowed"
        use(register, server)
        suspend_many(register, names)
        result = register.icpadmin("outbox", "send", code=1)
        assert "at MAIL FROM: 550 5.7.1 Sender not allowed" in result.err
        assert [(row["state"], row["attempts"]) for row in waiting(register)] == [("waiting", 1), ("waiting", 0)]


def test_hanging_server_costs_one_time_limit_and_not_one_for_each(register):
    names = add_holders(register, 5)
    for server in (DumbServer(), DumbServer("220 hello", "250 hello", "250 sender", "250 recipient")):
        with server:
            use(register, server)
            if not waiting(register):
                suspend_many(register, names)
            make_due(register)
            result = register.icpadmin("outbox", "send", code=1)
            assert result.out == "0 sent, 1 failed, 0 of them given up\n" and server.connections == 1
    assert [row["attempts"] for row in waiting(register)] == [1, 1, 0, 0, 0]  # the one that failed goes to the end of the line


def test_connection_that_breaks_in_the_text_is_tried_again(register):
    names = add_holders(register, 3)
    with MailServer() as server:
        server.drop_in_data.add("owner0@shop.example.cn")
        use(register, server)
        suspend_many(register, names)
        register.icpadmin("outbox", "send", code=1)
        assert len(server.mails) == 2
        server.drop_in_data.clear()
        make_due(register)
        register.icpadmin("outbox", "send")
        assert len(server.mails) == 3


def test_server_that_ends_the_connection_between_mails_gets_a_new_one(register):
    names = add_holders(register, 2)
    with DumbServer("220 x", "250 x", "250 x", "250 x", "354 x", close=True) as server:
        use(register, server)
        suspend_many(register, names)
        register.icpadmin("outbox", "send", code=1)
        assert all(row["state"] == "waiting" for row in waiting(register))


def test_stalled_mail_is_in_the_queue(register):
    use(register, MailServer())
    suspend(register)
    sql(register, "UPDATE outbox SET posted_at = posted_at - 3700")
    queue = register.icpadmin("queue").out
    assert "nor was it tried: is icp-outbox.timer enabled?" in queue
    register.icpadmin("outbox", "send", code=1)
    queue = register.icpadmin("queue").out
    assert "nothing leaves: smtp://127.0.0.1" in queue and "icpadmin outbox send" in queue


# --- TLS and passwords ------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    pem = tmp_path / "mail.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", pem],
                   check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "key.pem").read_text())
    return pem


def netrc(tmp_path, password="geheim mit 空格"):
    path = tmp_path / "netrc"
    path.write_text(f'machine 127.0.0.1 login mailer password "{password}"\n')
    path.chmod(0o600)
    return path


def test_starttls_is_used_where_it_is_offered(register, certificate):
    with MailServer(certificate) as server:
        use(register, server)
        assert "250 2.0.0 taken as M1" in register.icpadmin("outbox", "test", "me@example.cn").out
        assert server.mails[0].tls
        register.icpadmin("policy", "set", "mail-tls=never")
        register.icpadmin("outbox", "test", "me@example.cn")
        assert not server.mails[1].tls
        register.icpadmin("policy", "set", "mail-tls=require")
        assert "certificate" in register.icpadmin("outbox", "test", "me@example.cn", code=1).err
        register.icpadmin("policy", "set", f"mail-ca={certificate}")
        register.icpadmin("outbox", "test", "me@example.cn")
        assert server.mails[2].tls


def test_required_tls_that_is_not_offered_is_a_fault(register):
    with MailServer() as server:
        use(register, server, "mail-tls=require")
        result = register.icpadmin("outbox", "test", "me@example.cn", code=1)
        assert "STARTTLS" in result.err and not server.mails


def test_password_goes_over_tls_alone(register, certificate, tmp_path):
    secret = netrc(tmp_path)
    with MailServer(certificate, password="geheim mit 空格") as server:
        use(register, server, f"mail-netrc={secret}", f"mail-ca={certificate}")
        register.icpadmin("outbox", "test", "me@example.cn")
        assert server.logins == [("mailer", "geheim mit 空格", True)] and server.mails[0].tls
        register.icpadmin("policy", "set", "mail-ca")
        assert "certificate" in register.icpadmin("outbox", "test", "me@example.cn", code=1).err
        register.icpadmin("policy", "set", f"mail-ca={certificate}")
        netrc(tmp_path, "wrong")
        result = register.icpadmin("outbox", "test", "me@example.cn", code=1)
        assert "at AUTH: 535" in result.err and "wrong" not in result.err + result.out
    with MailServer() as server:  # offers no TLS
        use(register, server)
        register.icpadmin("outbox", "test", "me@example.cn", code=1)
        assert not server.logins


def test_smtps(register, certificate, tmp_path):
    with MailServer(certificate, password="geheim mit 空格", implicit=True) as server:
        use(register, server, f"mail-netrc={netrc(tmp_path)}", f"mail-ca={certificate}")
        register.icpadmin("outbox", "test", "me@example.cn")
        assert len(server.logins) == 1 and len(server.mails) == 1


def test_password_that_others_can_read_is_not_used(register, tmp_path):
    secret = netrc(tmp_path)
    secret.chmod(0o640)
    with MailServer() as server:
        use(register, server, f"mail-netrc={secret}")
        result = register.icpadmin("outbox", "test", "me@example.cn", code=4)
        assert "others may read or change" in result.err and f"chmod 600 {secret}" in result.err
        suspend(register)
        assert "others may read" in register.icpadmin("outbox", "send", code=1).err
        assert waiting(register)[0]["state"] == "waiting"


# --- commands ---------------------------------------------------------------------------------------------------------


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_sendmail_command_reads_the_mail(register, tmp_path):
    sendmail = script(tmp_path / "sendmail", 'printf "%s\\n" "$@" > "$0.args"; env > "$0.env"; cat > "$0.mail"; pwd > "$0.pwd"\n')
    register.icpadmin("policy", "set", "mail=command", f"mail-command={sendmail} -oi  -t", SENDER)
    suspend(register)
    register.icpadmin("outbox", "send", code=0, SECRET="not to be handed down")
    raw = (tmp_path / "sendmail.mail").read_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert b"\r" not in raw and mail["To"] == "owner@shop.example.cn" and "网站首页没有显示 ICP 备案号" in content(mail)
    assert (tmp_path / "sendmail.args").read_text() == "-oi\n-t\n" and (tmp_path / "sendmail.pwd").read_text() == "/\n"
    assert "SECRET" not in (tmp_path / "sendmail.env").read_text()


@pytest.mark.parametrize("text, said, tried", [
    ("echo 'queue full\nsorry' >&2; exit 75", "exited with 75: queue full sorry", 3),
    ("exit 3", "exited with 3", 3),
    ("kill -9 $$", "was ended by signal 9", 3),
    ("exec <&-; exit 1", "exited with 1", 3),
    ("yes bad 2>&1 | head -c 100000 >&2; exit 1", "exited with 1: ", 3),
    ("sleep 600 & sleep 600", "was still running after 2 s", 1),
    ("trap '' TERM; while :; do sleep 1; done", "was still running after 2 s", 1),
])
def test_command_that_fails(register, tmp_path, text, said, tried):
    names = add_holders(register, 3)
    register.icpadmin("policy", "set", "mail=command", f"mail-command={script(tmp_path / 'sendmail', text)}", SENDER, "message-timeout=2")
    suspend_many(register, names)
    result = register.icpadmin("outbox", "send", code=1)
    assert said in result.err and result.out == f"0 sent, {tried} failed, 0 of them given up\n"
    assert all(row["state"] == "waiting" for row in waiting(register))


def test_command_that_went_away_stops_the_run(register, tmp_path):
    names = add_holders(register, 2)
    sendmail = script(tmp_path / "sendmail", "cat > /dev/null")
    register.icpadmin("policy", "set", "mail=command", f"mail-command={sendmail}", SENDER)
    suspend_many(register, names)
    sendmail.unlink()
    result = register.icpadmin("outbox", "send", code=1)
    assert "cannot be run: No such file" in result.err and "see that it is there" in result.err
    assert [row["attempts"] for row in waiting(register)] == [0, 0]


def test_event_command_gets_event_subject_and_facts(register, tmp_path):
    event = script(tmp_path / "event", 'printf "%s\\n" "$#" "$@" >> "$0.log"; cat >> "$0.facts"\n')
    register.icpadmin("policy", "set", f"on-event={event} --queue icp")
    hostile = "x--help;$(id)`id`'q\"|&"
    register.icpadmin("site", "add", "--host", "bad.example.cn", "--license", "沪ICP备05012345号-9", "--", hostile)
    register.icpadmin("suspend", "--reason", "order", "--", hostile)
    register.icpadmin("outbox", "send")
    assert (tmp_path / "event.log").read_text() == f"4\n--queue\nicp\nsite.suspended\n{hostile}\n"
    assert json.loads((tmp_path / "event.facts").read_text())["reason"] == "order"
    (row,) = waiting(register, "--all")
    assert row["way"] == "event" and row["state"] == "sent" and row["recipient"] == ""


def test_hanging_event_command_does_not_keep_mail_back(register, tmp_path):
    names = add_holders(register, 3)
    with MailServer() as server:
        use(register, server, f"on-event={script(tmp_path / 'event', 'sleep 600')}")
        suspend_many(register, names)
        register.icpadmin("outbox", "send", code=1)
        assert len(server.mails) == 3
    rows = waiting(register)
    assert len(rows) == 3 and sorted(row["attempts"] for row in rows) == [0, 0, 1]


def test_event_test_calls_the_command(register, tmp_path):
    assert "there is no event command" in register.icpadmin("outbox", "test", code=1).err
    event = script(tmp_path / "event", 'echo "$@" > "$0.log"')
    register.icpadmin("policy", "set", f"on-event={event}")
    assert "exited with 0" in register.icpadmin("outbox", "test").out
    assert (tmp_path / "event.log").read_text() == "outbox.test test\n"


# --- at least once ----------------------------------------------------------------------------------------------------


def test_nothing_is_lost_when_the_sender_is_killed(register):
    names = add_holders(register, 40)
    with MailServer() as server:
        use(register, server)
        suspend_many(register, names)
        environment = {**register.environment, "ICP_REGISTER": str(register.register)}
        environment.pop("LD_PRELOAD", None)
        for delay in (0.005, 0.02, 0.04, 0.06, 0.08, 0.1):
            with subprocess.Popen([str(BUILD / "icpadmin"), "outbox", "send"], env=environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as sender:
                time.sleep(delay)
                sender.kill()
        register.icpadmin("outbox", "send", code=None)
        make_due(register)
        register.icpadmin("outbox", "send")
        assert waiting(register) == []
        arrived = [mail["To"] for mail in server.mails]
        assert set(arrived) == {f"owner{i}@shop.example.cn" for i in range(40)}
        ids = {}
        for mail in server.mails:  # a duplicate can be told by its Message-ID
            ids.setdefault(mail["To"], set()).add(mail["Message-ID"])
        assert all(len(known) == 1 for known in ids.values())


def test_sender_that_is_asked_to_stop_sends_nothing_twice(register, tmp_path):
    names = add_holders(register, 10)
    sendmail = script(tmp_path / "sendmail", 'grep ^To: >> "$0.log"; sleep 0.2')
    register.icpadmin("policy", "set", "mail=command", f"mail-command={sendmail}", SENDER)
    suspend_many(register, names)
    environment = {**register.environment, "ICP_REGISTER": str(register.register)}
    environment.pop("LD_PRELOAD", None)
    with subprocess.Popen([str(BUILD / "icpadmin"), "outbox", "send"], env=environment, stdout=subprocess.DEVNULL) as sender:
        register_log = tmp_path / "sendmail.log"
        while not register_log.exists():
            time.sleep(0.02)
        other = register.icpadmin("outbox", "send", code=1)
        assert "another icpadmin outbox send is at it" in other.err
        sender.send_signal(signal.SIGTERM)
    assert sender.returncode == 0
    assert 0 < len(waiting(register)) < 10
    register.icpadmin("outbox", "send")
    assert len(register_log.read_text().splitlines()) == 10


# --- policies and templates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting, said", [
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


# --- the commands -----------------------------------------------------------------------------------------------------


def test_nothing_is_posted_where_nothing_can_leave(register):
    suspend(register)
    assert waiting(register, "--all") == []
    assert register.icpadmin("outbox", "send").err == "nothing is due\n"
    assert "mail is off" in register.icpadmin("outbox", "test", "me@example.cn", code=1).err


def test_mail_that_waits_while_mail_is_off_stays(register):
    with MailServer() as server:
        use(register, server)
        suspend(register)
        register.icpadmin("policy", "set", "mail=off")
        assert "mail is off" in register.icpadmin("outbox", "send", code=1).err
        assert waiting(register)[0]["attempts"] == 0
        register.icpadmin("policy", "set", "mail=smtp")
        register.icpadmin("outbox", "send")
        assert len(server.mails) == 1


def test_dry_run_sends_nothing(register):
    with MailServer() as server:
        use(register, server)
        suspend(register)
        result = register.icpadmin("outbox", "send", "--dry-run")
        assert "message 1: mail site.suspended about shop.example.cn owner@shop.example.cn\n1 would be sent\n" == result.out
        assert not server.mails and waiting(register)[0]["attempts"] == 0
        assert json.loads(register.icpadmin("outbox", "send", "--json").out) == {"sent": 1, "failed": 0, "given_up": 0, "waiting": 0}


@pytest.mark.parametrize("arguments, code, said", [
    ("outbox show 7", 3, "there is no message 7"), ("outbox show x", 2, "is no message's number"), ("outbox retry 0", 2, "is no message's number"),
    ("outbox retry 1 9", 3, "there is no message 9"), ("outbox drop 1", 2, "needs --note"), ("outbox retry 1 2 --to a@b.cn", 2, "--to is for one"),
    ("outbox retry 1 --to nobody", 2, "there is no @"), ("outbox prune --days x", 2, "--days takes a number"),
])
def test_bad_input(register, arguments, code, said):
    register.icpadmin("policy", "set", "mail=smtp", SENDER)
    suspend(register)
    assert said in register.icpadmin(*shlex.split(arguments), code=code).err
    assert waiting(register)[0]["state"] == "waiting"


def test_prune_removes_what_was_sent_long_ago_and_nothing_else(register):
    names = add_holders(register, 3)
    with MailServer() as server:
        use(register, server)
        server.rcpt["owner1@shop.example.cn"] = "550 no"
        server.rcpt["owner2@shop.example.cn"] = "450 later"
        suspend_many(register, names)
        register.icpadmin("outbox", "send", code=1)
    assert register.icpadmin("outbox", "prune").out == "0 messages removed\n"
    sql(register, "UPDATE outbox SET state_at = 1")
    assert register.icpadmin("outbox", "prune", "--dry-run").out == "1 message removed\n"
    assert register.icpadmin("outbox", "prune").out == "1 message removed\n"
    assert [row["state"] for row in waiting(register, "--all")] == ["given-up", "waiting"]
