"""SetHandler icp-status: its numbers in every form, who may ask, and that a fault of the register is seen."""
import html
import re
import sqlite3
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from env import Httpd
from prometheus import samples

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


def rows(page):
    """The tables of the page: what stands first in a row to the rest of it."""
    found = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)
    return {html.unescape(re.sub("<.*?>", "", name)): html.unescape(re.sub("<.*?>", "", re.sub("</td><td.*?>", " | ", rest))) for name, rest in found}


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
    figures = samples(answer.text)
    assert figures["icp_sites", ""] == 4 and figures["icp_hosts", ""] == 6 and figures["icp_register_current", ""] == 1
    assert figures["icp_suspended_sites", "reason=hidden"] == 1 and figures["icp_suspended_sites", "reason=order"] == 0
    assert "example.cn" not in answer.text
    named = samples(server.get(URL + "?metrics&sites").text)
    assert named["icp_site_suspended_since_timestamp_seconds", "site=c.example.cn,reason=hidden"] > 1_700_000_000
    assert figures.keys() < named.keys()


def test_page(server):
    answer = server.get(URL)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    shown = rows(answer.text)
    figures = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", answer.text))
    assert (figures["Sites"], figures["Host names"], figures["Suspended"], shown["hidden"]) == ("4", "6", "2", "1")
    assert shown["File"] == str(server.register) and "order" not in shown and figures["Last sweep"] == "never"
    assert 'role="status"' in answer.text and 'role="alert"' not in answer.text
    assert shown["c.example.cn"].startswith("hidden | ICP-000002 | 20") and "a.example.cn" not in shown


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
    assert samples(own_server.get(URL + "?metrics").text)["icp_register_current", ""] == 0


# -- names, counters, other forms --------------------------------------------------------------------------------------


def test_names_are_escaped_and_shown_in_both_forms(own_server):
    hostile, idn = 'a"b"<i>&c', "xn--fiqs8s.example.cn"
    for name, host in ((hostile, "hostile.example.cn"), (idn, idn)):
        own_server.icpadmin("site", "add", name, f"--host={host}", "--serve-unlicensed")
        own_server.icpadmin("suspend", name, "--reason", "missing")
    page = own_server.get(URL).text
    assert {hostile, f"中国.example.cn ({idn})"} < rows(page).keys() and "<i>" not in page
    assert [site["site"] for site in own_server.get(URL + "?json").json()["suspensions"]][:2] == [idn, hostile]


def test_names_that_icpadmin_would_not_take_are_escaped_too(own_server):
    """Written by another hand, as with the sqlite3 shell."""
    name = 'back\\slash "quoted" line\nbreak\\n'
    with sqlite3.connect(own_server.register) as register:
        register.execute("UPDATE site SET name = ? WHERE name = 'c.example.cn'", (name,))
    register.close()
    own_server.wait_for(lambda: own_server.get(URL + "?json").json()["suspensions"][0]["site"] == name)
    text = own_server.get(URL + "?metrics&sites").text
    assert r'{site="back\\slash \"quoted\" line\nbreak\\n",reason="hidden"} ' in text
    assert ("icp_site_suspended_since_timestamp_seconds", f"site={name},reason=hidden") in samples(text)


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


def test_no_section_where_there_is_nothing_to_tell(server, make_httpd):
    """Neither without mod_status, nor with it where no gate is on."""
    assert server.get("http://localhost/server-status").status == 404
    httpd = make_httpd(children=1)
    httpd.engine = None
    httpd.load("authz_host", "status")
    httpd.config("<Location /server-status>\nSetHandler server-status\nRequire ip 127.0.0.1\n</Location>")
    httpd.start()
    for form in ("", "?auto"):
        answer = httpd.get("http://localhost/server-status" + form)
        assert answer.status == 200 and "ICP" not in answer.text


# -- the survey of checks and sweeps ------------------------------------------------------------------------------------


def survey(httpd):
    status = httpd.get(URL + "?json").json()
    return status["survey_fault"], status["verdicts"]["displayed"]


@pytest.fixture
def endless_server(own_server):
    """Its looks take forever to read, by a view in the place of the table: the gate does not look at them."""
    with sqlite3.connect(own_server.register) as register:
        register.execute("INSERT INTO inspection (site_id, verdict, first_at, last_at) VALUES (1, 'displayed', 1, 1)")
    own_server.wait_for(lambda: survey(own_server) == (None, 1))
    with register:
        register.executescript("""
            ALTER TABLE inspection RENAME TO look;
            CREATE VIEW inspection AS SELECT id, site_id, reason, detail, first_at, last_at, looks,
                (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) || verdict FROM n) AS verdict FROM look;""")
    register.close()
    return own_server


def test_survey_ends_after_a_while(endless_server):
    """So no commit waits for it for long."""
    endless_server.wait_for(lambda: survey(endless_server)[0])
    assert survey(endless_server) == ("reading the register takes longer than it may keep others waiting", 1)
    page = endless_server.get(URL).text
    assert "The figures of checks and sweeps are those of" in page and 'role="status"' in page and rows(page)["displayed"] == "1"


def test_survey_gives_way_to_the_gate(endless_server):
    """Requests that hear the bell while it reads are answered, and what it could not read is said."""
    bell = str(endless_server.register) + ".bell"

    def ask_until_a_fault():
        answer = None, 0
        while not answer[0]:
            answer = survey(endless_server)
        return answer

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask_until_a_fault)
        while not asked.done():
            with open(bell, "r+b") as word:
                number = struct.unpack("=Q", word.read(8))[0] + 1
                word.seek(0)
                word.write(struct.pack("=Q", number))
            assert endless_server.get("http://b.example.cn/").status == 451
    assert asked.result() == ("the register is being read for the gate", 1)


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
    assert 'role="alert"' in httpd.get(URL).text and samples(httpd.get(URL + "?metrics").text)["icp_register_current", ""] == 0
