"""SetHandler icp-status: its numbers in every form, who may ask, and that a fault of the register is seen."""
import html
import re
import shutil
import subprocess

import pytest

from env import Httpd

LOCATION = "<Location /icp-status>\nSetHandler icp-status\nRequire ip 127.0.0.1\n</Location>"
URL = "http://localhost/icp-status"


def start(httpd):
    """Four sites, six host names, two of the sites suspended."""
    httpd.allow_log("AH10159:")  # so few threads are meant
    httpd.load("authz_host")
    httpd.config(LOCATION)
    httpd.site("a.example.cn", hosts=("www.a.example.cn", "*.a.example.cn"))  # the default vhost: where localhost ends
    httpd.site("b.example.cn")
    httpd.site("c.example.cn")
    httpd.site("d.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "b.example.cn", "--reason", "missing")
    httpd.icpadmin("suspend", "c.example.cn", "--reason", "hidden")
    return httpd


@pytest.fixture(scope="module")
def server():
    """For tests that change nothing; one child, so that it is always the same that answers."""
    httpd = Httpd(children=1)
    try:
        yield start(httpd)
        httpd.close()
    finally:
        httpd.discard()


@pytest.fixture
def own_server(make_httpd):
    return start(make_httpd(children=1))


def metrics(text):
    """The samples of a page in Prometheus' text format 0.0.4, each of which must stand under its HELP and TYPE."""
    samples, declared = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE") and rest and word not in declared.setdefault(name, {})
            declared[name][word] = rest
        else:
            name, labels, value = re.fullmatch(r'([a-z_]+)(?:\{([a-z]+="[a-z]+")\})? (\d+)', line).groups()
            assert list(declared) and list(declared)[-1] == name and set(declared[name]) == {"HELP", "TYPE"}
            assert name.startswith("icp_") and declared[name]["TYPE"] == ("counter" if name.endswith("_total") else "gauge")
            samples[name, labels] = int(value)
    return samples


def test_json(server):
    answer = server.get(URL + "?json")
    status = answer.json()
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert (status["sites"], status["hosts"], status["suspended"]) == (4, 6, 2)
    assert {reason: count for reason, count in status["by_reason"].items() if count} == {"missing": 1, "hidden": 1}
    assert len(status["by_reason"]) == 7
    assert status["register"]["current"] and status["register"]["fault"] is None and status["register"]["fault_since"] is None
    assert status["register"]["path"] == str(server.register) and status["register"]["read_at"] > 1_700_000_000
    assert status["pid"] in server.child_pids()
    assert status["passes"] == (server.state / "pass.key").exists()


def test_metrics(server):
    answer = server.get(URL + "?metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = metrics(answer.text)
    assert samples["icp_sites", None] == 4 and samples["icp_hosts", None] == 6 and samples["icp_register_current", None] == 1
    assert samples["icp_suspended_sites", 'reason="hidden"'] == 1 and samples["icp_suspended_sites", 'reason="order"'] == 0
    assert "example.cn" not in answer.text


def test_page(server):
    answer = server.get(URL)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', answer.text))
    assert (rows["Sites"], rows["Host names"], rows["Suspended"], rows["– hidden"]) == ("4", "6", "2", "1")
    assert rows["File"] == str(server.register) and "– order" not in rows
    assert 'role="status"' in answer.text and rows["c.example.cn"].startswith("hidden, ") and "a.example.cn" not in rows


def test_counts_follow_the_register(own_server):
    before = own_server.get(URL + "?json").json()
    own_server.icpadmin("suspend", "d.example.cn", "--reason", "order")
    after = own_server.get(URL + "?json").json()
    assert after["suspended"] == 3 and after["by_reason"]["order"] == 1
    assert after["register"]["revision"] > before["register"]["revision"]


@pytest.mark.parametrize("query", ["", "?json", "?metrics"])
def test_headers_and_methods(server, query):
    answer = server.get(URL + query)
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
    head = server.get(URL + query, method="HEAD")
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", answer.headers["Content-Type"])
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = server.get(URL + query, method=method)
        assert answer.status == 405 and "GET" in answer.headers["Allow"]


def test_fault_of_the_register_is_shown(own_server):
    assert own_server.get(URL + "?json").json()["suspended"] == 2
    own_server.expect_log("cannot be read")
    own_server.register.write_bytes(b"nonsense" * 1000)
    own_server.wait_for(lambda: not own_server.get(URL + "?json").json()["register"]["current"])
    status = own_server.get(URL + "?json").json()
    assert "database" in status["register"]["fault"] and status["register"]["fault_since"] >= status["register"]["read_at"]
    assert status["suspended"] == 2, "what was last read stays in force"
    assert 'role="alert"' in own_server.get(URL).text and status["register"]["fault"].split(";")[0] in own_server.get(URL).text
    assert metrics(own_server.get(URL + "?metrics").text)["icp_register_current", None] == 0


# -- names, counters, other forms --------------------------------------------------------------------------------------


def test_names_are_escaped_and_shown_in_both_forms(own_server):
    hostile, idn = 'a"b"<i>&c', "xn--fiqs8s.example.cn"
    for name, host in ((hostile, "hostile.example.cn"), (idn, idn)):
        own_server.icpadmin("site", "add", name, f"--host={host}", "--serve-unlicensed")
        own_server.icpadmin("suspend", name, "--reason", "missing")
    page = own_server.get(URL).text
    assert html.escape(hostile) in page.replace("&#34;", "&quot;") and "<i>" not in page and f"中国.example.cn ({idn})" in page
    assert [site["site"] for site in own_server.get(URL + "?json").json()["suspensions"]][:2] == [idn, hostile]
    text = own_server.get(URL + "?metrics&sites").text
    assert 'site="a\\"b\\"<i>&c",reason="missing"} ' in text and f'site="{idn}"' in text


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize("query", ["?metrics", "?metrics&sites"])
def test_prometheus_can_read_it(server, query):
    done = subprocess.run(["promtool", "check", "metrics"], input=server.get(URL + query).text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_counters_are_those_of_all_children(make_httpd):
    httpd = start(make_httpd(children=3, threads=2))
    pids = set()

    def count():
        status = httpd.get(URL + "?json").json()
        pids.add(status["pid"])
        assert status["counters"]["icp_notices_total.missing"] == 30
        return len(pids) > 1

    for _ in range(30):
        assert httpd.get("http://b.example.cn/").status == 451
    httpd.wait_for(count, "answer from two children")


def test_line_in_mod_status(httpd):
    httpd.load("status")
    httpd.config("<Location /server-status>\nSetHandler server-status\nRequire ip 127.0.0.1\n</Location>")
    start(httpd)
    assert "<p>4 sites, 2 suspended; the register is up to date.</p>" in httpd.get("http://localhost/server-status").text
    assert "ICPSites: 4\nICPSuspended: 2\nICPRegisterCurrent: 1\n" in httpd.get("http://localhost/server-status?auto").text


# -- who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", [
    "<Location /icp-status>\nSetHandler icp-status\n</Location>",
    '<Location /icp-status>\nSetHandler "icp-status"\n</Location>',
    "<VirtualHost *>\nServerName v.example.cn\n<Location /icp-status>\nsethandler icp-status\n</Location>\n</VirtualHost>",
    "<VirtualHost *>\nServerName v.example.cn\nSetHandler icp-status\n</VirtualHost>",
    "<Directory />\nRequire all granted\n<If \"true\">\nSetHandler icp-status\n</If>\n</Directory>",
    "<Location /icp-status>\n<Limit POST>\nRequire ip 192.0.2.1\n</Limit>\nSetHandler icp-status\n</Location>",
    "AddHandler icp-status .icp",
])
def test_unprotected_section_is_a_configuration_error(httpd, section):
    httpd.load("authz_host")
    httpd.config(section)
    httpd.init_register()
    result = httpd.config_test()
    assert result.code != 0
    lines = httpd.conf.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "icp-status" in line and "andler" in line)
    assert f"{httpd.conf} line {number}: " in result.err and "Require" in result.err


@pytest.mark.parametrize("section", [
    LOCATION,
    "<Location /icp-status>\nRequire all granted\nSetHandler icp-status\n</Location>",
    "<Location /icp-status>\n<RequireAll>\nRequire ip 127.0.0.1\nRequire method GET\n</RequireAll>\nSetHandler icp-status\n</Location>",
    "<Location /icp-status>\n<IfModule icp_module>\nSetHandler icp-status\nRequire ip 127.0.0.1\n</IfModule>\n</Location>",
])
def test_protected_section_answers(httpd, section):
    httpd.load("authz_host")
    httpd.config(section)
    httpd.site("a.example.cn")
    httpd.start()
    assert httpd.get(URL).status == 200


def test_others_are_turned_away(httpd):
    httpd.load("authz_host")
    httpd.config(LOCATION.replace("127.0.0.1", "192.0.2.1"))
    httpd.site("a.example.cn")
    httpd.expect_log("AH01630")
    httpd.start()
    assert httpd.get(URL).status == 403


def test_no_require_at_all_is_refused_when_asked(httpd):
    """The handler comes by a way that the configuration does not show, and no Require applies."""
    httpd.load("rewrite")
    httpd.site("a.example.cn", config="RewriteEngine On\nRewriteRule ^/status$ - [H=icp-status]")
    httpd.start()
    assert httpd.get("http://localhost/status").status == 200  # <Directory /> of the harness says who: all
    httpd.stop()
    httpd.write_config()
    httpd.conf.write_text(httpd.conf.read_text().replace("Require all granted\n", ""))
    httpd.write_config = lambda: None
    httpd.expect_log("does not answer at /status.* add a Require")
    httpd.start()
    assert httpd.get("http://localhost/status").status == 403


def test_engine_off(httpd):
    httpd.engine = None
    httpd.load("authz_host")
    httpd.config(LOCATION)
    httpd.start()
    status = httpd.get(URL + "?json").json()
    assert not status["register"]["current"] and "ICPEngine" in status["register"]["fault"]
    assert 'role="alert"' in httpd.get(URL).text and metrics(httpd.get(URL + "?metrics").text)["icp_register_current", None] == 0
