"""icpadmin on a terminal: progress, and the question before a change to more than one."""
import fcntl
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

import pytest

from env import BUILD
from test_cli_live import BAD, GOOD, response
from test_sweep import sql, suspended

HOSTS = ("a.example.cn", "b.example.cn")


class Terminal:
    """A command that believes a person sits before it."""

    def __init__(self, httpd, *arguments, connect=""):
        self.leader, follower = pty.openpty()
        environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register), "ICP_CONNECT": connect or f"http=127.0.0.1:{httpd.port}"}
        self.process = subprocess.Popen([str(BUILD / "icpadmin"), *arguments], env=environment, stdin=follower, stderr=follower,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True, restore_signals=False)
        os.close(follower)
        self.said = ""

    def read(self, until=None, seconds=30):
        """What it said, up to `until` or its end."""
        deadline = time.monotonic() + seconds
        while (until is None or until not in self.said) and time.monotonic() < deadline:
            if not select.select([self.leader], [], [], 0.2)[0]:
                continue
            try:
                self.said += os.read(self.leader, 65536).decode()
            except OSError:  # nobody has the other end any longer
                break
        assert until is None or until in self.said, self.said
        return self.said

    def end(self, typed=b""):
        """Types, and gives the exit status."""
        os.write(self.leader, typed)
        self.read()
        self.process.stdout.read()
        status = self.process.wait(30)
        os.close(self.leader)
        return status


@pytest.fixture
def two(httpd, serve):
    """Two sites that fail; the address of a server that says so."""
    httpd.register_sites(HOSTS)
    httpd.icpadmin("policy", "set", "checks=0", "hours=0", "brake-share=100")
    server = serve(lambda host, count: response(BAD.encode()))
    httpd.connect = f"127.0.0.1:{server.port}"
    httpd.asked = server.hosts
    return httpd


def test_progress(two):
    terminal = Terminal(two, "check", "--all", connect=two.connect)
    assert terminal.end() == 1
    assert " of 2 sites, " in terminal.said and " failing, " in terminal.said and "/s, " in terminal.said and " left" in terminal.said


@pytest.mark.parametrize("typed, status", [(b"n\n", 1), (b"\n", 1), (b"\x04", 1), (b"yes\n", 0)])
def test_suspending_several_asks(two, typed, status):
    terminal = Terminal(two, "suspend", *HOSTS, "--reason", "order")
    assert "This will suspend 2 sites:\r\n  a.example.cn\r\n  b.example.cn\r\n" in terminal.read("[y/N] ")
    assert terminal.end(typed) == status and suspended(two) == (set() if status else {"a", "b"})
    assert ("nothing was changed" in terminal.said) == bool(status)


def test_enabling_several_asks(httpd):
    for host in HOSTS:
        httpd.site(host, {"index.html": GOOD})
    httpd.start()
    httpd.icpadmin("suspend", *HOSTS, "--reason", "order", "--yes")
    for typed, status, left in ((b"n\n", 1, {"a", "b"}), (b"y\n", 0, set())):
        terminal = Terminal(httpd, "enable", *HOSTS)
        assert "This will enable 2 sites:" in terminal.read("[y/N] ")
        assert terminal.end(typed) == status and suspended(httpd) == left


def test_an_approval_is_the_answer(two):
    two.icpadmin("policy", "set", "brake-sites=1")
    terminal = Terminal(two, "check", "--all", "--enforce", connect=two.connect)
    assert terminal.end() == 1 and "[y/N]" not in terminal.said and suspended(two) == set()
    terminal = Terminal(two, "check", "--all", "--enforce", "--approve", "2", connect=two.connect)
    assert terminal.end() == 1 and "[y/N]" not in terminal.said and suspended(two) == {"a", "b"}


def once(httpd):
    """Each of both was suspended once and told of once, and nothing is half done."""
    assert sql(httpd, "SELECT count(*) FROM suspension") == [(2,)]
    assert sql(httpd, "SELECT subject FROM outbox WHERE event = 'site.suspended' ORDER BY subject", "private.db") == [(host,) for host in HOSTS]
    assert "the chain is whole" in httpd.icpadmin("log", "--verify").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None])
def test_ended_between_the_looks_and_the_suspensions(two, number):
    """The question stands between them. What was seen is on file, nothing is suspended, and the next sweep does it once."""
    two.icpadmin("policy", "set", "on-event=/bin/true")
    terminal = Terminal(two, "check", "--all", "--enforce", connect=two.connect)
    assert "  a.example.cn: missing\r\n" in terminal.read("[y/N] ")
    if number:
        terminal.process.send_signal(number)
    assert terminal.end(b"" if number else b"n\n") == (-number if number else 1)
    assert suspended(two) == set() and sql(two, "SELECT count(*), count(ended_at) FROM sweep") == [(1, 0)]
    asked = len(two.asked)
    two.icpadmin("check", "--all", "--enforce", "--yes", ICP_CONNECT=two.connect, code=1)
    two.icpadmin("check", "--all", "--enforce", "--yes", ICP_CONNECT=two.connect, code=1)
    assert len(two.asked) == asked + 2  # of the second of these
    assert sql(two, "SELECT count(*), count(ended_at) FROM sweep") == [(2, 2)]
    once(two)


def test_no_room_for_the_suspensions(two):
    """SIGXFSZ is ignored, so that a file that may not grow is to the command what a full disk is."""
    two.icpadmin("policy", "set", "on-event=/bin/true")
    terminal = Terminal(two, "check", "--all", "--enforce", connect=two.connect)
    terminal.read("[y/N] ")
    resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    assert terminal.end(b"y\n") == 5 and "error" in terminal.said and suspended(two) == set()
    two.icpadmin("check", "--all", "--enforce", "--yes", ICP_CONNECT=two.connect, code=1)
    once(two)


HOLD = "import fcntl, os, sys, time; fd = os.open(sys.argv[1], os.O_RDONLY); fcntl.lockf(fd, fcntl.LOCK_SH, 510, 0x40000002); " \
       "print(flush=True); time.sleep(120)"


def test_a_reader_in_the_way_of_the_suspensions(two):
    """The change is tried, then made once more in a copy (libicp/register_swap.c)."""
    two.icpadmin("policy", "set", "on-event=/bin/true")
    terminal = Terminal(two, "check", "--all", "--enforce", connect=two.connect)
    terminal.read("[y/N] ")
    with subprocess.Popen([sys.executable, "-c", HOLD, str(two.register)], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        status = terminal.end(b"y\n")
        holder.kill()
    assert status == 1 and f"is held by pid {holder.pid} (" in terminal.said
    once(two)


def shown(httpd, columns, *arguments):
    """What a terminal of that many columns gets on standard output, by lines."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register)}
    environment.pop("LD_PRELOAD", None)
    with subprocess.Popen([str(BUILD / "icpadmin"), *arguments], env=environment, stdout=follower, stderr=subprocess.DEVNULL) as process:
        os.close(follower)
        text = b""
        try:
            while chunk := os.read(leader, 65536):
                text += chunk
        except OSError:  # nobody has the other end any longer
            pass
        os.close(leader)
        assert process.wait(30) == 0
    return text.decode().split("\r\n")[:-1]


def columns_of(line):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_loses_nothing(register, columns):
    hosts = [f"host-{i}.shop.example.cn" for i in range(9)]
    register.icpadmin("site", "edit", "shop.example.cn", *(f"--host={host}" for host in hosts))
    register.icpadmin("suspend", "shop.example.cn", "--reason", "missing", "--note", "店主答应明天在首页底部加上备案号，请客服届时再检查一次页面")
    for command in (["log"], ["policy", "show"], ["status"], ["site", "list"], ["site", "show", "shop.example.cn"], ["exemption", "list"],
                    ["license", "show", "沪ICP备05012345号"], ["help", "check"]):
        lines = shown(register, columns, *command)
        examples = lines.index("Example:") if "Example:" in lines else len(lines)  # which are to be pasted whole
        assert all(columns_of(line) <= columns for line in lines[:examples]), "\n".join(lines)
        letters = "".join("".join(lines).split())
        wide = register.icpadmin(*command).out
        for text in wide.split():  # the heading of a column that is empty for all is not needed
            assert text in ("-", "VERDICT", "CHECKED") or text in letters, f"{command}: {text} is lost in\n" + "\n".join(lines)


def test_a_wide_terminal_has_a_line_for_each(register):
    assert shown(register, 500, "log") == register.icpadmin("log").out.splitlines()
