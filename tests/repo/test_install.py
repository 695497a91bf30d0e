"""make install puts everything where httpd and staff look for it, and make uninstall takes away only what it put there."""
import grp
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
UNITS = "/lib/systemd/system"


def make(*arguments):
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    settings = [f"SAN={os.environ.get('SAN', '')}", f"BUILD={os.environ.get('ICP_BUILD', 'build')}"]
    done = subprocess.run(["make", "-s", *settings, *arguments], cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def apxs(name):
    return subprocess.check_output(["apxs", "-q", name], text=True).strip()


@pytest.fixture
def image(tmp_path):
    """What an administrator with a strict umask installs."""
    umask = os.umask(0o077)
    try:
        make("install", f"DESTDIR={tmp_path}")
    finally:
        os.umask(umask)
    return tmp_path


def at(image, path):
    return image / path.lstrip("/")


def test_everything_is_in_place(image):
    module = apxs("LIBEXECDIR") + "/mod_icp.so"
    assert at(image, module).exists()
    assert os.access(at(image, apxs("SBINDIR")) / "icpadmin", os.X_OK)
    assert at(image, "/usr/share/man/man8/icpadmin.8").read_text().startswith(".")
    mods = at(image, apxs("SYSCONFDIR")) / "mods-available"
    assert (mods / "icp.load").read_text() == f"LoadModule icp_module {module}\n"
    assert "ICPEngine On" in (mods / "icp.conf").read_text()
    assert at(image, "/etc/icp/holidays.tsv").read_bytes() == (SOURCE / "conf/holidays.tsv").read_bytes()


def test_everybody_may_read_what_was_installed(image):
    """Whatever the umask; but for what the workers saw, which is the workers'."""
    for path in image.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = 0o750 if path.name == "sightings" else 0o755 if path.is_dir() or path.name == "icpadmin" else 0o644
        assert mode == wanted or path in (image / "etc", image / "usr", image / "lib", image / "var") and mode == 0o755, (path, oct(mode))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_units_are_what_systemd_understands(image):
    for target in ("timers", "multi-user", "basic", "sysinit", "shutdown", "network-online"):  # what the units refer to
        (at(image, UNITS) / f"{target}.target").write_text("[Unit]\nDescription=a target\nDefaultDependencies=no\n")
    units = sorted(at(image, UNITS).glob("icp-*.*r")) + sorted(at(image, UNITS).glob("icp-*.service")) + [at(image, UNITS) / "icp-intake.path"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={image}", *(unit.name for unit in units)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "icp-" not in done.stderr, done.stderr


def test_state_folder_is_staff_s_and_sightings_the_worker_s(image):
    state = at(image, "/var/lib/icp")
    assert stat.S_IMODE(state.stat().st_mode) == 0o755
    sightings = (state / "sightings").stat()
    assert stat.S_IMODE(sightings.st_mode) == 0o750
    if os.geteuid() == 0:
        assert state.stat().st_uid == 0
        assert pwd.getpwuid(sightings.st_uid).pw_name == "www-data" and grp.getgrgid(sightings.st_gid).gr_name == "www-data"


@pytest.mark.parametrize("name", ["mods-available/icp.conf", "/etc/icp/holidays.tsv"])
def test_install_keeps_what_was_edited(image, name):
    file = at(image, name if name.startswith("/") else f"{apxs('SYSCONFDIR')}/{name}")
    assert file.exists()
    file.write_text("# ours\n")
    make("install", f"DESTDIR={image}")
    assert file.read_text() == "# ours\n"
    make("uninstall", f"DESTDIR={image}")
    assert file.read_text() == "# ours\n"


def test_uninstall_leaves_nothing_but_the_register(image):
    register = at(image, "/var/lib/icp/register.db")
    register.write_text("kept")
    make("uninstall", f"DESTDIR={image}")
    assert [path for path in image.rglob("*") if path.is_file()] == [register]
