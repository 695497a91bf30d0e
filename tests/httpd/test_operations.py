"""docs/operations.md, done: its commands, line by line in their order, on a private httpd with its own register and mail server. What the
test puts in the place of the machine is in `Machine`; everything else is the product. A comment "prints `TEXT`" is checked as well."""
import os
import re
import subprocess
from datetime import date

import pytest

from env import BUILD, SOURCE, WORKER
from mailserver import MailServer

PAGE = (SOURCE / "docs/operations.md").read_text()
COMMAND = re.compile(r"^    (\S.*?)(?:\s{2,}#\s*(.*))?$")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNITS = SOURCE / "conf/systemd"

# Done elsewhere, or not to be done to the machine that runs the tests.
SKIPPED = {
    "make": "tests/repo/test_install.py installs into a folder",
}

# Apache's and systemd's commands, as far as this page needs them, for the private server.
STAND_INS = {
    "a2enmod": 'test -e "$SOURCE/conf/$1.load"',
    "journalctl": "exit 0",
    "systemctl": """
case "$1 $2" in
"reload apache2" | "restart apache2" | "daemon-reload " | "list-timers "*) exit 0 ;;
"start "*)
    sed -n "s|^ExecStart=@SBINDIR@/||p" "$UNITS/$2.service" | sh -e
    status=$?
    grep -q "^SuccessExitStatus=$status$" "$UNITS/$2.service" || exit $status ;;
"enable --now") shift 2; for unit; do test -e "$UNITS/$unit" || exit 1; done ;;
*) echo "systemctl $*: not known here" >&2; exit 1 ;;
esac""",
}


def commands(page):
    """(command, what it prints or None), each with its continuation lines."""
    found, open_line = [], ""
    for line in FENCED.sub("", page).splitlines():
        match = COMMAND.match(f"    {line.strip()}" if open_line else line)
        if match and line.endswith("\\"):
            open_line += match[1][:-1]
            continue
        if not match:
            continue
        printed = re.search(r"prints `([^`]*)`", match[2] or "")
        found.append((open_line + match[1], printed and printed[1]))
        open_line = ""
    return found


def fenced(language):
    return [block[2] for block in FENCED.finditer(PAGE) if block[1] == language]


class Machine:
    """A machine as the page finds it, after make install: two customers, and httpd with the icp.conf that is delivered."""

    def __init__(self, httpd, mails):
        self.httpd, self.mails, self.here = httpd, mails, httpd.root / "here"
        self.icp_conf, self.bin = httpd.root / "conf/icp.conf", httpd.root / "bin"
        for folder in (self.here, self.bin, httpd.root / "backup"):
            folder.mkdir()
        # What the page says, and what it is here.
        self.places = {"/etc/apache2/mods-available/icp.conf": str(self.icp_conf), "/var/lib/icp": str(httpd.state),
                       "/etc/icp": str(httpd.root / "etc-icp"), "/srv/www": str(httpd.root / "www"), "/backup/": f"{httpd.root}/backup/",
                       "smtp://127.0.0.1:25": mails.url,
                       "http://localhost/": f"http://localhost:{httpd.port}/", "2026-11-24.backup": f"{date.today()}.backup"}
        self.icp_conf.write_text(self.placed((SOURCE / "conf/icp.conf").read_text()))
        httpd.engine = None
        httpd.load("authz_host", "authz_core")
        httpd.config(f'Include "{self.icp_conf}"')
        for name, suffix in (("shop.example.cn", 1), ("tea.example.cn", 2)):
            httpd.vhost(name, {"index.html": f"<p>沪ICP备05012345号-{suffix}"}, aliases=[f"www.{name}"])
        for name, script in {**STAND_INS, "apache2ctl": f'exec "{httpd.root}/apachectl" -t', "icpadmin": f'exec "{BUILD}/icpadmin" "$@"',
                             "apachectl": f'exec "{httpd.root}/apachectl" "$@"'}.items():
            (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.bin / name).chmod(0o755)
        httpd.write_config()

    def placed(self, text):
        for place, there in self.places.items():
            text = text.replace(place, there)
        return text

    def run(self, command):
        environment = {**self.httpd.environment, "PATH": f"{self.bin}:{os.environ['PATH']}", "SOURCE": str(SOURCE), "UNITS": str(UNITS),
                       "ICP_REGISTER": str(self.httpd.register), "ICP_CONNECT": f"http=127.0.0.1:{self.httpd.port}"}
        environment.pop("LD_PRELOAD", None)
        done = subprocess.run(["sh", "-c", self.placed(command)], cwd=self.here, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        if "restart apache2" in command:
            self.httpd.restart()
        elif "reload apache2" in command:
            self.httpd.graceful()
        return done.stdout

    # -- what the page tells in words: before the command that begins so -----------------------------------------------------

    def install_holidays(self):
        """Where the test's machine has none: make install puts them into /etc/icp, and staff add a year each November."""
        self.httpd.list_holidays()

    def fill_in_licenses(self):
        (self.here / "licenses.csv").write_text(fenced("csv")[0])
        sites = (self.here / "sites.csv").read_text().splitlines()
        suffix = {"shop.example.cn": "1", "tea.example.cn": "2"}
        lines = [line.split(",") for line in sites[1:] if line.split(",")[0] in suffix]
        assert len(lines) == 2, sites
        filled = [",".join([name, hosts, f"沪ICP备05012345号-{suffix[name]}", home]) for name, hosts, _, home in lines]
        (self.here / "sites.csv").write_text("\n".join([sites[0], *filled]) + "\n")

    def have_two_messages_waiting(self):
        """Of a suspension and its end, numbered as the page numbers them."""
        self.run("icpadmin suspend shop.example.cn --reason missing && icpadmin enable shop.example.cn --json >/dev/null")
        waiting = [line.split()[0] for line in self.run("icpadmin outbox list").splitlines()[1:]]
        assert len(waiting) == 2
        self.places.update(zip(("retry 12", "drop 13"), (f"retry {waiting[0]}", f"drop {waiting[1]}")))

    def give_up_the_login(self):
        assert "login icp" in (self.httpd.root / "etc-icp/mail.netrc").read_text()
        self.run("icpadmin policy set mail-server=smtp://127.0.0.1:25 mail-netrc")

    def suspend_the_shop(self):
        assert "ICPEngine On" in self.icp_conf.read_text()
        self.run("icpadmin suspend shop.example.cn --reason missing")
        assert self.httpd.get("http://shop.example.cn/").status == 451

    def add_the_pages(self):
        """Those of the page, and those of the example that is delivered."""
        (page,), example = fenced("apache"), (SOURCE / "conf/example-vhost.conf").read_text()
        example = self.placed(example.replace("shop.", "books."))
        example = re.sub(r"(SSLCertificate\w+) .*", rf'\1 "{self.httpd.root}/conf/server.pem"', example)
        self.httpd.docroot("books.example.cn").mkdir()
        self.httpd.load("ssl")
        self.httpd.config((page + example).replace(":80>", f":{self.httpd.port}>").replace(":443>", f":{self.httpd.tls_port}>"))
        self.httpd.graceful()


BEFORE = {
    "icpadmin doctor": Machine.install_holidays,
    "icpadmin license import": Machine.fill_in_licenses,
    "icpadmin outbox list": Machine.have_two_messages_waiting,
    "systemctl daemon-reload": Machine.give_up_the_login,
    "icpadmin site show shop.example.cn": Machine.suspend_the_shop,
    "curl -s 'http://localhost/icp-status": Machine.add_the_pages,
}


def test_page_from_begin_to_end(httpd):
    lines, before = commands(PAGE), dict(BEFORE)
    assert len(lines) > 40 and sum(printed is not None for _, printed in lines) >= 4
    if os.geteuid() != 0:
        lines = [(line.replace("icpadmin init", f"icpadmin init --worker {WORKER}"), printed) for line, printed in lines]
    httpd.allow_log("belongs? to no registered site|AH01909:")
    with MailServer() as mails:
        machine = Machine(httpd, mails)
        for line, printed in lines:
            if line.split()[0] in SKIPPED:
                continue
            for start in [start for start in before if line.startswith(start)]:
                before.pop(start)(machine)
            said = machine.run(line)
            assert printed is None or printed in said, f"{line}\nshould print {printed!r}, and printed:\n{said}"
        assert not before, f"commands that are no longer there: {list(before)}"
        machine.run("icpadmin check --all")  # no virtual host of the page or the example has taken the sites' requests
        assert mails.mails[0]["To"] == "me@example.cn"
    assert httpd.get("https://www.example.com/icp/faq").status == 200
    assert httpd.get("http://shop.example.cn/").status == 200


# Options and names that text uses are there; usage lines as `icpadmin help` prints them.
NAMED = sorted(SOURCE.glob("docs/*.md")) + [SOURCE / "README.md"]


@pytest.fixture(scope="module")
def manual():
    """The words of each command, and its text."""
    text = subprocess.check_output([str(BUILD / "icpadmin"), "help", "--markdown"], text=True)
    everywhere = re.findall(r"--[a-z-]+", text.split("\n## ")[0] + text[text.index("--register"):][:2000])
    parts = re.split(r"^### icpadmin (.+)$", text, flags=re.MULTILINE)
    return {tuple(name.split()): {*everywhere, *re.findall(r"--[a-z-]+", part)} for name, part in zip(parts[1::2], parts[2::2])}


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.stem)
def test_commands_that_a_page_names_exist(manual, path):
    text, wrong = path.read_text(), []
    for code in re.findall(r"`(icpadmin [^`\n]*)`", text) + [line for line, _ in commands(text) if line.startswith("icpadmin ")]:
        words = re.findall(r"\S+", code)[1:]
        names = [word for word in words if not word.startswith("-")]
        known = next((tuple(names[:n]) for n in (2, 1) if tuple(names[:n]) in manual), None)
        nouns = {command[0] for command in manual}
        if not known and not (names[:1] and (names[0] in nouns or names[0].isupper() or not names[0].isalpha())):
            wrong.append(code)
        options = {word.split("=")[0] for word in re.findall(r"--[a-z-]+", code)}
        if known and not options <= manual[known] | {"--help", "--markdown", "--man"}:
            wrong.append(f"{code}: {options - manual[known]}")
    assert not wrong
