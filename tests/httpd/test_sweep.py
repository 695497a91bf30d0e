"""Sweeps: what is recorded and gone on with, when the policy suspends, and what stops it."""
import json
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from env import BUILD, NUMBER, this_month
from test_cli_live import BAD, GOOD, OTHER, WRONG, data, page, response
from test_inspect import sightings

AT_ONCE = ("checks=0", "hours=0", "brake-share=100")


def sites(httpd, contents):
    for name, content in contents.items():
        httpd.vhost(f"{name}.example.cn", {"index.html": content})
    httpd.register_sites(f"{name}.example.cn" for name in contents)


def sql(httpd, statement, file="register.db"):
    with sqlite3.connect(httpd.state / file) as register:
        return register.execute(statement).fetchall()


def dump(httpd):
    texts = []
    for file in ("register.db", "private.db"):
        with sqlite3.connect(httpd.state / file) as database:
            texts += database.iterdump()
    return texts


def let_pass(httpd, hours):
    """All that was seen was seen so much earlier."""
    sql(httpd, f"UPDATE streak SET since_at = since_at - {hours * 3600}")


def enforce(httpd, *more, code=1):
    looks = data(httpd, "check", "--all", "--enforce", "--yes", *more, code=code)
    return {look["site"].split(".")[0]: look["policy"]["ruling"] for look in looks}


def suspended(httpd):
    return {site["name"].split(".")[0] for site in data(httpd, "site", "list", "--suspended")}


def reasons(httpd):
    rows = sql(httpd, "SELECT site.name, reason FROM suspension JOIN site ON site.id = site_id WHERE closed_at IS NULL")
    return {name.split(".")[0]: reason for name, reason in rows}


def start(httpd, *arguments, connect=None):
    environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register),
                   "ICP_CONNECT": connect or f"http=127.0.0.1:{httpd.port}"}
    return subprocess.Popen([str(BUILD / "icpadmin"), *arguments], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# --- policy -----------------------------------------------------------------------------------------------------------


def test_a_site_is_suspended_once_it_failed_often_and_long_enough(httpd):
    sites(httpd, {"good": GOOD, "bad": BAD, "late": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=3", "hours=24", "brake-share=100")
    assert enforce(httpd) == {"good": "none", "bad": "wait", "late": "wait"}
    let_pass(httpd, 48)
    assert enforce(httpd)["bad"] == "wait"  # long enough, but only twice
    httpd.write("late.example.cn", {"index.html": GOOD})
    assert enforce(httpd) == {"good": "none", "bad": "suspend", "late": "none"}
    assert suspended(httpd) == {"bad"} and httpd.get("http://bad.example.cn/").status == 451
    note = data(httpd, "log", "--site", "bad.example.cn")[-1]["note"]
    assert note.startswith("sweep 3: missing, 3 failing looks since ")
    httpd.write("late.example.cn", {"index.html": BAD})
    let_pass(httpd, 48)
    assert enforce(httpd) == {"good": "none", "bad": "suspended", "late": "wait"}  # its count began anew


def test_enabling_begins_the_count_anew(httpd):
    sites(httpd, {"shop": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=2", "hours=0")
    enforce(httpd)
    assert enforce(httpd) == {"shop": "suspend"}
    httpd.write("shop.example.cn", {"index.html": GOOD})
    httpd.icpadmin("enable", "shop.example.cn")
    httpd.write("shop.example.cn", {"index.html": BAD})
    assert enforce(httpd) == {"shop": "wait"}


def test_what_is_for_a_person_or_cannot_be_reached_is_never_suspended(httpd, serve):
    names = {"hidden": page(f"<!-- {NUMBER} -->"), "shell": '<div id="app"></div><script src="/a.js"></script>', "gone": BAD}
    sites(httpd, names)
    httpd.icpadmin("policy", "set", *AT_ONCE)
    server = serve(lambda host, count: b"" if host.startswith("gone") else response(names[host.split(".")[0]].encode()))
    for _ in range(2):
        rulings = enforce(httpd, "--retries", "0", "--connect", f"127.0.0.1:{server.port}")
        assert rulings == {"hidden": "person", "shell": "person", "gone": "unreached"}
    assert suspended(httpd) == set()


def test_a_look_without_a_page_neither_counts_nor_ends_the_count(httpd, serve):
    httpd.register_site("shop.example.cn")
    httpd.icpadmin("policy", "set", "checks=2", "hours=0")
    answers = iter([response(BAD.encode()), b"", response(BAD.encode())])
    server = serve(lambda host, count: next(answers))
    connect = ("--retries", "0", "--connect", f"127.0.0.1:{server.port}")
    assert [enforce(httpd, *connect)["shop"] for _ in range(3)] == ["wait", "unreached", "suspend"]


def test_sightings_are_no_ground(httpd):
    httpd.config("ICPInspectInterval 0")
    sites(httpd, {"shop": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", *AT_ONCE)
    httpd.get("http://shop.example.cn/")
    httpd.wait_for(lambda: sightings(httpd), "report it")
    httpd.write("shop.example.cn", {"index.html": GOOD})
    assert enforce(httpd, code=0) == {"shop": "none"} and suspended(httpd) == set()


def test_the_holder_is_warned_once(httpd):
    sites(httpd, {"shop": BAD})
    httpd.icpadmin("policy", "set", "on-event=/bin/true")
    httpd.start()
    for told in ("nobody warned: no mail", "not before", "not before"):
        assert told in httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1).out
    posted = sql(httpd, "SELECT subject, facts FROM outbox WHERE event = 'site.warned'", "private.db")
    assert [subject for subject, _ in posted] == ["shop.example.cn"]
    facts = json.loads(posted[0][1])
    assert (facts["verdict"], facts["expected"], facts["url"]) == ("missing", NUMBER, "http://shop.example.cn/")
    assert facts["deadline"] > facts["since"]
    [event] = [event for event in data(httpd, "log", "--site", "shop.example.cn") if event["action"] == "site.warn"]
    after = event["after"]
    assert (after["verdict"], after["url"], after["mails"]) == ("missing", facts["url"], 0)
    assert after["deadline"] > after["since"] > 1_700_000_000


def test_whom_a_warning_is_mailed_to(httpd):
    """A row for each holder who has an address; the decision is an event whether or not anybody could be told."""
    sites(httpd, {"shop": BAD, "mute": BAD})
    httpd.icpadmin("license", "add", "粤ICP备2021098765号", "--holder", "second")
    for number in ("-2", ""):
        httpd.icpadmin("site", "edit", "shop.example.cn", "--license", f"粤ICP备2021098765号{number}")
    httpd.icpadmin("site", "edit", "mute.example.cn", "--license", "粤ICP备2021098765号-3", "--remove-license", NUMBER)
    httpd.icpadmin("holder", "edit", f"holder of {NUMBER.split('-', maxsplit=1)[0]}", "--email", "one@example.com")
    httpd.icpadmin("policy", "set", "mail=smtp", "mail-from=a@example.com")
    httpd.start()
    table = httpd.icpadmin("check", "--all", code=1)
    httpd.icpadmin("check", "--all", "--fresh", code=1)
    assert "warned" not in table.out  # the policy's column is --enforce's
    rows = sql(httpd, "SELECT way, subject, recipient, state FROM outbox WHERE event = 'site.warned'", "private.db")
    assert rows == [("mail", "shop.example.cn", "one@example.com", "waiting")]
    events = [event for event in data(httpd, "log") if event["action"] == "site.warn"]
    assert {event["subject"]: event["after"]["mails"] for event in events} == {"shop.example.cn": 1, "mute.example.cn": 0}
    report = httpd.icpadmin("report", "--month", this_month()).out
    lines = [line for line in report.splitlines() if line.startswith("warning,")]
    assert len(lines) == 2 and ",no mail," in lines[0] + lines[1] and ",not sent," in lines[0] + lines[1]
    sql(httpd, "UPDATE outbox SET state = 'sent', state_at = posted_at", "private.db")
    assert ",sent," in httpd.icpadmin("report", "--month", this_month()).out
    sql(httpd, "DELETE FROM outbox", "private.db")  # as after message-days
    assert ",mailed," in httpd.icpadmin("report", "--month", this_month()).out


def test_without_warning_there_is_none(httpd):
    sites(httpd, {"shop": BAD})
    httpd.icpadmin("policy", "set", "on-event=/bin/true", *AT_ONCE)
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    assert sql(httpd, "SELECT * FROM outbox WHERE event = 'site.warned'", "private.db") == []


def test_exempt_sites_are_looked_at_and_left(httpd):
    sites(httpd, {"one": BAD, "two": WRONG})
    httpd.start()
    httpd.icpadmin("policy", "set", *AT_ONCE)
    for wrong in (["one.example.cn", "--note", "x"], ["--for", "7d", "--note", "x"], ["one.example.cn", "--for", "7d", "--note", " "],
                  ["one.example.cn", "--for", "7d", "--note", "x", "--verdict", "hidden"],
                  ["one.example.cn", "--until", "2020-01-01", "--note", "x"]):
        httpd.icpadmin("exemption", "add", *wrong, code=2)
    httpd.icpadmin("exemption", "add", "nobody.example.cn", "--for", "7d", "--note", "x", code=3)
    httpd.icpadmin("exemption", "add", "one.example.cn", "--for", "7d", "--note", "moving")
    httpd.icpadmin("exemption", "add", "--all", "--for", "7d", "--verdict", "missing", "--note", "holiday")
    assert enforce(httpd) == {"one": "exempt", "two": "suspend"} and suspended(httpd) == {"two"}
    assert [e["note"] for e in data(httpd, "exemption", "list", "two.example.cn")] == ["holiday"]
    for exemption in data(httpd, "exemption", "list"):
        httpd.icpadmin("exemption", "remove", exemption["exemption"])
    httpd.icpadmin("exemption", "remove", "99", code=3)
    assert enforce(httpd)["one"] == "suspend"


def test_an_attestation_holds(httpd):
    sites(httpd, {"shop": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", *AT_ONCE)
    enforce(httpd)
    httpd.icpadmin("enable", "shop.example.cn", "--attest", NUMBER, "--note", "in the picture at the bottom")
    assert enforce(httpd) == {"shop": "exempt"} and suspended(httpd) == set()
    httpd.write("shop.example.cn", {"index.html": WRONG})
    assert enforce(httpd) == {"shop": "suspend"}


def test_a_dry_run_tells_all_and_changes_nothing(httpd):
    sites(httpd, {"good": GOOD, "bad": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", "on-event=/bin/true", "checks=2", "hours=0")
    enforce(httpd)
    before = dump(httpd)
    result = httpd.icpadmin("check", "--all", "--enforce", "--dry-run", code=1)
    assert "suspend now" in result.out and "nothing was changed" in result.err
    assert dump(httpd) == before
    assert enforce(httpd)["bad"] == "suspend"


# --- the brake --------------------------------------------------------------------------------------------------------


def test_the_brake_stops_before_the_first_and_lets_the_exact_number_pass(httpd):
    sites(httpd, {f"s{n}": BAD if n < 3 else GOOD for n in range(6)})
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=0", "hours=0", "on-event=/bin/true")
    result = httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1)
    assert "nothing is suspended: 3 of 6 sites would be, policy brake-share lets 5% pass" in result.err
    assert {look["policy"]["ruling"]: look["policy"]["case"] for look in data(httpd, "check", "--all", "--enforce", "--yes", code=1)} == {
        "none": None, "suspend": None}  # how a program tells it from sites that merely fail
    assert "3 missing: s0.example.cn, s1.example.cn, s2.example.cn; look at some" in result.err and suspended(httpd) == set()
    assert len(sql(httpd, "SELECT * FROM outbox WHERE event = 'sweep.braked'", "private.db")) == 2
    item = [item for item in data(httpd, "queue") if item["kind"] == "sweep"][0]
    assert item["command"] == "icpadmin check --all --enforce --approve 3"
    wrong = httpd.icpadmin("check", "--all", "--enforce", "--approve", "2", code=1)
    assert "3 of 6" in wrong.err and "not the 2 approved" in wrong.err and suspended(httpd) == set()
    httpd.stop()  # the looks are on file: nothing is fetched
    right = httpd.icpadmin("check", "--all", "--enforce", "--approve", "3", code=1)
    assert "going on with sweep 2" in right.err and suspended(httpd) == {"s0", "s1", "s2"}
    assert [item for item in data(httpd, "queue") if item["kind"] == "sweep"] == []
    httpd.start()


def test_what_was_seen_long_ago_is_looked_at_again_before_it_is_suspended(httpd):
    names = {"bad": BAD, "cured": BAD, "other": BAD, "gone": BAD, "good": GOOD, "ahead": BAD}
    sites(httpd, names)
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=0", "hours=0")
    httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1)
    sql(httpd, "UPDATE sweep SET started_at = started_at - 3600")
    sql(httpd, "UPDATE inspection SET last_at = last_at - 900 WHERE verdict <> 'displayed'")
    sql(httpd, "UPDATE streak SET since_at = since_at - 900")
    httpd.write("cured.example.cn", {"index.html": GOOD})
    httpd.write("other.example.cn", {"index.html": WRONG})
    (httpd.docroot("gone.example.cn") / "index.html").unlink()
    result = httpd.icpadmin("check", "--all", "--enforce", "--approve", "5", code=1)
    assert "looking again at 5 of the 5" in result.err and "2 of the 5 are not suspended" in result.err
    assert reasons(httpd) == {"bad": "missing", "other": "incorrect", "ahead": "missing"}
    rows = {line.split()[0]: line.split()[1] for line in result.out.splitlines()[1:]}
    assert rows["cured.example.cn"] == "displayed" and rows["gone.example.cn"] == "unreadable"
    assert "incorrect, 2 failing looks" in data(httpd, "log", "--site", "other.example.cn")[-1]["note"]


def test_the_brake_by_number(httpd):
    sites(httpd, {"one": BAD, "two": BAD})
    httpd.start()
    httpd.icpadmin("policy", "set", *AT_ONCE, "brake-sites=1")
    assert "policy brake-sites lets 1 pass" in httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1).err
    named = httpd.icpadmin("check", "one.example.cn", "two.example.cn", "--enforce", "--yes", code=1)
    assert "brake-sites" in named.err and suspended(httpd) == set()
    assert "if they are right: icpadmin check one.example.cn two.example.cn --enforce --approve 2" in named.err
    httpd.icpadmin("check", "one.example.cn", "--enforce", code=1)
    assert suspended(httpd) == {"one"}


def test_a_number_put_on_file_since_the_look_is_not_held_against_it(httpd):
    sites(httpd, {"one": WRONG, "two": WRONG})
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=0", "hours=0")
    httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1)
    number = "京ICP备2021098765号-1"
    httpd.icpadmin("license", "add", number.split("-", maxsplit=1)[0], "--holder", "late")
    httpd.icpadmin("site", "edit", "one.example.cn", "--license", number)
    assert "1 of 2" in httpd.icpadmin("check", "--all", "--enforce", "--approve", "2", code=1).err
    httpd.icpadmin("check", "--all", "--enforce", "--approve", "1", code=1)
    assert suspended(httpd) == {"two"}


@pytest.mark.parametrize("arguments", [["--all", "--approve", "1"], ["--fresh", "s.example.cn"], ["--all", "--enforce", "--approve", "x"],
                                       ["--all", "--parallel", "0"], ["--all", "--retries", "11"], ["--all", "--timeout", "0"]])
def test_what_is_no_sweep(httpd, arguments):
    httpd.register_site("s.example.cn")
    assert httpd.icpadmin("check", *arguments, code=2).out == ""


# --- one at a time, and on from where it stopped ----------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_sweep_is_gone_on_with(httpd, serve, number):
    httpd.register_sites(f"s{n}.example.cn" for n in range(8))
    server = serve(lambda host, count: 60 if host.startswith("s7") and count == 1 else response(GOOD.encode()))
    connect = f"127.0.0.1:{server.port}"
    process = start(httpd, "check", "--all", connect=connect)
    deadline = time.monotonic() + 20
    while len(server.hosts) < 8 and time.monotonic() < deadline:
        time.sleep(0.05)
    refused = httpd.icpadmin("check", "--all", ICP_CONNECT=connect, code=1)
    assert "another sweep is under way" in refused.err and str(process.pid) in refused.err
    httpd.icpadmin("site", "list")  # others work meanwhile
    time.sleep(0.5)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -number
    recorded = sql(httpd, "SELECT count(*) FROM inspection")[0][0]
    if number != signal.SIGKILL:
        assert recorded == 7 and "7 of 8" in said and "goes on from there" in said
    asked = len(server.hosts)
    result = httpd.icpadmin("check", "--all", ICP_CONNECT=connect)
    assert f"{recorded} of 8 sites have been looked at" in result.err and len(result.out.splitlines()) == 9
    assert len(server.hosts) - asked == 8 - recorded
    assert sql(httpd, "SELECT count(*), max(done), count(ended_at) FROM sweep") == [(1, 8, 1)]
    httpd.icpadmin("check", "--all", ICP_CONNECT=connect)
    assert len(server.hosts) - asked == 16 - recorded


def test_fresh_begins_anew_and_so_does_what_comes_too_late(httpd, serve):
    httpd.register_site("s.example.cn")
    server = serve(lambda host, count: response(GOOD.encode()))
    connect = f"127.0.0.1:{server.port}"
    for change, arguments in (("", ["--fresh"]), (", started_at = started_at - 7 * 3600", []), (", started_at = started_at + 3600", [])):
        httpd.icpadmin("check", "--all", ICP_CONNECT=connect)
        sql(httpd, f"UPDATE sweep SET ended_at = NULL {change}")
        assert "going on" not in httpd.icpadmin("check", "--all", *arguments, ICP_CONNECT=connect).err
        assert sql(httpd, "SELECT count(*) FROM sweep WHERE ended_at IS NULL") == [(0,)]


def test_looks_of_a_clock_that_was_ahead_are_made_again(httpd, serve):
    httpd.register_sites(f"{name}.example.cn" for name in ("now", "ahead"))
    server = serve(lambda host, count: response(GOOD.encode()))
    connect = f"127.0.0.1:{server.port}"
    httpd.icpadmin("check", "--all", ICP_CONNECT=connect)
    sql(httpd, "UPDATE sweep SET ended_at = NULL")
    sql(httpd, "UPDATE inspection SET last_at = last_at + 3600 WHERE site_id = (SELECT id FROM site WHERE name = 'ahead.example.cn')")
    assert "1 of 2 sites have been looked at" in httpd.icpadmin("check", "--all", ICP_CONNECT=connect).err
    assert [host for _, host in server.hosts[2:]] == ["ahead.example.cn"]
    assert max(site["checked_at"] for site in data(httpd, "site", "list")) <= time.time()  # the right time is on file now


def test_what_staff_do_during_a_sweep_holds(httpd, serve):
    """All pages have come, one is awaited; what was seen of the others is not on file yet."""
    released = threading.Event()

    def answer(host, count):
        name = host.split(".")[0]
        if name == "slow":
            released.wait(60)
        good = name in ("enabled", "twice") and count > 1
        return response((GOOD if good else WRONG if name == "edited" else BAD).encode())
    names = ("bad", "edited", "enabled", "exempt", "order", "removed", "slow", "twice", "anew")
    httpd.register_sites(f"{name}.example.cn" for name in names)
    httpd.icpadmin("policy", "set", *AT_ONCE)
    httpd.icpadmin("suspend", "enabled.example.cn", "--reason", "missing")
    server = serve(answer)
    connect = f"http=127.0.0.1:{server.port} https=127.0.0.1:1"
    process = start(httpd, "check", "--all", "--enforce", "--yes", "--json", connect=connect)
    deadline = time.monotonic() + 20
    while len(server.hosts) < len(names) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    httpd.icpadmin("suspend", "twice.example.cn", "--reason", "missing")
    httpd.icpadmin("enable", "enabled.example.cn", "twice.example.cn", "--yes", ICP_CONNECT=connect)
    httpd.icpadmin("suspend", "order.example.cn", "--reason", "order")
    httpd.icpadmin("exemption", "add", "exempt.example.cn", "--for", "1d", "--note", "moving")
    for name in ("removed", "anew"):
        httpd.icpadmin("site", "remove", f"{name}.example.cn")
    httpd.register_site("anew.example.cn")
    number = OTHER.split("-", maxsplit=1)[0]
    httpd.icpadmin("license", "add", number, "--holder", "late")
    httpd.icpadmin("site", "edit", "edited.example.cn", "--license", OTHER)
    assert sql(httpd, "SELECT count(*) FROM inspection WHERE verdict IN ('missing', 'incorrect')") == [(0,)]
    released.set()
    looks, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert {look["site"].split(".")[0]: look["policy"]["ruling"] for look in json.loads(looks)} == {
        "bad": "suspend", "slow": "suspend", "edited": "outdated", "enabled": "overtaken", "twice": "overtaken", "exempt": "exempt",
        "order": "suspended", "removed": "overtaken", "anew": "overtaken"}
    assert reasons(httpd) == {"bad": "missing", "slow": "missing", "order": "order"}


def test_a_policy_set_during_a_sweep_is_the_one_that_suspends(httpd, serve):
    released = threading.Event()

    def answer(host, _count):
        if host.startswith("slow"):
            released.wait(60)
        return response(BAD.encode())
    httpd.register_sites(f"{name}.example.cn" for name in ("bad", "slow"))
    httpd.icpadmin("policy", "set", *AT_ONCE)
    server = serve(answer)
    process = start(httpd, "check", "--all", "--enforce", "--yes", connect=f"127.0.0.1:{server.port}")
    deadline = time.monotonic() + 20
    while len(server.hosts) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    httpd.icpadmin("policy", "set", "hours=24")
    released.set()
    table, said = process.communicate(timeout=60)
    assert "2 of the 2 are not suspended" in said and table.count("not before") == 2 and suspended(httpd) == set()


# --- fetching ---------------------------------------------------------------------------------------------------------


def test_network_faults_are_tried_again_later_and_later(httpd, serve):
    httpd.register_site("s.example.cn")
    server = serve(lambda host, count: b"" if count == 1 else response(b"", status="503 Busy") if count == 2 else response(GOOD.encode()))
    look = data(httpd, "check", "s.example.cn", "--connect", f"127.0.0.1:{server.port}")[0]
    assert look["verdict"] == "displayed" and len(server.hosts) == 3
    times = [at for at, _ in server.hosts]
    assert times[2] - times[1] > 1.5 * (times[1] - times[0]) > 1


def test_a_page_that_was_judged_is_not_fetched_again(httpd, serve):
    httpd.register_site("s.example.cn")
    server = serve(lambda host, count: response(BAD.encode()))
    httpd.icpadmin("check", "s.example.cn", "--connect", f"127.0.0.1:{server.port}", code=1)
    assert len(server.hosts) == 1


def test_no_more_than_asked_for_at_a_time(httpd, serve):
    httpd.register_sites(f"s{n}.example.cn" for n in range(12))

    def slow(_host, _count):
        time.sleep(0.1)
        return response(GOOD.encode())
    for option, most in (("--per-address", 3), ("--parallel", 2)):
        server = serve(slow)
        httpd.icpadmin("check", "--all", option, most, ICP_CONNECT=f"127.0.0.1:{server.port}")
        assert server.most == most


def test_no_site_that_is_done_keeps_its_connection(httpd, serve):
    httpd.register_sites(f"s{n}.example.cn" for n in range(12))

    def slow(_host, _count):
        time.sleep(0.1)
        return response(GOOD.encode())
    server = serve(slow, keep=True)
    httpd.icpadmin("check", "--all", "--parallel", 2, ICP_CONNECT=f"127.0.0.1:{server.port}")
    assert len(server.hosts) == 12 and server.most <= 4  # the server may hear late of one that is closed


def test_a_site_that_hangs_is_given_up(httpd, serve):
    httpd.register_sites(f"{name}.example.cn" for name in ("good", "hangs"))
    server = serve(lambda host, count: 60 if host.startswith("hangs") else response(GOOD.encode()))
    looks = data(httpd, "check", "--all", "--timeout", "1", "--retries", "0", ICP_CONNECT=f"127.0.0.1:{server.port}", code=1)
    assert {look["site"]: look["reason"] for look in looks if "reason" in look} == {"hangs.example.cn": "unreached"}
