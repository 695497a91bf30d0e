"""The outbox: nothing is lost when its sender is killed; and the commands over it."""
import json
import shlex
import signal
import subprocess
import time

import pytest

from env import BUILD
from mailserver import MailServer
from postbox import SENDER, add_holders, make_due, script, sql, suspend, suspend_many, use, waiting


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
