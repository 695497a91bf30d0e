"""A disk that takes nothing more: what can be read is read, what cannot be changed says why, and nothing is half done."""
import os
import subprocess
import time

import pytest

SITE, NUMBER = "a.example.cn", "沪ICP备05012345号"


def mount(*options):
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(httpd):
    """The register on a file system of its own of 64 MB, behind a server with one suspended site."""
    httpd.state.mkdir(exist_ok=True)
    if os.geteuid() or not mount("-t", "tmpfs", "-o", "size=64m,mode=755", "none", httpd.state):
        pytest.skip("nothing can be mounted here")
    try:
        httpd.site(SITE, {"index.html": "x"}, number=NUMBER)
        httpd.start()
        httpd.icpadmin("suspend", SITE, "--reason", "missing")
        yield httpd
    finally:
        httpd.stop()
        subprocess.run(["umount", "--lazy", httpd.state], check=True)


def test_a_read_only_disk(disk, tmp_path):
    """As the kernel leaves it after a fault of the disk."""
    assert mount("-o", "remount,ro", disk.state)
    disk.allow_log("Read-only file system|readonly database")
    for command in (["site", "list"], ["site", "show", SITE], ["license", "list"], ["queue"], ["log", "--verify"], ["report", "--month", time.strftime("%Y-%m")]):
        assert "read-only" not in disk.icpadmin(*command).err, command
    backup = tmp_path / "register.backup"
    disk.icpadmin("backup", backup)
    assert backup.stat().st_size
    assert "the file system of" in disk.icpadmin("status", code=1).err
    assert "is read-only" in disk.icpadmin("doctor", code=5).out
    for command in (["suspend", SITE, "--reason", "order"], ["license", "cancel", NUMBER], ["policy", "set", "checks=3"], ["check", SITE]):
        said = disk.icpadmin(*command, code=5).err
        assert "Read-only file system" in said and "mount it for writing again" in said, command
    assert disk.get(f"http://{SITE}/").status == 451

    assert mount("-o", "remount,rw", disk.state)
    disk.icpadmin("policy", "set", "checks=3")
    disk.icpadmin("log", "--verify")


def test_a_full_disk(disk):
    filler = disk.state / "filler"
    room = os.statvfs(disk.state)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 100 * 1024))
    assert "is nearly full: make room" in disk.icpadmin("status", code=1).err
    assert "is nearly full" in disk.icpadmin("doctor", code=5).out
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize))
    before = disk.icpadmin("log", "--json").out
    said = disk.icpadmin("policy", "set", "checks=3", code=5).err
    assert "no space is left on its disk" in said
    assert disk.icpadmin("log", "--json").out == before
    assert disk.get(f"http://{SITE}/").status == 451

    filler.unlink()
    disk.icpadmin("policy", "set", "checks=3")
    disk.icpadmin("log", "--verify")
    disk.icpadmin("status")
