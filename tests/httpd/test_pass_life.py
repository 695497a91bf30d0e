"""How a pass ends before its time, the checker's pass for one request, and the key: against servers with several children."""
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from test_cli_live import GOOD
from test_gate import is_open, states, suspend, suspended, vhost
from test_pass import URL, cookie, mint


@pytest.fixture
def gated(make_httpd):
    """Two suspended sites on a server of four children."""
    httpd = make_httpd(children=4, threads=8)
    for name in ("a.example.cn", "b.example.cn"):
        vhost(httpd, name)
        httpd.register_site(name)
    httpd.start()
    suspend(httpd, "a.example.cn", "b.example.cn")
    return httpd


def everywhere(httpd, headers, count=40, path=""):
    """So many answers to the same request, on connections of their own at the same time: every child gets some."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: httpd.get(URL + path, headers), range(count)))


def listed(httpd, *sites):
    return json.loads(httpd.icpadmin("pass", "--list", *sites, "--json").out)


def audit(httpd, site):
    return [(event["action"], event["after"]) for event in json.loads(httpd.icpadmin("log", "--site", site, "--json").out)]


# -- revoking ----------------------------------------------------------------------------------------------------------


def test_revoked_passes_are_void_for_the_very_next_request_of_every_child(gated):
    old, other = gated.pass_for("a.example.cn"), gated.pass_for("b.example.cn")
    stop, late = threading.Event(), []

    def keep_asking():
        while not stop.is_set():
            began_after = revoked.is_set()
            if is_open(gated.get(URL, cookie(old))) and began_after:
                late.append(1)

    revoked = threading.Event()
    askers = [threading.Thread(target=keep_asking) for _ in range(8)]
    for asker in askers:
        asker.start()
    assert all(map(is_open, everywhere(gated, cookie(old))))
    out = gated.icpadmin("pass", "a.example.cn", "--revoke", "--note", "sent to the wrong address").out
    revoked.set()
    assert out.split() == ["SITE", "REVOKED", "a.example.cn", "1"]
    assert all(map(suspended, everywhere(gated, cookie(old), 80)))
    stop.set()
    for asker in askers:
        asker.join()
    assert late == []
    assert is_open(gated.get("http://b.example.cn/", cookie(other))), "another site's"
    assert is_open(gated.get(URL, cookie(old, gated.pass_for("a.example.cn")))), "a new one"
    assert "pass-revoke" in gated.icpadmin("log", "--site", "a.example.cn").out
    gated.icpadmin("log", "--verify")


def test_a_pass_does_not_outlive_its_suspension(httpd):
    httpd.site("a.example.cn", {"index.html": GOOD})
    httpd.start()
    suspend(httpd, "a.example.cn")
    token, once = httpd.pass_for("a.example.cn", "2h"), mint(httpd, "c")
    assert httpd.get(URL, cookie(token)).status == 200
    httpd.icpadmin("enable", "a.example.cn")
    assert httpd.get(URL, cookie(token)).status == 200 and listed(httpd) == []
    suspend(httpd, "a.example.cn", reason="order")
    assert httpd.get(URL, cookie(token)).status == 451 and httpd.get(URL, {"ICP-Pass": once}).status == 451 and listed(httpd) == []
    assert httpd.get(URL, cookie(httpd.pass_for("a.example.cn"))).status == 200


def test_what_was_revoked_stays_so_over_a_restore(gated, tmp_path):
    revoked, kept = gated.pass_for("a.example.cn"), gated.pass_for("b.example.cn")
    gated.icpadmin("backup", tmp_path / "x.backup")
    gated.icpadmin("pass", "a.example.cn", "--revoke")
    gated.icpadmin("restore", tmp_path / "x.backup", "--yes")
    assert suspended(gated.get(URL, cookie(revoked)))
    assert suspended(gated.get("http://b.example.cn/", cookie(kept))), "a restore ends all of them"
    assert is_open(gated.get(URL, cookie(gated.pass_for("a.example.cn"))))


def test_the_list_of_passes(httpd):
    for name in ("a.example.cn", "b.example.cn", "open.example.cn"):
        httpd.register_site(name)
    suspend(httpd, "a.example.cn", "b.example.cn")
    assert listed(httpd) == [] and "no pass" in httpd.icpadmin("pass", "--list").err
    given = json.loads(httpd.icpadmin("pass", "a.example.cn", "--for", "2h", "--note", "for 王小明", "--json").out)[0]
    httpd.pass_for("b.example.cn", "1h")
    assert [(item["site"], item["note"]) for item in listed(httpd)] == [("b.example.cn", ""), ("a.example.cn", "for 王小明")]
    item = listed(httpd, "a.example.cn")[0]
    assert item["expires_at"] - item["given_at"] == 7200 and item["expires_at"] == given["expires_at"] and item["case"] == 1 and item["by"]
    assert "for 王小明" in httpd.icpadmin("pass", "--list").out
    assert given["token"] not in httpd.icpadmin("log", "--json").out + httpd.icpadmin("pass", "--list", "--json").out
    assert given["token"].encode() not in (httpd.state / "private.db").read_bytes()
    httpd.icpadmin("pass", "a.example.cn", "--revoke")
    assert [item["site"] for item in listed(httpd)] == ["b.example.cn"]
    httpd.icpadmin("pass", "--list", "nobody.example.cn", code=3)


@pytest.mark.parametrize("arguments, code, says", [
    (["open.example.cn", "--for", "1h"], 1, "not suspended"),
    (["open.example.cn", "--revoke"], 1, "not suspended"),
    (["a.example.cn", "open.example.cn", "--for", "1h", "--yes"], 1, "not suspended"),
    (["nobody.example.cn", "--for", "1h"], 3, "nobody.example.cn"),
    (["nobody.example.cn", "--revoke"], 3, "nobody.example.cn"),
    (["a.example.cn"], 2, "--revoke"),
    (["a.example.cn", "--for", "1h", "--revoke"], 2, "one of"),
    (["a.example.cn", "--rotate-key"], 2, "names"),
    (["a.example.cn", "--revoke", "--now"], 2, "--now"),
    (["a.example.cn", "--revoke", "--https"], 2, "--for"),
    (["--for", "1h"], 2, "which sites"),
    (["--revoke"], 2, "which sites"),
    ([], 2, "--for"),
])
def test_what_cannot_be_done_is_said_and_not_done(httpd, arguments, code, says):
    httpd.register_site("a.example.cn")
    httpd.register_site("open.example.cn")
    suspend(httpd, "a.example.cn")
    before = (httpd.state / "pass.key").read_text(), audit(httpd, "a.example.cn")
    assert says in httpd.icpadmin("pass", *arguments, code=code).err
    assert before == ((httpd.state / "pass.key").read_text(), audit(httpd, "a.example.cn")) and listed(httpd) == []


def test_a_dry_run_gives_revokes_and_rotates_nothing(gated):
    token = gated.pass_for("a.example.cn")
    key = (gated.state / "pass.key").read_text()
    assert gated.icpadmin("pass", "a.example.cn", "--for", "1h", "--dry-run").out == ""
    gated.icpadmin("pass", "a.example.cn", "--revoke", "--dry-run")
    gated.icpadmin("pass", "--rotate-key", "--now", "--dry-run")
    assert is_open(gated.get(URL, cookie(token))) and len(listed(gated)) == 1 and (gated.state / "pass.key").read_text() == key


# -- one request ---------------------------------------------------------------------------------------------------------


def test_a_pass_for_one_request_is_good_for_one_of_all_children(gated):
    for n in range(10):
        once = mint(gated, "c", nonce=f"{n:016x}")
        answers = everywhere(gated, {"ICP-Pass": once})
        assert sum(map(is_open, answers)) == 1 and sum(map(suspended, answers)) == len(answers) - 1
    assert is_open(gated.get(URL, {"ICP-Pass": mint(gated, "c", nonce="f" * 16)}))


def test_a_graceful_restart_remembers_what_was_used(gated):
    once, other = mint(gated, "c", nonce="1" * 16), mint(gated, "c", nonce="2" * 16)
    assert is_open(gated.get(URL, {"ICP-Pass": once}))
    for _ in range(2):
        gated.graceful()
        assert all(map(suspended, everywhere(gated, {"ICP-Pass": once})))
    assert is_open(gated.get(URL, {"ICP-Pass": other})) and suspended(gated.get(URL, {"ICP-Pass": other}))


def test_a_start_forgets_what_was_used_and_so_takes_nothing_older(gated):
    once, unused = mint(gated, "c", nonce="1" * 16), mint(gated, "c", nonce="2" * 16)
    assert is_open(gated.get(URL, {"ICP-Pass": once}))
    gated.stop()
    time.sleep(1.1)  # a pass tells its second
    gated.start()
    assert suspended(gated.get(URL, {"ICP-Pass": once})) and suspended(gated.get(URL, {"ICP-Pass": unused}))
    assert is_open(gated.get(URL, {"ICP-Pass": mint(gated, "c", nonce="3" * 16)}))


def test_the_checker_has_a_pass_for_each_request(httpd):
    """Over redirects inside the site, and from http to https."""
    httpd.load("ssl", "alias", "rewrite")
    httpd.site("a.example.cn", {"home/index.html": GOOD},
               config="RewriteEngine On\nRewriteCond %{HTTPS} off\nRewriteRule ^ https://a.example.cn%{REQUEST_URI} [R]\nRedirect /start /home/\nRedirectMatch ^/$ /start")
    httpd.start()
    suspend(httpd, "a.example.cn")
    look = json.loads(httpd.icpadmin("check", "a.example.cn", "--json").out)[0]
    assert (look["verdict"], look["url"]) == ("displayed", "https://a.example.cn/home/")
    assert states(httpd, 4) == ["pass"] * 4
    httpd.icpadmin("enable", "a.example.cn")


# -- the key -------------------------------------------------------------------------------------------------------------


def keys(httpd):
    return (httpd.state / "pass.key").read_text().split()


def checks(httpd):
    """Can icpadmin look at the suspended site?"""
    return json.loads(httpd.icpadmin("check", "a.example.cn", "--json", code=None).out)[0]["status"] == 200


def test_rotation_leaves_no_gap(gated):
    first = keys(gated)
    before = gated.pass_for("a.example.cn")
    out = gated.icpadmin("pass", "--rotate-key", "--note", "as every year").out
    assert "apachectl graceful" in out
    assert len(keys(gated)) == 2 and keys(gated)[1:] == first and (gated.state / "pass.key").stat().st_mode & 0o777 == 0o600
    between = gated.pass_for("a.example.cn")
    for token in (before, between):  # httpd has the old key
        assert is_open(gated.get(URL, cookie(token)))
    assert checks(gated)
    gated.graceful()
    after = gated.pass_for("a.example.cn")
    for token in (before, between, after):
        assert all(map(is_open, everywhere(gated, cookie(token))))
    assert checks(gated)
    gated.icpadmin("pass", "--rotate-key")
    assert first[0] not in keys(gated) and len(keys(gated)) == 2
    gated.graceful()
    assert all(map(suspended, everywhere(gated, cookie(before)))), "the second rotation drops the oldest key"
    assert all(map(is_open, everywhere(gated, cookie(after)))) and checks(gated)
    assert gated.icpadmin("log").out.count("pass.rotate-key") == 2
    gated.icpadmin("log", "--verify")
    gated.list_holidays()
    gated.icpadmin("doctor")
    assert not (gated.state / "pass.key.next").exists()


def test_a_key_that_leaked_is_dropped_at_once(gated):
    stolen = shutil.copy(gated.state / "pass.key", gated.root / "stolen.key")
    before = gated.pass_for("a.example.cn")
    out = gated.icpadmin("pass", "--rotate-key", "--now").out
    assert "Reload httpd now" in out and len(keys(gated)) == 1 and keys(gated)[0] not in Path(stolen).read_text()
    after = gated.pass_for("a.example.cn")
    assert suspended(gated.get(URL, cookie(after))) and not checks(gated), "httpd has not read it"
    gated.graceful()
    assert all(map(suspended, everywhere(gated, cookie(before)))) and is_open(gated.get(URL, cookie(after))) and checks(gated)


def test_a_broken_key_is_said_and_can_be_replaced(gated):
    key = gated.state / "pass.key"
    token = gated.pass_for("a.example.cn")
    key.write_text("nonsense\n")
    for arguments in (["a.example.cn", "--for", "1h"], ["--rotate-key"], ["--rotate-key", "--dry-run"]):
        assert "holds no pass key" in gated.icpadmin("pass", *arguments, code=5).err
    assert is_open(gated.get(URL, cookie(token))), "httpd goes on with what it read"
    gated.expect_log("holds no pass key")
    gated.graceful()
    assert suspended(gated.get(URL, cookie(token)))
    gated.icpadmin("pass", "--rotate-key", "--now")
    gated.graceful()
    assert is_open(gated.get(URL, cookie(gated.pass_for("a.example.cn"))))


def test_two_keys_go_into_a_backup_and_come_back(gated, tmp_path):
    gated.icpadmin("pass", "--rotate-key")
    token, content = gated.pass_for("a.example.cn"), (gated.state / "pass.key").read_bytes()
    gated.icpadmin("backup", tmp_path / "x.backup")
    (gated.state / "pass.key").unlink()
    gated.icpadmin("restore", tmp_path / "x.backup", "--yes")
    assert (gated.state / "pass.key").read_bytes() == content and (gated.state / "pass.key").stat().st_mode & 0o777 == 0o600
    assert suspended(gated.get(URL, cookie(token))) and is_open(gated.get(URL, cookie(gated.pass_for("a.example.cn"))))
