"""icpadmin queue: what needs a person, and that each command it prints settles its item when pasted into a shell."""
import json
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

from env import BUILD, NUMBER

OTHER = "京ICP备2021098765号-1"


def page(number=""):
    return f'<!DOCTYPE html><meta charset="utf-8"><title>小店</title><p>欢迎光临, 本店出售茶叶。</p><footer>{number}</footer>'


GOOD, BAD, HIDDEN = page(NUMBER), page(), page(f"<!-- {NUMBER} -->")
SHELL = '<div id="app"></div><script src="/app.js"></script>'


def queue(httpd, *arguments, **options):
    return json.loads(httpd.icpadmin("queue", *arguments, "--json", **options).out)


def items(httpd):
    return {item["subject"]: item for item in queue(httpd)}


def paste(httpd, command):
    """As a person would: into a shell, in the folder and with the environment of the queue command."""
    environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "ICP_REGISTER": str(httpd.register),
                   "ICP_CONNECT": f"http=127.0.0.1:{httpd.port}", "LANG": "C.UTF-8"}
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)


def settle(httpd, subject):
    """Pastes the command of the item, which must be gone then."""
    command = items(httpd)[subject]["command"]
    done = paste(httpd, command)
    assert done.returncode in (0, 1), done.stderr
    assert subject not in items(httpd), f"{command}\n{done.stdout}{done.stderr}"
    return command


def sighting(httpd, site, verdict, at):
    with sqlite3.connect(httpd.sightings) as database:
        database.execute("CREATE TABLE IF NOT EXISTS sighting (site TEXT NOT NULL PRIMARY KEY, verdict TEXT NOT NULL, "
                         "detail TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID")
        database.execute("INSERT OR REPLACE INTO sighting VALUES (?, ?, '{}', ?)", (site, verdict, at))
    database.close()


def look_was(httpd, seconds):
    """The own looks were so long ago."""
    with sqlite3.connect(httpd.register) as register:
        register.execute("UPDATE inspection SET first_at = first_at - ?, last_at = last_at - ?", (seconds, seconds))
        register.execute("UPDATE site SET created_at = created_at - ?", (seconds + 60,))
    register.close()


def test_each_command_settles_its_item(httpd):
    contents = {"good": GOOD, "bad": BAD, "hidden": HIDDEN, "shell": SHELL, "off": HIDDEN, "cured": GOOD}
    for name, content in contents.items():
        httpd.site(f"{name}.example.cn", {"index.html": content})
    httpd.site("free.example.cn", {"index.html": BAD}, number=None)
    httpd.site("lodger.example.cn", {"index.html": GOOD}, number=None)
    httpd.site("stranger.example.cn", {"index.html": page(OTHER)}, number=None)
    httpd.start()
    assert items(httpd)["free.example.cn"]["flag"] == "unlicensed"
    httpd.icpadmin("suspend", "off.example.cn", "cured.example.cn", "--reason", "missing", "--yes")
    time.sleep(1.1)  # looks are told from suspensions by the second
    httpd.icpadmin("check", "--all", code=1)
    found = {name.split(".")[0]: item for name, item in items(httpd).items()}
    assert {name: item["flag"] for name, item in found.items()} == {
        "bad": "failing", "hidden": "hidden", "shell": "unreadable", "off": "hidden", "cured": "enable", "free": "unlicensed",
        "lodger": "shows-number", "stranger": "shows-number"}
    assert all(item["kind"] == "site" and item["site"] == item["subject"] for item in found.values())
    assert "not displayed" in found["hidden"]["why"] and "cannot be judged" in found["shell"]["why"]
    assert OTHER in found["stranger"]["why"] and "license add" in found["stranger"]["why"]
    settled = {name: settle(httpd, f"{name}.example.cn") for name in found}
    assert settled["bad"] == "icpadmin suspend bad.example.cn --reason missing"
    assert settled["cured"] == "icpadmin enable cured.example.cn"
    assert settled["lodger"] == f"icpadmin site edit lodger.example.cn --license '{NUMBER}'"
    assert "--attest" in settled["off"] and "--seen" in settled["hidden"] and "--seen" in settled["shell"]
    assert "nothing needs a person" in httpd.icpadmin("queue").err
    httpd.icpadmin("check", "--all", code=1)
    assert items(httpd) == {}  # what a person has seen stays off while nothing changes
    httpd.write("shell.example.cn", {"index.html": BAD})
    httpd.icpadmin("check", "shell.example.cn", code=1)
    assert items(httpd)["shell.example.cn"]["flag"] == "failing"


def test_names_of_any_kind_are_quoted(httpd):
    """A site's name is free text: what a shell makes of it must not be more than the name."""
    names = ["a'b;touch$IFS'x", "$(touch>pwned)", "`id`", "茶&叶", "#one", "~root", "a\"b", "!x", "(a)|b", "ä>b<c"]
    for number, name in enumerate(names):
        httpd.vhost(f"s{number}.example.cn", {"index.html": BAD})
        if not number:
            httpd.init_register()
            httpd.icpadmin("license", "add", NUMBER.split("-", maxsplit=1)[0], "--holder", "x")
        httpd.icpadmin("site", "add", name, "--host", f"s{number}.example.cn", "--license", NUMBER)
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    assert set(items(httpd)) == set(names)
    for name in names:
        settle(httpd, name)
    assert {site["name"] for site in json.loads(httpd.icpadmin("site", "list", "--suspended", "--json").out)} == set(names)
    assert not os.path.exists("pwned") and not os.path.exists("x")


def test_the_register_that_was_named_is_named_in_the_commands(httpd):
    httpd.site("bad.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    other = httpd.root / "a b"
    shutil.copytree(httpd.state, other)
    [item] = queue(httpd, "--register", other / "register.db", ICP_REGISTER="/nowhere")
    assert item["command"] == f"icpadmin --register '{other}/register.db' suspend bad.example.cn --reason missing"
    assert paste(httpd, item["command"]).returncode == 0
    assert queue(httpd, "--register", other / "register.db") == [] and len(queue(httpd)) == 1


def test_every_command_names_the_register_that_was_named(httpd):
    """Of each kind of thing one; the register lies where a shell would split its name."""
    httpd.init_register()
    folder = httpd.root / "a b"
    shutil.move(httpd.state, folder)
    (folder / "intake.refused" / "x").write_text("no submission")
    with sqlite3.connect(folder / "register.db") as register:
        register.execute("INSERT INTO sweep (started_at, ended_at, enforce, total, done, to_suspend, braked) VALUES (1, 2, 1, 9, 9, 8, 1)")
    with sqlite3.connect(folder / "private.db") as private:
        private.execute("INSERT INTO outbox (posted_at, way, event, subject, facts, next_at, state, state_at) "
                        "VALUES (1, 'event', 'site.warned', 'a.example.cn', '{}', 1, 'given-up', 1), "
                        "(1, 'event', 'site.warned', 'b.example.cn', '{}', 1, 'waiting', 1)")
        private.executemany("INSERT INTO application (kind, state, holder_key, holder, form, token, created_at, state_at, due_from) "
                            "VALUES ('first', ?, ?, '某', '{}', ?, 1, 1, 1)",
                            [(state, state, state) for state in ("received", "rejected", "sms-pending")])
        private.executemany("INSERT INTO domain (name, registrant, kind, state, added_at, state_at) VALUES (?, 'x', 'individual', ?, 1, 1)",
                            [(f"{state}.cn", state) for state in ("wanted", "received", "submitted")])
    found = queue(httpd, "--register", folder / "register.db", ICP_REGISTER="/nowhere")
    assert len(found) == 10 and {item["kind"] for item in found} == {"sweep", "message", "application", "domain"}
    for item in found:
        assert item["command"].startswith((f"icpadmin --register '{folder}/register.db' ", f"ls -la '{folder}/")), item
        words = subprocess.run(["sh", "-c", f"set -- {item['command']}; echo $#; printf '%s\\n' \"$@\""], capture_output=True, text=True, check=True)
        assert not words.stderr and str(folder) in words.stdout
        if item["command"].startswith("icpadmin"):  # it is understood
            assert paste(httpd, item["command"] + " --dry-run").returncode != 2, item


def test_order_layout_and_filters(httpd):
    for name in ("b", "a", "c"):
        httpd.site(f"{name}.example.cn", {"index.html": BAD})
    httpd.start()
    for name in ("b", "a", "c"):
        httpd.icpadmin("check", f"{name}.example.cn", code=1)
    with sqlite3.connect(httpd.register) as register:
        for name, age in (("b", 7200), ("a", 3600), ("c", 7200)):
            register.execute("UPDATE inspection SET first_at = first_at - ? WHERE site_id = (SELECT id FROM site WHERE name = ?)",
                             (age, f"{name}.example.cn"))
    since = [item["since"] for item in queue(httpd)]
    assert since == sorted(since)
    order = [item["site"][0] for item in queue(httpd)]
    assert order[2] == "a" and set(order) == set("abc")
    lines = httpd.icpadmin("queue").out.splitlines()
    assert len(lines) == 6 and max(map(len, lines)) <= 100
    assert lines[4].endswith("a.example.cn: its page shows no number")
    assert lines[5] == "    icpadmin suspend a.example.cn --reason missing"
    assert [item["site"] for item in queue(httpd, "--site", "a.example.cn")] == ["a.example.cn"]
    assert len(queue(httpd, "--kind", "failing")) == len(queue(httpd, "--kind", "site")) == 3
    assert queue(httpd, "--kind", "message") == []
    assert "nothing of that" in httpd.icpadmin("queue", "--kind", "hidden").err
    httpd.icpadmin("queue", "--kind", "failling", code=2)
    httpd.icpadmin("queue", "--site", "nobody.example.cn", code=3)


@pytest.mark.parametrize("own, live, seconds, flag, command", [
    (GOOD, "missing", 60, "differs-by-visitor", "--seen"),
    (GOOD, "hidden", 7200, "differs-by-visitor", "check"),
    (GOOD, "incorrect", 60, "differs-by-visitor", "--seen"),
    (BAD, "displayed", 60, "differs-by-visitor", "check"),
    (HIDDEN, "displayed", 60, "differs-by-visitor", "check"),
    (GOOD, "displayed", 60, None, None),
    (GOOD, "unreadable", 60, None, None),
    (GOOD, "missing", -60, None, None),
    (BAD, "incorrect", 60, "failing", "suspend"),
    (SHELL, "displayed", 60, "unreadable", "--seen"),
    (GOOD, "made up", 60, None, None),
])
def test_what_visitors_get_is_held_against_the_own_look(httpd, own, live, seconds, flag, command):
    httpd.config("ICPInspect Off")  # what visitors get is said here
    httpd.site("shop.example.cn", {"index.html": own})
    httpd.start()
    httpd.icpadmin("check", "shop.example.cn", code=None)
    look_was(httpd, max(seconds, 0))
    sighting(httpd, "shop.example.cn", live, int(time.time()) + min(seconds, 0))
    found = queue(httpd)
    assert [item["flag"] for item in found] == ([flag] if flag else [])
    if flag:
        assert command in found[0]["command"].split()


def test_a_difference_that_a_person_has_seen(httpd):
    httpd.config("ICPInspect Off")
    httpd.site("shop.example.cn", {"index.html": GOOD})
    httpd.start()
    httpd.icpadmin("check", "shop.example.cn")
    httpd.icpadmin("queue", "--seen", "shop.example.cn", "--note", "x", code=1)
    look_was(httpd, 500)
    now = int(time.time())
    sighting(httpd, "shop.example.cn", "missing", now - 400)
    assert "icpadmin saw that its page shows its number" in queue(httpd)[0]["why"]
    settle(httpd, "shop.example.cn")
    sighting(httpd, "shop.example.cn", "missing", now - 100)
    assert queue(httpd) == []
    sighting(httpd, "shop.example.cn", "incorrect", now)
    assert queue(httpd, "--kind", "differs-by-visitor") != []


def test_live_traffic_and_the_checker_get_different_pages(httpd):
    """A cloaked page: whoever sends the checker's language gets the number, other visitors do not."""
    httpd.load("rewrite")
    httpd.config("ICPInspectInterval 0")
    httpd.site("shop.example.cn", {"index.html": GOOD, "other.html": BAD},
               config='RewriteEngine On\nRewriteCond %{HTTP:Accept-Language} !^zh-CN\nRewriteRule ^/$ /other.html')
    httpd.start()
    httpd.icpadmin("check", "shop.example.cn")
    time.sleep(1.1)  # sightings are told apart by the second
    httpd.get("http://shop.example.cn/", {"Accept-Language": "en"})
    httpd.wait_for(lambda: queue(httpd), "report what it saw")
    [item] = queue(httpd)
    assert item["flag"] == "differs-by-visitor" and "shows no number" in item["why"]


def test_seen_is_for_pages_that_a_person_can_judge(httpd):
    for name, content in (("good", GOOD), ("bad", BAD), ("shell", SHELL)):
        httpd.site(f"{name}.example.cn", {"index.html": content})
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    httpd.icpadmin("queue", "--seen", "shell.example.cn", code=2)
    httpd.icpadmin("queue", "--seen", "shell.example.cn", "--note", "", code=2)
    httpd.icpadmin("queue", "--seen", "good.example.cn", "--note", "x", code=1)
    httpd.icpadmin("queue", "--seen", "bad.example.cn", "--note", "x", code=1)
    httpd.icpadmin("queue", "--seen", "nobody.example.cn", "--note", "x", code=3)
    httpd.icpadmin("queue", "--seen", "shell.example.cn", "--note", "x", "--dry-run")
    assert "shell.example.cn" in items(httpd)


def test_an_order_and_a_site_without_license_wait_for_nobody(httpd):
    httpd.site("order.example.cn", {"index.html": GOOD})
    httpd.site("new.example.cn", {"index.html": GOOD}, number=None)
    httpd.start()
    httpd.icpadmin("suspend", "order.example.cn", "--reason", "order")
    httpd.icpadmin("suspend", "new.example.cn", "--reason", "unlicensed")
    httpd.icpadmin("check", "--all", code=None)
    assert queue(httpd) == []
    httpd.icpadmin("site", "edit", "new.example.cn", "--license", NUMBER)
    settle(httpd, "new.example.cn")


def test_what_the_policy_does_by_itself_needs_nobody(httpd):
    httpd.site("bad.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    assert items(httpd)["bad.example.cn"]["flag"] == "failing"  # nobody enforces anything
    httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1)
    assert items(httpd) == {}  # in a day the next sweep will
    with sqlite3.connect(httpd.register) as register:
        register.execute("UPDATE sweep SET started_at = started_at - 200000, ended_at = ended_at - 200000")
    assert items(httpd)["bad.example.cn"]["flag"] == "failing"  # sweeps have stopped
    httpd.icpadmin("exemption", "add", "bad.example.cn", "--for", "30d", "--note", "x")
    assert items(httpd) == {}
    httpd.icpadmin("exemption", "remove", "1")
    settle(httpd, "bad.example.cn")


def test_an_attestation_that_runs_out(httpd):
    httpd.site("image.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("suspend", "image.example.cn", "--reason", "missing")
    httpd.icpadmin("enable", "image.example.cn", "--attest", NUMBER, "--note", "in the image")
    assert items(httpd) == {}
    with sqlite3.connect(httpd.register) as register:
        register.execute("UPDATE exemption SET from_at = from_at - 85 * 86400, until_at = until_at - 85 * 86400")
    item = items(httpd)["image.example.cn"]
    assert item["flag"] == "exemption-ends" and "in the image" in item["why"]
    settle(httpd, "image.example.cn")
    with sqlite3.connect(httpd.register) as register:
        register.execute("DELETE FROM exemption WHERE id = 2")
    httpd.write("image.example.cn", {"index.html": GOOD})
    httpd.icpadmin("check", "image.example.cn")
    assert items(httpd) == {}  # its page needs no word any longer


def test_sightings_that_are_no_database_are_a_warning(httpd):
    httpd.register_site("shop.example.cn")
    httpd.sightings.write_text("not a database" * 100)
    assert "warning" in httpd.icpadmin("queue").err
    httpd.sightings.unlink()
    with sqlite3.connect(httpd.sightings) as other:
        other.execute("CREATE TABLE x (y)")
    assert "warning" in httpd.icpadmin("queue").err
