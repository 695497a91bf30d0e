"""The whole enforcement cycle over five hundred virtual hosts (town.py), a real SMTP server and a browser: sweeps, warnings,
suspensions, an owner who repairs his page by a pass, the way back, the record of it all. Once in peace, and once with icpadmin,
httpd and the mail server killed at random points of it; a seed that failed is printed."""
import json
import mailbox
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time

import pytest

import town
from browser import Browser
from env import BUILD, SAN, free_port, this_month

pytestmark = pytest.mark.skipif(bool(SAN), reason="minutes under a sanitizer; its parts are tested there one by one")

CMS = town.site_of(0)  # its owner has a content management system to log in to
LATE = [town.site_of(8), town.site_of(9)]  # right until the second sweep
QUICK = town.site_of(2)  # repaired when the warning came
ATTESTED = town.site_of(1)
REPAIRED = [town.site_of(position) for position in (3, 5, 6)]

CMS_SCRIPT = """#!/usr/bin/python3
import os, sys, urllib.parse
typed = urllib.parse.parse_qs(sys.stdin.read(int(os.environ.get("CONTENT_LENGTH") or 0)))
open("{root}/cms.log", "a").write(os.environ.get("HTTP_COOKIE", "") + "|" + os.environ["REQUEST_URI"] + "\\n")
print("Content-Type: text/html; charset=utf-8")
known = "session=open" in os.environ.get("HTTP_COOKIE", "")
if typed.get("password") == ["secret"]:
    print("Set-Cookie: session=open; Path=/admin; HttpOnly")
    known = True
print()
if known and "footer" in typed:
    page = open("{docroot}/index.html", encoding="utf-8").read()
    open("{docroot}/index.html", "w", encoding="utf-8").write(page.replace("</footer>", typed["footer"][0] + "</footer>"))
    print("<p id=done>saved</p>")
elif known:
    print('<form method="post" action="/admin"><input name="footer"></form>')
else:
    print('<form method="post" action="/admin"><input name="password" type="password"></form>')
"""


class Post:
    """aiosmtpd as a process of its own that keeps its mail in a Maildir, so that it can be killed."""

    def __init__(self, folder):
        self.folder, self.port, self._process = folder / "mail", free_port(), None
        self.start()

    def start(self):
        self._process = subprocess.Popen([sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}", "-c",
                                          "aiosmtpd.handlers.Mailbox", str(self.folder)], stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the mail server does not start")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def mails(self):
        """Message-ID → recipient."""
        return {mail["Message-ID"]: mail["X-RcptTo"] for mail in mailbox.Maildir(self.folder, create=False)}


class Peace:
    """Lets everything come to its end."""

    def __init__(self, httpd, post):
        self.httpd, self.post = httpd, post

    def run(self, *arguments):
        return self.httpd.icpadmin(*arguments, code=None)


class Chaos(Peace):
    """Kills each command once or twice before it may end, and now and then a server under it."""

    def __init__(self, httpd, post, seed):
        super().__init__(httpd, post)
        self.random = random.Random(seed)

    def run(self, *arguments):
        for _ in range(self.random.randint(1, 2)):
            environment = {**os.environ, "ICP_REGISTER": str(self.httpd.register), "ICP_CONNECT": f"http=127.0.0.1:{self.httpd.port}"}
            process = subprocess.Popen([str(BUILD / "icpadmin"), *arguments], env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.random.choice((0.01, 0.05, 0.2, 0.6)) * self.random.random() * 2)
            victim = self.random.choice(("icpadmin", "icpadmin", "httpd", "post"))
            if victim == "httpd":
                self.httpd.kill()
                self.httpd.restart()
            elif victim == "post":
                self.post.kill()
                time.sleep(self.random.random() / 4)
                self.post.start()
            process.kill()
            process.wait()
        return super().run(*arguments)


def query(httpd, sql, *values):
    with sqlite3.connect(f"file:{httpd.register}?mode=ro", uri=True) as database:
        database.execute("ATTACH ? AS private", (f"file:{httpd.state}/private.db?mode=ro",))
        rows = database.execute(sql, values).fetchall()
    database.close()
    return rows


def suspended(httpd):
    return {row[0] for row in query(httpd, "SELECT name FROM site JOIN suspension ON site_id = site.id WHERE closed_at IS NULL")}


def posted(httpd, event):
    return sorted(row[0] for row in query(httpd, "SELECT recipient FROM private.outbox WHERE way = 'mail' AND event = ?", event))


def names(numbers):
    return {town.name(n) for n in numbers}


def addresses(numbers):
    return sorted(town.address(n) for n in numbers)


def repair(httpd, n):
    httpd.write(town.name(n), {"index.html": town.good(n)})


def until_settled(httpd, way, arguments, settled):
    """A command that was killed and said again may find its work done."""
    for _ in range(5):
        result = way.run(*arguments)
        if settled():
            return result
    raise AssertionError(f"{arguments}: {result}")


def repair_by_pass(httpd, browser_type=Browser):
    """The owner opens the link, logs in to the CMS and adds the number; another visitor sees the notice all the while."""
    host = town.name(CMS)
    link = json.loads(httpd.icpadmin("pass", host, "--for", "2h", "--url", "/admin", "--json").out)[0]["link"]

    def submit(page, field, value):
        page.evaluate(f"document.querySelector('[name={field}]').value = {json.dumps(value)}; document.forms[0].submit()")

    def wait_for(page, selector):
        for _ in range(200):
            try:
                if page.evaluate(f"document.readyState == 'complete' && document.querySelector({json.dumps(selector)}) != null"):
                    return
            except AssertionError:
                pass  # between two pages
            time.sleep(0.05)
        raise AssertionError(f"no {selector}: {page.evaluate('document.body.innerText')}")

    with browser_type(names={host: httpd.port}) as owner, browser_type(names={host: httpd.port}) as stranger:
        page = owner.open(link)
        assert "icp-pass" not in page.evaluate("location.href")
        wait_for(page, "[name=password]")
        assert stranger.open(f"http://{host}/admin").evaluate("document.querySelector('[name=password]') == null")
        submit(page, "password", "secret")
        wait_for(page, "[name=footer]")
        submit(page, "footer", town.link(town.number(CMS) + "-1"))
        wait_for(page, "#done")
        assert "小店" in owner.open(f"http://{host}/").evaluate("document.body.innerText")
        assert "小店" not in stranger.open(f"http://{host}/").evaluate("document.body.innerText")
    assert "icp-pass" not in (httpd.docroot(host) / "cms.log").read_text()


@pytest.fixture
def post(tmp_path):
    server = Post(tmp_path)
    yield server
    server.kill()


def start(httpd, post, tmp_path):
    root = httpd.docroot(town.name(CMS))
    httpd.load("alias", "proxy", "proxy_http", "filter", "deflate", "cgid")
    httpd.config("ScriptSock cgisock\nProxyTimeout 5")
    httpd.allow_log("AH10159:|AH00098:|AH01114:|AH00957:|AH00959:|AH00045:|AH01230:|AH01238:|AH01239:|AH01241:|AH01244:")
    cms = f'ScriptAlias "/admin" "{root}/cms/admin.py"\n<Directory "{root}/cms">\nOptions +ExecCGI\n</Directory>'
    town.build(httpd, unbroken=LATE, extra={CMS: cms})
    script = root / "cms/admin.py"
    script.parent.mkdir()
    script.write_text(CMS_SCRIPT.format(root=root, docroot=root))
    script.chmod(0o755)
    root.chmod(0o777)
    (root / "index.html").chmod(0o666)
    events = tmp_path / "events"
    command = tmp_path / "on-event"
    command.write_text(f'#!/bin/sh\necho "$1 $2" >> {events}\n')
    command.chmod(0o755)
    httpd.icpadmin("policy", "set", "checks=2", "hours=0", "mail=smtp", f"mail-server=smtp://127.0.0.1:{post.port}",
                   "mail-from=Example Hosting <support@example.com>", f"on-event={command}", "provider=示例主机")
    httpd.start()
    return events


def run_cycle(httpd, way, post, events):
    def sweep():
        return way.run("check", "--all", "--enforce", "--yes")

    # The first sweep finds ten, and warns.
    result = sweep()
    assert result.code == 1, result
    early = set(town.FAILING_SITES) - set(LATE)
    assert posted(httpd, "site.warned") == addresses(early)
    repair(httpd, QUICK)

    # The second turns off those who did nothing, and warns two more.
    for n in LATE:
        httpd.write(town.name(n), town.BROKEN[town.BROKEN_SITES.index(n)][1](n))
    sweep()
    if type(way) is Peace:
        assert suspended(httpd) == names(early - {QUICK})
    assert posted(httpd, "site.warned") == addresses(town.FAILING_SITES)

    # The third those two; a look that got no page counts for nothing, so where httpd was killed it takes a few more.
    until_settled(httpd, way, ("check", "--all", "--enforce", "--yes"), lambda: names(LATE) <= suspended(httpd))
    until_settled(httpd, way, ("check", "--all", "--enforce", "--yes"),
                  lambda: names(town.FAILING_SITES) - names([QUICK]) <= suspended(httpd))
    off = suspended(httpd)
    assert off <= names(town.FAILING_SITES)
    if type(way) is Peace:
        assert off == names(town.FAILING_SITES) - names([QUICK])
    for n in range(town.SITES):
        assert (httpd.get(f"http://{town.name(n)}/").status == 451) == (town.name(n) in off)

    # The way back: by a pass, by a repaired page, by a person who sees the number; and none for a page that is still wrong.
    repair_by_pass(httpd)
    for n in REPAIRED:
        repair(httpd, n)
    back = names([CMS, *REPAIRED]) | (off & names([QUICK]))
    for host in sorted(back):
        until_settled(httpd, way, ("enable", host), lambda host=host: host not in suspended(httpd))
        assert httpd.get(f"http://{host}/").status == 200
    attest = ("enable", town.name(ATTESTED), "--attest", town.number(ATTESTED) + "-1", "--note", "in the footer image")
    until_settled(httpd, way, attest, lambda: town.name(ATTESTED) not in suspended(httpd))
    wrong = town.name(town.site_of(7))
    assert httpd.icpadmin("enable", wrong, code=1).err and wrong in suspended(httpd)

    # One more sweep changes nothing.
    sweep()
    still = names(town.FAILING_SITES) - back - names([ATTESTED, QUICK])
    assert suspended(httpd) == still

    # Everything that was posted arrives, each message as one, though perhaps twice.
    way.run("outbox", "send")
    send_waiting(httpd)
    assert not query(httpd, "SELECT * FROM private.outbox WHERE state <> 'sent'")
    rows = query(httpd, "SELECT recipient FROM private.outbox WHERE way = 'mail'")
    assert sorted(post.mails().values()) == sorted(row[0] for row in rows)
    opened, closed = query(httpd, "SELECT count(*), count(closed_at) FROM suspension")[0]
    assert len(posted(httpd, "site.suspended")) == opened and len(posted(httpd, "site.enabled")) == closed
    told = set(events.read_text().splitlines())
    assert told >= {f"site.suspended {host}" for host in off} | {f"site.enabled {host}" for host in back}

    # The record.
    for site, at in query(httpd, "SELECT site.name, opened_at FROM suspension JOIN site ON site.id = site_id"):
        looks = query(httpd, "SELECT sum(looks) FROM inspection JOIN site ON site.id = site_id "
                             "WHERE name = ? AND verdict IN ('missing', 'incorrect', 'invalid') AND first_at <= ?", site, at)
        assert looks[0][0] >= 2, site
        assert query(httpd, "SELECT 1 FROM private.evidence WHERE site = ?", site)
    never = names(range(town.SITES)) - names(town.FAILING_SITES)
    assert not never & {row[0] for row in query(httpd, "SELECT subject FROM private.event WHERE action = 'site.suspend'")}
    assert "the chain is whole" in httpd.icpadmin("log", "--verify").out
    httpd.list_holidays()
    httpd.icpadmin("doctor")
    month = this_month()
    report = httpd.icpadmin("report", "--month", month).out
    assert all(host in report for host in off | back)
    queue = {item["subject"] for item in json.loads(httpd.icpadmin("queue", "--json").out)}
    assert queue >= names(town.BROKEN_SITES[len(town.FAILING):])


def send_waiting(httpd):
    """What a killed server left to a later attempt is due now."""
    with sqlite3.connect(httpd.state / "private.db") as database:
        database.execute("UPDATE outbox SET next_at = 0 WHERE state = 'waiting'")
    database.close()
    httpd.icpadmin("outbox", "send", code=None)


def test_the_cycle(make_httpd, post, tmp_path):
    httpd = make_httpd(threads=32)
    events = start(httpd, post, tmp_path)
    run_cycle(httpd, Peace(httpd, post), post, events)


def test_the_cycle_while_everything_is_killed_now_and_then(make_httpd, post, tmp_path):
    seed = int(os.environ.get("ICP_SEED") or random.randrange(10**6))
    print(f"ICP_SEED={seed}")
    httpd = make_httpd(threads=32)
    httpd.allow_log("")  # what httpd says of its own end and of connections cut; a crash is still one
    events = start(httpd, post, tmp_path)
    run_cycle(httpd, Chaos(httpd, post, seed), post, events)
