"""The clock is set while the product runs: nothing hangs, nothing is lost, and the state in force is the register's."""
import threading

import pytest

from applicant import CONFIG, DOCUMENTS, FIRST, Visitor, handed_in
from clock import Clock
from env import NUMBER, SAN
from mailserver import MailServer
from postbox import script, suspend, use, waiting
from test_inspect import EVERY, seen

pytestmark = pytest.mark.skipif(bool(SAN), reason="only one library can take the place of libc's functions")
HOUR, DAY = 3600, 86400
SITE = "shop.example.cn"
BAD = '<!DOCTYPE html><meta charset="utf-8"><title>小店</title><h1>小店</h1><p>本店出售茶叶。'
GOOD = f"{BAD}<p>{NUMBER}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"


@pytest.fixture
def clocked(httpd):
    httpd.clock = Clock(httpd.root)
    return httpd


@pytest.fixture
def set_later(clocked):
    """set_later(seconds, to): sets the clock while something else goes on."""
    timers = []

    def set_later(seconds, to):
        timers.append(threading.Timer(seconds, clocked.clock.set, (to,)))
        timers[-1].start()
    yield set_later
    for timer in timers:
        timer.join()


# --- icpadmin: what takes time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [-HOUR, HOUR])
def test_a_sweep_ends_its_waits(clocked, serve, set_later, to):
    """A server that says nothing is given up in time, and one that was busy is asked again."""
    clocked.register_sites(["silent.example.cn", "busy.example.cn", SITE])
    busy = b"HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + BAD.encode()
    server = serve(lambda host, count: 30 if host[:6] == "silent" else busy if host[:4] == "busy" and count == 1 else HEAD + GOOD.encode())
    set_later(0.4, to)
    result = clocked.icpadmin("check", "--all", "--timeout", "2", "--retries", "1", code=1, ICP_CONNECT=f"http=127.0.0.1:{server.port}")
    assert [line.split()[:2] for line in result.out.splitlines()[1:]] == [
        ["busy.example.cn", "displayed"], [SITE, "displayed"], ["silent.example.cn", "unreadable"]]


@pytest.mark.parametrize("to", [-HOUR, HOUR])
def test_a_command_has_its_time(clocked, set_later, to):
    clocked.register_site(SITE)
    event = script(clocked.root / "event", "sleep 1.5; echo done > \"$0.done\"")
    clocked.icpadmin("policy", "set", f"on-event={event}", "message-timeout=20")
    suspend(clocked)
    set_later(0.5, to)
    clocked.icpadmin("outbox", "send")
    assert waiting(clocked) == [] and (clocked.root / "event.done").exists()


@pytest.mark.parametrize("ahead", [400 * DAY, 2 * HOUR])
def test_what_was_posted_by_a_clock_ahead_is_sent(register, ahead):
    register.clock = Clock(register.root)
    with MailServer() as server:
        use(register, server)
        register.clock.set(ahead)
        suspend(register)
        register.clock.set(0)
        register.icpadmin("outbox", "send")
        assert len(server.mails) == 1 and waiting(register) == []


# --- httpd ------------------------------------------------------------------------------------------------------------


def test_the_gate_follows_the_register(clocked):
    clocked.load("authz_host", "authz_core")
    clocked.config("<Location /icp-status>\nSetHandler icp-status\nRequire ip 127.0.0.1\n</Location>")
    clocked.site(SITE, {"index.html": GOOD})
    clocked.start()
    for to in (DAY, -DAY, 800 * DAY, -800 * DAY, 0):
        clocked.clock.set(to)
        suspend(clocked)
        assert clocked.get(f"http://{SITE}/").status == 451
        clocked.icpadmin("enable", SITE)  # the checker's pass is good too
        assert clocked.get(f"http://{SITE}/").status == 200
        assert '"fault": null' in clocked.get("http://localhost/icp-status?json").text
    clocked.icpadmin("log", "--verify")
    clocked.list_holidays()
    clocked.icpadmin("doctor")


def test_a_pass_ends_by_the_clock(clocked):
    clocked.site(SITE, {"index.html": BAD})
    clocked.start()
    suspend(clocked)
    cookie = {"Cookie": f"icp-pass={clocked.pass_for(SITE, '1h')}"}
    assert clocked.get(f"http://{SITE}/", cookie).status == 200
    clocked.clock.set(2 * HOUR)
    assert clocked.get(f"http://{SITE}/", cookie).status == 451
    clocked.clock.set(-DAY)  # its bearer loses nothing by a clock that goes back
    assert clocked.get(f"http://{SITE}/", cookie).status == 200


def test_pages_are_still_looked_at(clocked):
    clocked.config(EVERY)
    clocked.site(SITE, {"index.html": GOOD})
    clocked.start()
    for to, page, verdict in ((0, GOOD, "displayed"), (-DAY, BAD, "missing"), (DAY, GOOD, "displayed"), (0, BAD, "missing")):
        clocked.clock.set(to)
        clocked.write(SITE, {"index.html": page})
        clocked.get(f"http://{SITE}/")
        seen(clocked, verdict, SITE)


@pytest.mark.parametrize("to", [-DAY, -HOUR, 30 * DAY])
def test_a_form_that_is_open_is_not_lost(clocked, to):
    """Its ticket is of another time: the visitor is told, keeps what was typed, and sends it again."""
    clocked.init_register()
    clocked.site("apply.example.cn", config=CONFIG)
    clocked.start()
    visitor = Visitor(clocked)
    visitor.get("?kind=first")
    clocked.clock.set(to)
    again = visitor.post(FIRST, DOCUMENTS)
    assert again.status in (400, 403, 422) and again.page.fields["holder.name"] == FIRST["holder.name"]
    assert visitor.post({**FIRST}, DOCUMENTS).status == 303 and len(handed_in(clocked)) == 1
    clocked.clock.set(0)
    clocked.icpadmin("application", "pull")
    assert "received" in clocked.icpadmin("application", "list").out
