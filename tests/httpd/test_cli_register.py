"""icpadmin on a register, without a running server: holders, licenses, sites, imports, suspensions, the log."""
import hashlib
import json
import os
import pty
import re
import sqlite3
import subprocess
import time

import pytest

from env import BUILD

L1, L2 = "沪ICP备05012345号", "京ICP备2021098765号"


@pytest.fixture
def register(httpd):
    """The harness with a register of one license and one site; nothing is started."""
    httpd.init_register()
    httpd.icpadmin("license", "add", L1, "--holder", "上海某某商贸有限公司")
    httpd.icpadmin("site", "add", "shop.example.cn", "--host", "www.shop.example.cn", "--license", f"{L1}-3")
    return httpd


def data(httpd, *arguments, code=0, **options):
    return json.loads(httpd.icpadmin(*arguments, "--json", code=code, **options).out)


def state_of(httpd):
    return [hashlib.sha256((httpd.state / name).read_bytes()).hexdigest() for name in ("register.db", "private.db")]


def on_terminal(httpd, *arguments, answer):
    """Runs icpadmin with a terminal on all streams; returns what it showed and its exit status."""
    leader, follower = pty.openpty()
    environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register)}
    environment.pop("LD_PRELOAD", None)
    with subprocess.Popen([str(BUILD / "icpadmin"), *arguments], stdin=follower, stdout=follower, stderr=follower,
                          env=environment) as process:
        os.close(follower)
        os.write(leader, answer.encode() + b"\n")
        shown = b""
        try:
            while chunk := os.read(leader, 65536):
                shown += chunk
        except OSError:
            pass
        os.close(leader)
        return shown.decode(), process.wait(60)


# --- init and status --------------------------------------------------------------------------------------------------


def test_init_once(httpd):
    assert httpd.icpadmin("status", code=3).err.startswith("icpadmin: ")
    httpd.icpadmin("init", "--dry-run")
    assert not httpd.register.exists()
    httpd.icpadmin("init", "--worker", "nobody-there", code=3)
    httpd.init_register()
    assert httpd.icpadmin("init", code=1).out == ""


def test_status_counts(register):
    httpd = register
    httpd.icpadmin("license", "add", L2, "--holder", "另一家")
    httpd.icpadmin("license", "cancel", L2)
    httpd.icpadmin("site", "add", "new.example.cn")
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    status = data(httpd, "status")
    assert status["register"] == str(httpd.register)
    assert (status["holders"], status["sites"], status["hosts"]) == (2, 2, 3)
    assert status["licenses"] == {"active": 1, "cancelled": 1}
    assert status["suspended"] == {"missing": 1, "unlicensed": 1}
    assert status["verdicts"] == {"never": 2} and status["newest_look_at"] is None
    assert "missing 1, unlicensed 1" in httpd.icpadmin("status").out


# --- holders ----------------------------------------------------------------------------------------------------------


def test_holders(register):
    httpd = register
    added = data(httpd, "holder", "add", "张三", "--kind", "person", "--email", "z@example.cn")
    assert (added["name"], added["kind"], added["uscc"], added["email"]) == ("张三", "person", None, "z@example.cn")
    assert [(h["name"], h["licenses"]) for h in data(httpd, "holder", "list")] == [("上海某某商贸有限公司", 1), ("张三", 0)]
    data(httpd, "holder", "edit", "张三", "--phone", "021-1", "--name", "张三丰")
    shown = data(httpd, "holder", "show", "张三丰")
    assert (shown["phone"], shown["email"]) == ("021-1", "z@example.cn")
    assert L1 in httpd.icpadmin("holder", "show", "上海某某商贸有限公司").out
    httpd.icpadmin("holder", "show", "张三", code=3)
    httpd.icpadmin("holder", "add", "张三丰", code=1)
    httpd.icpadmin("holder", "edit", "张三丰", code=2)
    httpd.icpadmin("holder", "add", "x", "--kind", "club", code=2)


def test_a_code_that_does_not_check_is_a_warning_and_a_wrong_one_is_refused(register):
    assert "check character" in register.icpadmin("holder", "add", "甲", "--uscc", "91310000MA1FL00000").err
    assert register.icpadmin("holder", "add", "乙", "--uscc", "9131", code=None).code in (1, 2)


# --- licenses ---------------------------------------------------------------------------------------------------------


def test_licenses(register):
    httpd = register
    added = data(httpd, "license", "add", "京icp備 2021098765 號－7", "--holder", "北京某某科技有限公司")
    assert (added["number"], added["holder"], added["status"]) == (L2, "北京某某科技有限公司", "active")
    assert {x["number"]: x["sites"] for x in data(httpd, "license", "list")} == {L1: 1, L2: 0}
    assert data(httpd, "license", "show", f"{L1}-3")["sites"] == ["shop.example.cn"]
    assert data(httpd, "license", "list", "--holder", "北京某某科技有限公司")[0]["number"] == L2
    httpd.icpadmin("license", "add", L1, "--holder", "x", code=1)
    httpd.icpadmin("license", "add", "hello", "--holder", "x", code=2)
    httpd.icpadmin("license", "add", L2, code=2)
    httpd.icpadmin("license", "show", "沪ICP备20000001号", code=3)
    httpd.icpadmin("license", "list", "--status", "good", code=2)


@pytest.mark.parametrize("verb, status", [("cancel", "cancelled"), ("revoke", "revoked")])
def test_the_end_of_a_license_suspends_its_sites(register, verb, status):
    httpd = register
    before = state_of(httpd)
    assert data(httpd, "license", verb, L1, "--dry-run")["suspended"] == ["shop.example.cn"]
    assert state_of(httpd) == before
    assert "shop.example.cn suspended" in httpd.icpadmin("license", verb, L1).out
    assert data(httpd, "license", "show", L1)["status"] == status
    assert data(httpd, "site", "show", "shop.example.cn")["suspension"]["reason"] == "cancelled"


def test_a_license_given_back_enables_nothing(register):
    httpd = register
    httpd.icpadmin("license", "reinstate", L1, code=1)
    httpd.icpadmin("license", "revoke", L1)
    assert data(httpd, "license", "reinstate", L1)["status"] == "active"
    assert data(httpd, "site", "show", "shop.example.cn")["suspension"]["reason"] == "cancelled"
    assert data(httpd, "queue")[0]["command"] == "icpadmin enable shop.example.cn"


def test_a_license_of_several_sites_ends_only_with_consent(register):
    httpd = register
    httpd.icpadmin("site", "add", "two.example.cn", "--license", L1)
    before = state_of(httpd)
    refused = httpd.icpadmin("license", "cancel", L1, code=2)
    assert "suspend 2 sites" in refused.err and "--yes" in refused.err and state_of(httpd) == before
    httpd.icpadmin("license", "cancel", L1, "--yes")
    assert len(data(httpd, "site", "list", "--suspended")) == 2


def test_licenses_exported_and_imported_again(register, make_httpd, tmp_path):
    httpd = register
    httpd.icpadmin("license", "add", L2, "--holder", '引号"与,逗号')
    httpd.icpadmin("license", "revoke", L2)
    exported = httpd.icpadmin("license", "export").out
    assert exported.splitlines()[0] == "number,holder,uscc,status"
    other = make_httpd()
    other.init_register()
    (tmp_path / "licenses.csv").write_text(exported)
    assert data(other, "license", "import", tmp_path / "licenses.csv")["added"] == 2
    assert other.icpadmin("license", "export").out == exported
    assert data(other, "license", "import", "-", stdin=exported)["unchanged"] == 2


# --- sites ------------------------------------------------------------------------------------------------------------


def test_sites(register):
    httpd = register
    site = data(httpd, "site", "show", "WWW.Shop.example.cn.")
    assert site["name"] == "shop.example.cn" and sorted(site["hosts"]) == ["shop.example.cn", "www.shop.example.cn"]
    assert site["expected"] == site["numbers"] == [f"{L1}-3"]
    assert (site["homepage"], site["suspension"], site["verdict"], site["suspensions"]) == ("/", None, None, [])
    httpd.icpadmin("site", "edit", "shop.example.cn", "--host", "商店.example.cn", "--remove-host", "www.shop.example.cn",
                   "--homepage", "/index.php")
    site = data(httpd, "site", "show", "商店.example.cn")
    assert sorted(site["hosts"]) == ["shop.example.cn", "xn--czrs0t.example.cn"]
    assert "商店.example.cn (xn--" in httpd.icpadmin("site", "show", "shop.example.cn").out
    assert site["homepage"] == "/index.php"
    httpd.icpadmin("site", "remove", "shop.example.cn", "--note", "moved")
    httpd.icpadmin("site", "show", "shop.example.cn", code=3)


@pytest.mark.parametrize("arguments, code", [
    (["add", "shop.example.cn"], 1), (["add", "other.example.cn", "--host", "www.shop.example.cn"], 1),
    (["add", "other.example.cn", "--license", L2], 3), (["add", "a..b"], 2), (["edit", "shop.example.cn"], 2),
    (["edit", "nobody.example.cn", "--homepage", "/"], 3), (["remove", "nobody.example.cn"], 3),
    (["edit", "shop.example.cn", "--serve-unlicensed", "--no-serve-unlicensed"], 2)])
def test_what_a_site_cannot_be(register, arguments, code):
    before = state_of(register)
    result = register.icpadmin("site", *arguments, code=code)
    assert result.out == "" and state_of(register) == before


def test_a_site_without_license_is_not_served(register):
    httpd = register
    added = httpd.icpadmin("site", "add", "new.example.cn")
    assert "suspended: unlicensed" in added.out and "icpadmin enable new.example.cn" in added.err
    httpd.icpadmin("site", "add", "old.example.cn", "--serve-unlicensed")
    assert [s["name"] for s in data(httpd, "site", "list", "--suspended")] == ["new.example.cn"]
    assert [s["name"] for s in data(httpd, "site", "list", "--open")] == ["old.example.cn", "shop.example.cn"]
    edited = httpd.icpadmin("site", "edit", "shop.example.cn", "--remove-license", f"{L1}-3")
    assert "shop.example.cn suspended: unlicensed" in edited.out
    assert data(httpd, "site", "show", "shop.example.cn")["suspension"]["reason"] == "unlicensed"


def test_a_suspended_site_is_not_removed(register):
    register.icpadmin("suspend", "shop.example.cn", "--reason", "order")
    assert "shop.example.cn" in register.icpadmin("site", "remove", "shop.example.cn", code=1).err


# --- imports ----------------------------------------------------------------------------------------------------------


def test_site_import(register, tmp_path):
    httpd = register
    sites = tmp_path / "sites.csv"
    sites.write_text("\ufeffname,hosts,license,homepage\n"
                     f"a.example.cn,www.a.example.cn *.a.example.cn,{L1}-4,\nb.example.cn,,,/start\n")
    result = data(httpd, "site", "import", sites)
    assert (result["lines"], result["added"], result["suspended"], result["bad"]) == (2, 2, 1, [])
    assert data(httpd, "site", "show", "a.example.cn")["expected"] == [f"{L1}-4"]


def test_bad_lines_are_listed_and_nothing_is_changed(register, tmp_path):
    httpd = register
    sites = tmp_path / "sites.csv"
    sites.write_text(f"name,hosts,license\ngood.example.cn,,{L1}\nbad..name,,\nother.example.cn,www.shop.example.cn,{L1}\n")
    before = state_of(httpd)
    result = httpd.icpadmin("site", "import", sites, code=1)
    assert f"{sites}:3: " in result.err and f"{sites}:4: " in result.err and state_of(httpd) == before
    assert [line["line"] for line in data(httpd, "site", "import", sites, code=1)["bad"]] == [3, 4]
    assert f"{sites}:4: hosts: the host www.shop.example.cn belongs to the site shop.example.cn\n  if it is no longer" in result.err
    assert data(httpd, "site", "import", sites, code=1)["bad"][0] | {"reason": ""} == {
        "line": 3, "column": "hosts", "value": "", "reason": "",
        "remedy": "say under which host names it is served: --host, or the column hosts of a file"}
    sites.write_text("name,hosts,license\n" + "".join(f"s{i}.cn,,京ICP备11020872号-{i + 1}\n" for i in range(3)))
    assert httpd.icpadmin("site", "import", sites, code=1).err.count("icpadmin license add 京ICP备11020872号") == 1, "said once for all"
    sites.write_text(f"name,hosts,license\ngood.example.cn,,{L1}\nbad..name,,\nother.example.cn,www.shop.example.cn,{L1}\n")
    taken = httpd.icpadmin("site", "import", sites, "--skip-bad")
    assert f"{sites}:3: " in taken.err
    assert [s["name"] for s in data(httpd, "site", "list")] == ["good.example.cn", "shop.example.cn"]
    httpd.icpadmin("site", "import", tmp_path / "absent.csv", code=3)


def test_an_import_of_100000_lines(register, tmp_path):
    httpd = register
    sites = tmp_path / "sites.csv"
    sites.write_text("name,hosts,license\n" + "".join(
        f"s{i}.example.com,www.s{i}.example.com,{L1}-{i % 99999 + 1}\n" for i in range(100000)))
    assert data(httpd, "site", "import", sites)["added"] == 100000
    assert data(httpd, "status")["sites"] == 100001
    names = "".join(f"s{i}.example.com\n" for i in range(10000))
    result = httpd.icpadmin("suspend", "-", "--reason", "missing", "--yes", stdin=names)
    assert result.out.count(" suspended: missing") == 10000
    assert data(httpd, "status")["suspended"] == {"missing": 10000}


# --- suspend ----------------------------------------------------------------------------------------------------------


def test_suspend(register):
    httpd = register
    before = state_of(httpd)
    tried = httpd.icpadmin("suspend", "www.shop.example.cn", "--reason", "missing", "--dry-run")
    assert "shop.example.cn suspended: missing" in tried.out
    assert state_of(httpd) == before
    answer = data(httpd, "suspend", "shop.example.cn", "--reason", "missing", "--note", "说明")[0]
    assert answer["site"] == "shop.example.cn" and answer["suspended"] and answer["error"] is None and answer["case"] > 0
    assert data(httpd, "site", "show", f"ICP-{answer['case']:06d}")["name"] == "shop.example.cn"
    httpd.icpadmin("site", "show", "ICP-999999", code=3)
    again = httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing", code=1)
    assert "shop.example.cn" in again.err and again.out == ""
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "ugly", code=2)
    httpd.icpadmin("suspend", "nobody.example.cn", "--reason", "missing", code=3)


def test_each_of_several_sites_is_an_answer_of_its_own(register):
    httpd = register
    httpd.icpadmin("site", "add", "two.example.cn", "--license", L1)
    names = ["shop.example.cn", "nobody.example.cn", "two.example.cn"]
    before = state_of(httpd)
    refused = httpd.icpadmin("suspend", *names, "--reason", "order", code=2)
    assert "suspend 3 sites" in refused.err and "--yes" in refused.err and state_of(httpd) == before
    answers = data(httpd, "suspend", "-", "--reason", "order", "--yes", stdin="\n".join(names), code=3)
    assert [(a["site"], a["suspended"]) for a in answers] == [
        ("shop.example.cn", True), ("nobody.example.cn", False), ("two.example.cn", True)]


@pytest.mark.parametrize("answer, code", [("n", 1), ("", 1), ("y", 0)])
def test_a_terminal_is_asked(register, answer, code):
    httpd = register
    httpd.icpadmin("site", "add", "two.example.cn", "--license", L1)
    shown, status = on_terminal(httpd, "suspend", "shop.example.cn", "two.example.cn", "--reason", "missing",
                                answer=answer)
    assert status == code and "This will suspend 2 sites:" in shown and "two.example.cn" in shown
    assert len(data(httpd, "site", "list", "--suspended")) == (2 if code == 0 else 0)


# --- log --------------------------------------------------------------------------------------------------------------


def test_the_log_says_who_did_what(register):
    httpd = register
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing", "--note", "by phone", "--actor", "李雷")
    event = data(httpd, "log", "--site", "www.shop.example.cn")[-1]
    assert (event["actor"], event["action"]) == ("李雷", "site.suspend")
    assert (event["subject"], event["note"]) == ("shop.example.cn", "by phone")
    assert event["after"] and abs(event["at"] - time.time()) < 600 and len(event["hash"]) == 64
    assert data(httpd, "log", "--last", "1")[0]["id"] == event["id"]
    assert "李雷" in httpd.icpadmin("log").out
    assert data(httpd, "log", "--verify") == {"verified": True, "events": event["id"], "newest": event["hash"]}
    httpd.icpadmin("log", "--verify", "--last", "3", code=2)
    httpd.icpadmin("log", "--last", "x", code=2)


def test_the_actor_is_whoever_called_sudo(register):
    register.icpadmin("suspend", "shop.example.cn", "--reason", "missing", SUDO_USER="hanmei")
    assert data(register, "log", "--last", "1")[0]["actor"] == "hanmei"


def test_a_log_that_was_changed_does_not_verify(register):
    newest = data(register, "log", "--verify")["newest"]
    register.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    assert "the chain is whole" in register.icpadmin("log", "--verify", "--noted", newest).out
    assert "another one" in register.icpadmin("log", "--verify", "--noted", "0" * 64, code=1).err
    register.icpadmin("log", "--verify", "--noted", "5d41", code=2)
    register.icpadmin("log", "--noted", newest, code=2)
    with sqlite3.connect(register.state / "private.db") as private:
        private.executescript("DROP TRIGGER event_stays_as_written; UPDATE event SET actor = 'nobody' WHERE id = 2")
    assert "2" in register.icpadmin("log", "--verify", code=1).err


def test_texts_of_the_register_cannot_move_the_cursor(register):
    register.icpadmin("suspend", "shop.example.cn", "--reason", "missing", "--note", "a\x1b[2Jb")
    assert "\x1b" not in register.icpadmin("log").out


# --- backup and restore -----------------------------------------------------------------------------------------------


def test_backup_and_restore(register, tmp_path):
    httpd = register
    backup = tmp_path / "register.backup"
    assert data(httpd, "backup", backup) == {"backup": str(backup)}
    assert backup.stat().st_mode & 0o777 == 0o600
    httpd.icpadmin("backup", backup, code=1)
    httpd.icpadmin("site", "add", "late.example.cn", "--license", L1)
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "order")
    before = state_of(httpd)
    httpd.icpadmin("restore", backup, "--dry-run")
    assert state_of(httpd) == before
    restored = data(httpd, "restore", backup)
    assert restored["stay_suspended"] == ["shop.example.cn"] and restored["saved"]
    assert [(s["name"], s["suspension"]["reason"]) for s in data(httpd, "site", "list")] == [("shop.example.cn", "order")]
    httpd.icpadmin("log", "--verify")
    httpd.icpadmin("restore", tmp_path / "absent", code=3)
    (tmp_path / "other").write_text("no backup")
    assert httpd.icpadmin("restore", tmp_path / "other", code=None).code in (1, 5)


def test_a_backup_into_the_present_folder(register, tmp_path):
    environment = {**register.environment, "ICP_REGISTER": str(register.register)}
    environment.pop("LD_PRELOAD", None)
    subprocess.run([str(BUILD / "icpadmin"), "backup", "here"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "here").exists()


# --- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor(register):
    httpd = register
    httpd.icpadmin("policy", "set", "holidays=/nonexistent/holidays.tsv")
    (bad,) = [check for check in data(httpd, "doctor", code=5) if not check["ok"]]
    assert bad["name"] == "holidays" and "/nonexistent/holidays.tsv" in bad["message"] and "State Council" in bad["remedy"]
    httpd.list_holidays()
    assert all(check["ok"] and check["remedy"] is None for check in data(httpd, "doctor"))
    (httpd.state / "sightings").rename(httpd.state / "elsewhere")  # as after a restore on a new machine
    bad, _ = [check for check in data(httpd, "doctor", code=5) if not check["ok"]]  # nor is it known for whom the intake is
    assert bad["name"] == "sightings" and f"install -d -o www-data -g www-data -m 0750 {httpd.state}/sightings" in bad["remedy"]
    (httpd.state / "elsewhere").rename(httpd.state / "sightings")
    (httpd.state / "pass.key").chmod(0o644)
    bad = [check for check in data(httpd, "doctor", code=5) if not check["ok"]]
    assert [check["name"] for check in bad] == ["pass.key"] and bad[0]["remedy"]
    assert bad[0]["message"] in httpd.icpadmin("doctor", code=5).out
    (httpd.state / "pass.key").chmod(0o600)
    (httpd.state / "register.db.bell").unlink()
    httpd.icpadmin("doctor", code=5)
    httpd.icpadmin("doctor", "--repair")
    httpd.icpadmin("doctor")
    httpd.register.write_bytes(b"not a database" * 1000)
    assert "BAD" in httpd.icpadmin("doctor", code=5).out


# --- every change takes --dry-run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, stdin", [
    (["holder", "add", "甲"], None), (["holder", "edit", "上海某某商贸有限公司", "--phone", "1"], None),
    (["license", "add", L2, "--holder", "乙"], None), (["license", "cancel", L1], None), (["license", "revoke", L1], None),
    (["license", "import", "-"], f"number,holder\n{L2},丙\n"),
    (["site", "add", "new.example.cn"], None), (["site", "edit", "shop.example.cn", "--host", "m.shop.example.cn"], None),
    (["site", "remove", "shop.example.cn"], None), (["site", "import", "-"], "name,hosts,license\nnew.example.cn,,\n"),
    (["suspend", "shop.example.cn", "--reason", "order"], None)])
def test_dry_run_changes_nothing(register, arguments, stdin):
    before = state_of(register)
    result = register.icpadmin(*arguments, "--dry-run", stdin=stdin)
    assert "dry run: nothing was changed" in result.err and state_of(register) == before
    register.icpadmin(*arguments, stdin=stdin)
    assert state_of(register) != before


# --- what --json prints is what the help says -------------------------------------------------------------------------


@pytest.mark.parametrize("command, arguments", [
    ("status", []), ("holder list", []), ("holder show", ["上海某某商贸有限公司"]), ("license list", []),
    ("license show", [L1]), ("site list", []), ("site show", ["shop.example.cn"]), ("log", []), ("doctor", []),
    ("suspend", ["shop.example.cn", "--reason", "order"]), ("license cancel", [L1]),
    ("license import", ["-"]), ("holder add", ["丁"])])
def test_json_has_what_the_help_names(register, command, arguments):
    help_text = register.icpadmin(*command.split(), "--help").out
    if command == "doctor":
        register.list_holidays()
    help_text = " ".join(help_text.split("With --json:")[1].split("\n\n")[0].split())
    printed = data(register, *command.split(), *arguments, stdin=f"number,holder\n{L2},丙\n")
    assert help_text.startswith("an array" if isinstance(printed, list) else "an object")
    for record in printed if isinstance(printed, list) else [printed]:
        assert all(re.search(rf"\b{key}\b", help_text) for key in record), record


def test_progress_is_shown_on_a_terminal_and_only_there(register, tmp_path):
    sites = tmp_path / "sites.csv"
    sites.write_text("name,hosts,license\n" + "".join(f"s{i}.example.com,,{L1}\n" for i in range(5000)))
    assert "\r" not in register.icpadmin("site", "import", sites, "--dry-run").err
    shown, status = on_terminal(register, "site", "import", str(sites), answer="")
    assert status == 0 and re.search(r"\r\x1b\[K\d+ lines, \d+%", shown)
    quiet, status = on_terminal(register, "site", "import", str(sites), "--skip-bad", "--quiet", answer="")
    assert status == 0 and "\x1b[K" not in quiet


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_read_only_file_system_is_named_and_no_restore_advised(register):
    environment = {**register.environment, "ICP_REGISTER": str(register.register)}
    environment.pop("LD_PRELOAD", None)
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" suspend shop.example.cn --reason order'
    refused = register._run(["unshare", "-m", "sh", "-c", script, "sh", str(register.state), str(BUILD / "icpadmin")], environment)
    assert refused.code == 5 and "Read-only file system" in refused.err and "mount it for writing again" in refused.err
    assert "restore" not in refused.err
