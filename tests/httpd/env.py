"""A private Apache httpd for a test: its own ServerRoot under a temporary folder, its own loopback ports, its own register.

A test in five lines (the fixtures are in conftest.py):

    def test_suspended_site_is_gated(httpd):
        httpd.site("shop.example.cn", {"index.html": "<p>hello"})     # a vhost, and a site in the register
        httpd.start()
        httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
        assert httpd.get("http://shop.example.cn/").status == 451

More modules: httpd.load("proxy", "proxy_http"). TLS and HTTP/2: httpd.load("ssl", "http2"), then https:// URLs and
httpd.curl(url, "--http2"). A test with several servers takes the fixture `make_httpd` and calls it for each. Configuration
is written at start() and again at graceful(). Every line of level warn or worse in the error log that a test did not declare by
expect_log() (must come) or allow_log() (may come) fails it, and so does any report of a sanitizer. The logs and configuration
of a test that failed are kept in BUILD/failed; ICP_KEEP=1 leaves all folders where they are.

Settings from make: ICP_BUILD (products), ICP_HTTPD, ICP_MODULES (httpd and its modules), SAN (sanitizers of this build).
"""
import atexit
import itertools
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import client

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ICP_BUILD", "build"))
BUILD = BUILD if BUILD.is_absolute() else SOURCE / BUILD
FAILED = BUILD / "failed"      # logs of tests that failed
HTTPD = os.environ.get("ICP_HTTPD", "/usr/sbin/apache2")
MODULES = Path(os.environ.get("ICP_MODULES", "/usr/lib/apache2/modules"))
SAN = os.environ.get("SAN", "")
WORKER = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

NUMBER = "沪ICP备05012345号-1"  # what site() registers where a test names no other
WAIT = 60 if SAN else 20       # seconds before a server that does not answer is given up

BASE_MODULES = ("authn_core", "authz_core", "mime", "dir", "headers", "socache_shmcb")
MIME_TYPES = "text/html html htm\ntext/plain txt\ntext/css css\napplication/json json\nimage/png png\n"
UNDECLARED = re.compile(r"\[\w*:(emerg|alert|crit|error|warn)\]")
FORMATTED = re.compile(r"\[.*?\] \[\w*:\w+\]")
CRASHED = re.compile(r"exit signal|AH0005[12]:|double free|free\(\)|malloc\(\)|assertion", re.IGNORECASE)


def this_month():
    """As reports have it: by Beijing's clock."""
    return time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))


class HttpdError(AssertionError):
    """The server did not start, stop or log as it should."""


class Result:
    """How a command ended: code, out, err."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"<exit {self.code}\n{self.out}{self.err}>"


def shuffled_ports():
    """Below the range that outgoing connections are given, and only those of this process among the ones that share the tests:
    between the choice of a port and its use nobody else must choose it."""
    worker, workers = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(10240 + worker, 32768, workers))
    random.shuffle(ports)
    return itertools.cycle(ports)


PORTS = shuffled_ports()


def free_port():
    """A port that nobody listens on, and that was not given before."""
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue


def sanitizer_environment(reports):
    """What a sanitized module needs: its run-time in the httpd that loads it, and reports in files of their own."""
    if not SAN:
        return {}
    libraries = {"address": "libasan.so", "undefined": "libubsan.so", "thread": "libtsan.so"}
    preload = [subprocess.check_output(["gcc", f"-print-file-name={libraries[name]}"], text=True).strip() for name in SAN.split(",")]
    suppressions = SOURCE / "tests/httpd/tsan.supp"
    return {
        "LD_PRELOAD": " ".join(preload),
        "ASAN_OPTIONS": f"log_path={reports}/asan:detect_leaks=0:abort_on_error=0",
        "UBSAN_OPTIONS": f"log_path={reports}/ubsan:print_stacktrace=1",
        "TSAN_OPTIONS": f"log_path={reports}/tsan:ignore_noninstrumented_modules=1:report_signal_unsafe=0:report_thread_leaks=0:"
                        f"suppressions={suppressions}",
    }


class Httpd:
    """See the module's docstring. Paths: root, docroot(name), register, error_log, access_log. Ports: port, tls_port."""

    all = []  # whose folders exist
    _states = {}

    def __init__(self, mpm="event", children=2, threads=8, under=()):
        self.root = Path(tempfile.mkdtemp(prefix="icp-httpd-"))
        self.root.chmod(0o755)  # the worker user must get through
        self.mpm, self.children, self.threads = mpm, children, threads
        self.command = [*under, HTTPD, "-X" if under else "-DFOREGROUND"]  # under: valgrind and its options; one process then
        self.engine = "On"      # None: no ICP directive is written by the harness at all
        self.clock = None       # a Clock, which see: for httpd and icpadmin
        self.load_icp = True
        self.log_format = '%v %h \\"%r\\" %>s %{icp-state}n'
        self.port, self.tls_port = free_port(), free_port()
        self.state = self.root / "state"
        self.register = self.state / "register.db"
        self.sightings = self.state / "sightings" / "sightings.db"
        self.error_log, self.access_log = self.root / "logs/error.log", self.root / "logs/access.log"
        self.conf = self.root / "conf/httpd.conf"
        self._reports = self.root / "reports"
        for folder in ("conf", "logs", "run", "htdocs", "www", "reports", "cache"):
            (self.root / folder).mkdir()
        for folder in (self._reports, self.root / "cache"):
            folder.chmod(0o777)  # workers write here
        self._modules, self._listen, self._config, self._vhosts = list(BASE_MODULES), [], [], []
        self._licenses = set()
        self._process = None
        self.all.append(self)
        # AH0309x: event closes its pollset while a connection is on its way into it. AH01882: Debian's httpd is newer than its OpenSSL.
        # AH0004x: slow to stop under a sanitizer.
        self._expected, self._allowed = [], [re.compile(r"AH0309[23]:|AH01882:" + (r"|AH0004[56]:" if SAN else ""))]

    # -- configuration ------------------------------------------------------------------------------------------

    def load(self, *modules):
        """More httpd modules, by their short names, in the order to load them."""
        self._modules += [name for name in modules if name not in self._modules]

    def config(self, text):
        """Directives for the main server, after the harness's own."""
        self._config.append(text)

    def listen(self, address="127.0.0.1"):
        """One more address or port to listen on; returns the port."""
        port = free_port()
        self._listen.append(f"{address}:{port}")
        return port

    def docroot(self, name):
        return self.root / "www" / name

    def write(self, name, files):
        """Puts files (path: text or bytes) into a vhost's docroot."""
        for path, content in files.items():
            target = self.docroot(name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def vhost(self, name, files=None, config="", aliases=(), port=None, tls=True):
        """A name-based vhost on the plain port (or `port`) and, where mod_ssl is loaded and tls is true, the TLS port."""
        self.docroot(name).mkdir(parents=True, exist_ok=True)
        self.write(name, files or {})
        self._vhosts.append({"name": name, "config": config, "aliases": aliases, "port": port, "tls": tls})
        return self.docroot(name)

    def site(self, name, files=None, config="", hosts=(), number=NUMBER, aliases=(), **vhost):
        """A vhost, and the site in the register with that name, `hosts` besides and `number` (None: it serves unlicensed)."""
        docroot = self.vhost(name, files, config, aliases, **vhost)
        self.register_site(name, hosts, number)
        return docroot

    def register_site(self, name, hosts=(), number=NUMBER):
        license_number = number and number.split("-")[0]
        if not self.register.exists() and license_number == NUMBER.split("-")[0]:
            self._state_after(f"license {license_number}", lambda: (self.init_register(), self._add_license(license_number)))
            self._licenses.add(license_number)
        self.init_register()
        if number and license_number not in self._licenses:
            self._add_license(license_number, code=None)  # the test may have done that
        self.icpadmin("site", "add", name, *(f"--host={host}" for host in hosts),
                      *([f"--license={number}"] if number else ["--serve-unlicensed"]))

    def _add_license(self, number, code=0):
        self.icpadmin("license", "add", number, "--holder", f"holder of {number}", code=code)
        self._licenses.add(number)

    def register_sites(self, names, number=NUMBER):
        """Many sites by one command, each with a www host."""
        self.init_register()
        self.icpadmin("license", "add", number.split("-")[0], "--holder", f"holder of {number.split('-')[0]}")
        self.icpadmin("site", "import", "-",
                      stdin="name,hosts,license\n" + "".join(f"{name},www.{name},{number}\n" for name in names))

    def init_register(self):
        """Creates the register if there is none; start() never does."""
        if not self.register.exists():
            self._state_after("init", lambda: self.icpadmin("init", "--worker", WORKER))

    def _state_after(self, name, make):
        """What so many tests begin with is made once, and copied from then on."""
        if name in self._states:
            subprocess.run(["cp", "-aT", self._states[name], self.state], check=True)
        else:
            make()
            self._states[name] = tempfile.mkdtemp(prefix="icp-state-")
            atexit.register(shutil.rmtree, self._states[name], ignore_errors=True)
            subprocess.run(["cp", "-aT", self.state, self._states[name]], check=True)

    def list_holidays(self):
        """As an operator keeps the list: with this year and the next in it."""
        year = time.localtime().tm_year
        (self.state / "holidays.tsv").write_text("".join(f"{year + i}-10-01\t国庆节\toff\n" for i in range(2)))
        self.icpadmin("policy", "set", f"holidays={self.state / 'holidays.tsv'}")

    def _vhost_text(self, vhost, port, tls):
        lines = [f"<VirtualHost *:{port}>", f"ServerName {vhost['name']}", f'DocumentRoot "{self.docroot(vhost["name"])}"']
        lines += [f"ServerAlias {alias}" for alias in vhost["aliases"]]
        if tls:
            lines += ["SSLEngine on", "SSLCertificateFile conf/server.pem"]
        return "\n".join(lines + [vhost["config"], "</VirtualHost>"])

    def write_config(self):
        tls = "ssl" in self._modules
        listen = [f"127.0.0.1:{self.port}"] + ([f"127.0.0.1:{self.tls_port}"] if tls else []) + self._listen
        workers = self.children * self.threads
        lines = [f'ServerRoot "{self.root}"', "ServerName localhost", "PidFile run/httpd.pid", "DefaultRuntimeDir run"]
        lines += [f"Listen {where}" for where in listen]
        lines += [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in (f"mpm_{self.mpm}", *self._modules)]
        if self.load_icp:
            lines += [f'LoadModule icp_module "{BUILD}/mod_icp.so"']
        if os.geteuid() == 0:
            lines += [f"User {WORKER}", f"Group {WORKER}"]
        lines += [f"StartServers {self.children}", f"MaxRequestWorkers {workers}"]
        if self.mpm != "prefork":
            lines += [f"ThreadsPerChild {self.threads}", f"MinSpareThreads {self.threads}", f"MaxSpareThreads {workers}"]
        lines += ["ErrorLog logs/error.log", "LogLevel info" + (" icp:debug" if self.load_icp else ""),
                  "TypesConfig conf/mime.types", "DirectoryIndex index.html", "Timeout 30",
                  f'CustomLog logs/access.log "{self.log_format}"',
                  'DocumentRoot "htdocs"', "<Directory />", "Require all granted", "AllowOverride None", "</Directory>"]
        if tls:
            lines += ["SSLSessionCache shmcb:run/tls(65536)"]
        if "http2" in self._modules:
            lines += ["Protocols h2 h2c http/1.1"]
        if self.load_icp and self.engine:
            lines += [f"ICPEngine {self.engine}", f'ICPRegister "{self.register}"', f'ICPSightings "{self.sightings}"']
            if (self.state / "pass.key").exists():
                lines += [f'ICPPassKey "{self.state}/pass.key"']
        lines += self._config
        for vhost in self._vhosts:
            lines += [self._vhost_text(vhost, vhost["port"] or self.port, False)]
            if tls and vhost["tls"]:
                lines += [self._vhost_text(vhost, self.tls_port, True)]
        (self.root / "conf/mime.types").write_text(MIME_TYPES)
        if tls:
            self._write_certificate()
        self.conf.write_text("\n".join(lines) + "\n")
        apachectl = self.root / "apachectl"  # for icpadmin discover
        preload = sanitizer_environment(self._reports).get("LD_PRELOAD", "")
        apachectl.write_text(f'#!/bin/sh\nLD_PRELOAD="{preload}" exec "{HTTPD}" -f "{self.conf}" "$@"\n')
        apachectl.chmod(0o755)

    def _write_certificate(self):
        names = dict.fromkeys(["localhost"] + [name for v in self._vhosts for name in (v["name"], *v["aliases"])])
        pem = self.root / "conf/server.pem"
        done = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
             "-keyout", str(pem) + ".key", "-out", str(pem)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        pem.write_text(pem.read_text() + Path(f"{pem}.key").read_text())

    # -- the process --------------------------------------------------------------------------------------------

    @property
    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**kept, "LANG": "C.UTF-8", **sanitizer_environment(self._reports), **(self.clock.environment if self.clock else {})}

    @property
    def pid(self):
        return self._process.pid

    def child_pids(self):
        """The workers now serving."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def config_test(self):
        """httpd -t on the configuration as it would be started."""
        self.write_config()
        return self._run([HTTPD, "-f", str(self.conf), "-t"], self.environment)

    def start(self):
        """Returns when the server accepts connections; raises HttpdError with its log when it ends instead."""
        self.write_config()
        generations = self._generations()
        with open(self.root / "logs/startup.log", "ab") as output:
            self._process = subprocess.Popen([*self.command, "-f", str(self.conf)], stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=output, env=self.environment, start_new_session=True)
        self._wait_until(lambda: self._ready(generations), "become ready")
        return self

    def start_fails(self):
        """Expects the start to fail and returns what the server said; log levels are not checked then."""
        try:
            self.start()
        except HttpdError:
            self._allowed.append(re.compile(""))
            return self.log()
        raise HttpdError("httpd started although it should not have\n" + self.log())

    def _generations(self):
        return self.log().count("resuming normal operations")

    def _ready(self, generations):
        """Up after that many generations before? A port that accepts is not enough: httpd listens before its modules are ready."""
        if self._process.poll() is not None:
            raise HttpdError(f"httpd ended with status {self._process.returncode}\n{self.log()}")
        if "-X" not in self.command and self._generations() == generations:
            return False
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def graceful(self):
        """Writes the configuration anew and reloads; returns when the new generation is up."""
        self.write_config()
        before = self._generations()
        self._process.send_signal(signal.SIGUSR1)
        self._wait_until(lambda: self._generations() > before, "reload")

    def stop(self):
        """Ends the server if it runs."""
        if self._process is None or self._process.poll() is not None:
            return
        time.sleep(0.1)  # a SIGTERM while a child of event closes a connection can make httpd itself crash
        self._let_children_begin()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(WAIT)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise HttpdError("httpd did not stop\n" + self.log()) from None

    def kill(self):
        """All its processes at once, as a crash of the machine would; returns when the last has let go of the port."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + WAIT
        while self._somebody_listens() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _somebody_listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except ConnectionRefusedError:
            return False
        except OSError:
            pass
        return True

    def _let_children_begin(self):
        """Until a child of event or worker has its threads, httpd's handler of SIGTERM frees memory, in the midst of whatever the child is at."""
        def begun(pid):
            try:
                return len(os.listdir(f"/proc/{pid}/task")) > 1
            except FileNotFoundError:
                return True

        parent = self._process.pid
        deadline = time.monotonic() + 1
        while self.mpm != "prefork" and time.monotonic() < deadline:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            if all(map(begun, children)):
                return
            time.sleep(0.01)

    def restart(self):
        self.stop()
        return self.start()

    def _wait_until(self, condition, what):
        deadline = time.monotonic() + WAIT
        while not condition():
            if self._process.poll() is not None:
                raise HttpdError(f"httpd ended with status {self._process.returncode}\n{self.log()}")
            if time.monotonic() > deadline:
                raise HttpdError(f"httpd did not {what} within {WAIT} s\n{self.log()}")
            time.sleep(0.02)

    def wait_for(self, condition, what="do what was waited for"):
        """Polls until condition() is true; for effects that come from the watchdog."""
        self._wait_until(condition, what)

    # -- the log ------------------------------------------------------------------------------------------------

    def log(self):
        """All that the server said, from every file that it or a vhost logs errors to."""
        files = [path for path in sorted((self.root / "logs").iterdir()) if path != self.access_log]
        return "".join(path.read_text(errors="replace") for path in files)

    def access(self):
        """Lines of the access log: vhost, client, request, status, icp-state."""
        return self.access_log.read_text(errors="replace").splitlines() if self.access_log.exists() else []

    def expect_log(self, pattern):
        """A line of level warn or worse that must come before the test ends."""
        self._expected.append(re.compile(pattern))

    def allow_log(self, pattern):
        """A line of level warn or worse that may come."""
        self._allowed.append(re.compile(pattern))

    def wait_for_log(self, pattern):
        self._wait_until(lambda: re.search(pattern, self.log()), f"log {pattern!r}")

    def check_log(self):
        """Raises HttpdError for what the test did not declare."""
        lines = self.log().splitlines()
        declared = self._expected + self._allowed
        bad = [line for line in lines if CRASHED.search(line)]
        bad += [line for line in lines if (UNDECLARED.search(line) or not FORMATTED.match(line)) and line.strip()
                and line not in bad and not any(pattern.search(line) for pattern in declared)]
        bad += [f"never logged: {pattern.pattern}" for pattern in self._expected if not any(map(pattern.search, lines))]
        bad += [f"{path.name}: {path.read_text(errors='replace')}" for path in sorted(self._reports.iterdir())]
        if bad:
            raise HttpdError("in the error log:\n" + "\n".join(bad))

    def keep_logs(self):
        """Copies logs and configuration to the folder of the test that runs now, and returns where to."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").rsplit(" ", 1)[0]
        kept = FAILED / re.sub(r"[^\w.=-]+", "_", test.removeprefix("tests/"))[:150] / self.root.name
        for folder in ("logs", "conf", "reports"):
            shutil.copytree(self.root / folder, kept / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pem*", "mime.types"))
        return kept

    def close(self):
        """Stops, checks the log, removes the folder."""
        try:
            self.stop()
            self.check_log()
        except HttpdError as problem:
            raise HttpdError(f"{problem}\nkept: {self.keep_logs()}") from None
        finally:
            self.discard()

    def discard(self):
        """Stops without checking, removes the folder."""
        self.stop()
        if self in self.all:
            self.all.remove(self)
        if not os.environ.get("ICP_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    # -- requests and commands ----------------------------------------------------------------------------------

    def _port(self, url):
        return self.tls_port if url.startswith("https:") else self.port

    def get(self, url, headers=None, method="GET", body=None, address="127.0.0.1", port=None):
        """One request; the URL's host is the Host header and SNI, the connection goes to this server."""
        return client.fetch(address, port or self._port(url), url, method, headers, body)

    def raw(self, request, port=None, tls_name=None):
        """Raw bytes out, all bytes back until the server closes (send Connection: close)."""
        return client.raw("127.0.0.1", port or (self.tls_port if tls_name else self.port), request, tls_name)

    def connection(self, tls_name=None, port=None):
        """A kept-alive connection: connection.request(method, target, headers, body)."""
        return client.Connection("127.0.0.1", port or (self.tls_port if tls_name else self.port), tls_name)

    def curl(self, url, *options):
        return client.curl("127.0.0.1", self._port(url), url, *options)

    def _run(self, command, environment, stdin=None):
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=600, check=False)
        return Result(done)

    def icpadmin(self, *arguments, code=0, stdin=None, **environment):
        """Runs build/icpadmin on this server's register; asserts its exit status unless code is None."""
        connect = f"http=127.0.0.1:{self.port} https=127.0.0.1:{self.tls_port}"
        settings = {**self.environment, "ICP_REGISTER": str(self.register), "ICP_CONNECT": connect, **environment}
        if not self.clock:
            settings.pop("LD_PRELOAD", None)  # a program brings its sanitizer itself
        result = self._run([str(BUILD / "icpadmin"), *map(str, arguments)], settings, stdin or "")
        assert code is None or result.code == code, f"icpadmin {' '.join(map(str, arguments))}: {result}"
        return result

    def pass_for(self, site, duration="1h"):
        """The token of an owner's pass through the gate of a suspended site: for the cookie icp-pass, or the query parameter."""
        return json.loads(self.icpadmin("pass", site, "--for", duration, "--json").out)[0]["token"]
