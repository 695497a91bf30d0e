"""The sendmail command and the event command: what they are given, and what they may do wrong."""
import email
import email.policy
import json

import pytest

from mailserver import MailServer
from postbox import SENDER, add_holders, content, script, suspend, suspend_many, use, waiting


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
