"""Mail on its way out: real SMTP servers on loopback that take it, refuse it, hang and break off; TLS and passwords."""
import json
import subprocess
import time

import pytest

from mailserver import DumbServer, MailServer
from postbox import add_holders, make_due, sql, suspend, suspend_many, use, waiting


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
