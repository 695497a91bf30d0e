"""A fault never un-suspends (rule 6): whatever happens to register and bell, the last good state stays in force, is told of, and ends by itself."""
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from env import SAN, WORKER

SECRET = "what only the site may show"
CANNOT = r"\[icp:error\].*register.db cannot be read, and what was last read of it stays in force"
AGAIN = r"\[icp:notice\].*register.db can be read again"

# Locks the register and says so; lets go when its input ends.
LOCKER = """
import sqlite3, sys
register = sqlite3.connect(sys.argv[1], isolation_level=None)
register.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
register.execute("ROLLBACK")
"""

# Writes half of a transaction into the file, as a machine that loses its power would leave it, and dies.
HALF = """
import os, sqlite3, sys
register = sqlite3.connect(sys.argv[1], isolation_level=None)
register.execute("PRAGMA cache_size = 1")
register.execute("PRAGMA synchronous = FULL")
register.execute("BEGIN IMMEDIATE")
register.execute("UPDATE suspension SET closed_at = 1, closed_by = 'nobody'")
for number in range(3000):
    register.execute("INSERT INTO holder (kind, name, created_at) VALUES ('business', ?, 0)", (f"half written {number} " + "x" * 200,))
assert os.path.getsize(sys.argv[1] + "-journal") > 512
os.kill(os.getpid(), 9)
"""


def ring(httpd):
    """What icpadmin does after a commit."""
    with open(f"{httpd.register}.bell", "r+b") as bell:
        word = struct.unpack("=Q", bell.read(8))[0]
        bell.seek(0)
        bell.write(struct.pack("=Q", word + 1))


def two_sites(httpd):
    """a is suspended, b is open, and every child knows it."""
    for name in ("a", "b"):
        httpd.site(f"{name}.example.cn", {"index.html": SECRET})
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    time.sleep(0.5)  # a child without requests listens ten times a second; the faults here come after that
    as_it_was(httpd)


def as_it_was(httpd, times=12):
    for _ in range(times):
        answer = httpd.get("http://a.example.cn/")
        assert answer.status == 451 and SECRET.encode() not in answer.body
        assert httpd.get("http://b.example.cn/").status == 200


def recovers(httpd):
    """After the fault: a change is seen by every child."""
    httpd.icpadmin("suspend", "b.example.cn", "--reason", "order")
    for _ in range(12):
        assert httpd.get("http://b.example.cn/").status == 451


def damage_garbage(path):
    path.write_bytes(os.urandom(20000))


def damage_garbage_in_another_file(path):
    other = path.with_name("other")
    other.write_bytes(os.urandom(20000))
    other.rename(path)


def damage_truncated(path):
    os.truncate(path, path.stat().st_size // 2)


def damage_emptied(path):
    os.truncate(path, 0)


def damage_deleted(path):
    path.unlink()


def damage_pages(path):
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def damage_folder(path):
    path.unlink()
    path.mkdir()


def damage_pipe_for_a_journal(path):
    os.mkfifo(f"{path}-journal")
    os.utime(path)


def damage_newer_schema(path):
    register = sqlite3.connect(path, isolation_level=None)
    register.execute("PRAGMA user_version = 99")
    register.close()


def damage_unreadable(path):
    path.chmod(0o600)


def damage_another_database(path):
    """In one step: on the way a process would tell of two faults, and of one end."""
    other = sqlite3.connect(path.with_name("other"), isolation_level=None)
    other.execute("CREATE TABLE x (y)")
    other.close()
    path.with_name("other").rename(path)


DAMAGES = [value for name, value in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("rings", [False, True], ids=["unrung", "rung"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.removeprefix("damage_"))
def test_damage_changes_nothing_and_is_told_and_ends(httpd, damage, rings):
    if damage is damage_unreadable and os.geteuid() != 0:
        pytest.skip("the owner may always read")
    two_sites(httpd)
    good = httpd.root / "good.db"
    shutil.copy(httpd.register, good)
    httpd.expect_log(CANNOT)
    damage(httpd.register)
    if rings:
        ring(httpd)
    as_it_was(httpd)
    httpd.wait_for_log(CANNOT)
    as_it_was(httpd)
    if httpd.register.is_dir():
        httpd.register.rmdir()
    Path(f"{httpd.register}-journal").unlink(missing_ok=True)
    shutil.copy(good, httpd.register)  # nobody rings: a look once a second finds it
    httpd.register.chmod(0o644)
    httpd.wait_for(lambda: len(re.findall(AGAIN, httpd.log())) >= len(re.findall(CANNOT, httpd.log())), "recover")
    as_it_was(httpd)
    recovers(httpd)
    told = sum("cannot be read, and what was last read" in line for line in httpd.log().splitlines())
    assert told <= 3 * (1 + len(httpd.child_pids())), "once for each fault and process, not for each request or look"


def test_a_change_is_known_to_idle_children_before_the_register_comes_to_harm(make_httpd):
    """No request comes between the suspension and the damage, and yet every child knows of it."""
    httpd = make_httpd(children=4, threads=2)
    two_sites(httpd)
    httpd.expect_log(CANNOT)
    httpd.icpadmin("suspend", "b.example.cn", "--reason", "order")
    time.sleep(0.5)  # a child listens ten times a second
    damage_garbage(httpd.register)
    httpd.wait_for_log(CANNOT)
    for _ in range(40):
        assert httpd.get("http://b.example.cn/").status == 451


@pytest.mark.skipif("thread" in SAN, reason="the parent then has no thread of its own and learns of changes only every ten seconds")
def test_a_restart_in_the_middle_of_a_fault(httpd):
    """The parent hands on what it knew; new children begin with it."""
    two_sites(httpd)
    good = httpd.register.read_bytes()
    httpd.expect_log(CANNOT)
    damage_garbage(httpd.register)
    httpd.graceful()
    as_it_was(httpd, 30)
    for pid in httpd.child_pids():
        os.kill(pid, signal.SIGTERM)
    as_it_was(httpd, 30)
    httpd.register.write_bytes(good)
    httpd.wait_for_log(AGAIN)
    recovers(httpd)


def test_locked_by_a_writer(httpd):
    two_sites(httpd)
    with subprocess.Popen([sys.executable, "-c", LOCKER, httpd.register], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout.readline() == "locked\n"
        as_it_was(httpd)
        locker.stdin.close()
    recovers(httpd)


def test_a_request_waits_for_the_commit_it_was_told_of(httpd):
    """The bell has rung, and another writer is in the way: the state before is not served, the new one is waited for."""
    two_sites(httpd)
    register = sqlite3.connect(httpd.register, isolation_level=None, check_same_thread=False)
    register.execute("PRAGMA foreign_keys = ON")
    register.execute("BEGIN EXCLUSIVE")
    register.execute("INSERT INTO suspension (site_id, reason, opened_at, opened_by) SELECT id, 'order', 1, 'test' FROM site WHERE name = 'b.example.cn'")
    ring(httpd)
    with httpd.connection() as connection:
        commit = subprocess.Popen(["sleep", "3"])  # longer than the parent waits, which says nothing of it
        thread = threading.Thread(target=lambda: (commit.wait(), register.execute("COMMIT")))
        thread.start()
        assert connection.request("GET", "/", {"Host": "b.example.cn"}).status == 451
        thread.join()


def test_a_transaction_cut_short_is_rolled_back_by_the_parent(httpd):
    two_sites(httpd)
    subprocess.run([sys.executable, "-c", HALF, httpd.register], check=False)
    journal = httpd.register.with_name("register.db-journal")
    assert journal.stat().st_size > 512
    httpd.allow_log(CANNOT)
    ring(httpd)
    as_it_was(httpd)
    httpd.wait_for(lambda: not journal.exists(), "roll back")
    httpd.wait_for(lambda: len(re.findall(AGAIN, httpd.log())) >= len(re.findall(CANNOT, httpd.log())), "recover")
    as_it_was(httpd)
    recovers(httpd)


def test_a_transaction_cut_short_does_not_keep_httpd_from_starting(httpd):
    two_sites(httpd)
    httpd.stop()
    subprocess.run([sys.executable, "-c", HALF, httpd.register], check=False)
    httpd.start()
    as_it_was(httpd)


@pytest.mark.parametrize("damage", [damage_deleted, damage_emptied, damage_garbage, damage_folder, damage_garbage_in_another_file],
                         ids=lambda damage: damage.__name__.removeprefix("damage_"))
def test_a_bell_that_comes_to_harm(httpd, damage):
    """No child dies of it, and a change is still seen when the command returns."""
    two_sites(httpd)
    bell = httpd.register.with_name("register.db.bell")
    before = httpd.child_pids()
    damage(bell)
    as_it_was(httpd)
    if bell.is_dir():
        bell.rmdir()
    recovers(httpd)
    assert httpd.child_pids() == before


def test_a_bell_copied_over_under_load(httpd):
    """`cp` truncates the file under the children that have it mapped."""
    two_sites(httpd)
    bell = httpd.register.with_name("register.db.bell")
    copy = httpd.root / "copy.bell"
    shutil.copy(bell, copy)
    before = httpd.child_pids()
    for _ in range(20):
        os.truncate(bell, 0)
        as_it_was(httpd, 2)
        shutil.copy(copy, bell)
        as_it_was(httpd, 2)
    assert httpd.child_pids() == before
    recovers(httpd)


def test_a_change_without_a_ring_is_found(httpd):
    """By the sqlite3 shell, or a register moved into place: within about a second."""
    two_sites(httpd)
    register = sqlite3.connect(httpd.register, isolation_level=None)
    register.execute("INSERT INTO suspension (site_id, reason, opened_at, opened_by) SELECT id, 'order', 1, 'test' FROM site WHERE name = 'b.example.cn'")
    register.close()
    httpd.wait_for(lambda: all(httpd.get("http://b.example.cn/").status == 451 for _ in range(8)), "find the change")
    register = sqlite3.connect(httpd.register, isolation_level=None)
    register.execute("UPDATE suspension SET closed_at = 2, closed_by = 'test' WHERE reason = 'order'")
    register.close()
    shutil.copy(httpd.register, httpd.root / "copy.db")
    shutil.move(httpd.root / "copy.db", httpd.register)
    httpd.wait_for(lambda: all(httpd.get("http://b.example.cn/").status == 200 for _ in range(8)), "find the change")
    assert httpd.get("http://a.example.cn/").status == 451


def test_a_change_takes_effect_in_a_child_without_descriptors(make_httpd):
    """What opens no file, such as a page by an idle connection to a backend, is served all the same, and so must be gated."""
    httpd = make_httpd(children=1)
    two_sites(httpd)
    httpd.allow_log("Too many open files")

    def limit(pid, files):
        identity = {"user": WORKER, "group": WORKER, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={files}:"], check=True, **identity)

    (child,) = httpd.child_pids()
    with httpd.connection() as connection:
        assert connection.request("GET", "/", {"Host": "b.example.cn"}).status == 200
        time.sleep(0.5)  # the page's own file is closed after it was sent
        taken = {int(fd) for fd in os.listdir(f"/proc/{child}/fd")}
        limit(child, min(set(range(len(taken) + 1)) - taken))
        httpd.icpadmin("suspend", "b.example.cn", "--reason", "order")
        for _ in range(3):
            assert connection.request("GET", "/", {"Host": "b.example.cn"}).status == 451
        limit(child, 1024)


def test_a_killed_child_is_replaced_by_one_that_knows(httpd):
    two_sites(httpd)
    httpd.allow_log("exit signal Killed")
    for pid in httpd.child_pids():
        os.kill(pid, signal.SIGKILL)
    httpd.wait_for(lambda: len(httpd.child_pids()) >= 2, "replace its children")
    as_it_was(httpd, 30)


# -- start-up ------------------------------------------------------------------------------------------------------


def start_up(httpd, engine="On"):
    httpd.engine = engine
    httpd.site("a.example.cn", {})


@pytest.mark.parametrize("engine", ["On", "Observe"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.removeprefix("damage_"))
def test_no_start_without_a_good_register(httpd, damage, engine):
    if damage is damage_unreadable and os.geteuid() != 0:
        pytest.skip("the owner may always read")
    start_up(httpd, engine)
    damage(httpd.register)
    said = httpd.start_fails()
    assert f"{httpd.register}" in said and "[icp:crit]" in said
    httpd._process.wait()
    assert httpd._process.returncode != 0


def test_without_an_engine_the_register_is_not_needed(httpd):
    httpd.engine = "Off"
    httpd.vhost("a.example.cn", {"index.html": SECRET})
    httpd.start()
    assert httpd.get("http://a.example.cn/").status == 200


def test_another_register_at_a_restart_is_not_taken_for_the_first(httpd):
    """What the parent keeps belongs to the file it was read from."""
    two_sites(httpd)
    other = httpd.root / "other"
    other.mkdir()
    httpd.config(f'ICPRegister "{other}/register.db"')
    httpd.allow_log("")
    with pytest.raises(AssertionError):
        httpd.graceful()
    assert "httpd cannot start with ICPEngine" in httpd.log()
