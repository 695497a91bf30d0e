"""icpadmin check, enable, pass and queue against a running server: what they fetch, what they see, and what they do."""
import gzip
import json
import shutil
import socket
import threading
import time

import pytest

from canned import stop_accepting
from env import BUILD, NUMBER

OTHER = "京ICP备2021098765号-1"


def page(number="", title="小店"):
    return f'<!DOCTYPE html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>欢迎光临, 本店出售茶叶。</p>' \
           f'<footer><a href="https://beian.miit.gov.cn/">{number}</a></footer>'


GOOD, BAD, WRONG = page(NUMBER), page(), page(OTHER)


def data(httpd, *arguments, code=0, **options):
    return json.loads(httpd.icpadmin(*arguments, "--json", code=code, **options).out)


def looked(httpd, site="shop.example.cn", code=None):
    return data(httpd, "check", site, code=code)[0]


@pytest.fixture
def shop(httpd):
    httpd.site("shop.example.cn", {"index.html": BAD}, hosts=["www.shop.example.cn"], aliases=["www.shop.example.cn"])
    httpd.start()
    return httpd


# --- check ------------------------------------------------------------------------------------------------------------


def test_verdicts_of_several_sites(httpd):
    for name, content in (("good", GOOD), ("bad", BAD), ("wrong", WRONG), ("hidden", page(f"<!-- {NUMBER} -->"))):
        httpd.site(f"{name}.example.cn", {"index.html": content})
    httpd.start()
    looks = {look["site"].split(".")[0]: look for look in data(httpd, "check", "--all", code=1)}
    assert {name: look["verdict"] for name, look in looks.items()} == {
        "good": "displayed", "bad": "missing", "wrong": "incorrect", "hidden": "hidden"}
    assert looks["good"]["displayed"] == [NUMBER] and looks["wrong"]["displayed"] == [OTHER]
    good = looks["good"]
    assert good["url"] == "http://good.example.cn/" and good["status"] == 200 and good["fault"] is None
    assert data(httpd, "status")["verdicts"] == {"displayed": 1, "hidden": 1, "incorrect": 1, "missing": 1}
    assert data(httpd, "site", "show", "bad.example.cn")["verdict"] == "missing"
    assert httpd.icpadmin("check", "good.example.cn").out.splitlines()[1].split()[:2] == ["good.example.cn", "displayed"]
    assert data(httpd, "site", "list", "--suspended") == []


def test_one_site_that_fails_is_explained(shop):
    result = shop.icpadmin("check", "www.shop.example.cn", code=1)
    assert "shop.example.cn" in result.out and "missing" in result.out and NUMBER in result.out


@pytest.mark.parametrize("arguments, code", [
    ([], 2), (["--all", "shop.example.cn"], 2), (["nobody.example.cn"], 3), (["--all", "--limit", "0"], 2),
    (["shop.example.cn", "--connect", "http="], 2), (["shop.example.cn", "--connect", "a:99999"], 2)])
def test_what_cannot_be_checked(shop, arguments, code):
    assert shop.icpadmin("check", *arguments, code=code).out == ""


def test_names_from_standard_input_are_looked_at_once(shop):
    assert len(data(shop, "check", "-", code=1, stdin="shop.example.cn\nwww.shop.example.cn\n")) == 1


def test_a_dry_run_records_nothing(shop):
    shop.icpadmin("check", "--all", "--enforce", "--dry-run", code=1)
    assert data(shop, "site", "show", "shop.example.cn")["verdict"] is None
    assert shop.get("http://shop.example.cn/").status == 200


def test_enforce_suspends_what_fails_and_nothing_else(httpd):
    contents = {"good": GOOD, "bad": BAD, "wrong": WRONG, "hidden": page(f"<!-- {NUMBER} -->"), "empty": ""}
    for name, content in contents.items():
        httpd.site(f"{name}.example.cn", {"index.html": content})
    httpd.start()
    httpd.icpadmin("policy", "set", "checks=0", "hours=0", "brake-share=100")
    assert "--yes" in httpd.icpadmin("check", "--all", "--enforce", code=2).err
    assert data(httpd, "site", "list", "--suspended") == []
    looks = {look["site"]: look["suspended"] for look in data(httpd, "check", "--all", "--enforce", "--yes", code=1)}
    assert looks == {"good.example.cn": None, "bad.example.cn": "missing", "wrong.example.cn": "incorrect",
                     "hidden.example.cn": None, "empty.example.cn": None}
    for name, status in (("good", 200), ("bad", 451), ("wrong", 451), ("hidden", 200), ("empty", 200)):
        assert httpd.get(f"http://{name}.example.cn/").status == status
    assert "bad.example.cn suspended" not in httpd.icpadmin("check", "--all", "--enforce", "--yes", code=1).out


def test_a_suspended_site_is_seen_through_the_gate(shop):
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    look = looked(shop)
    assert (look["verdict"], look["status"], look["suspended"], look["displayed"]) == ("missing", 200, "missing", [])


def test_the_notice_is_never_taken_for_the_page(httpd):
    """It names the number that the site must show."""
    httpd.site("shop.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    (httpd.state / "pass.key").write_text("0" * 64 + "\n")  # not the one that httpd read
    look = looked(httpd, code=1)
    assert look["verdict"] == "unreadable" and look["displayed"] == [] and "ICPPassKey" in look["fault"]
    assert httpd.icpadmin("enable", "shop.example.cn", code=1).err
    assert httpd.get("http://shop.example.cn/").status == 451


def test_a_site_that_claims_to_be_the_notice_is_found_out(httpd):
    httpd.site("shop.example.cn", {"index.html": BAD}, config="Header set ICP-Notice missing")
    httpd.start()
    look = looked(httpd, code=1)
    assert look["verdict"] == "unreadable" and "the site's own code sends the header ICP-Notice" in look["fault"]


def test_redirects_inside_the_site_are_followed(httpd):
    httpd.load("ssl", "alias")
    httpd.site("shop.example.cn", {"home/index.html": GOOD}, hosts=["www.shop.example.cn"],
               config="RedirectMatch ^/$ http://www.shop.example.cn/step")
    httpd.vhost("www.shop.example.cn", {"home/index.html": GOOD},
                config="RedirectMatch ^/step$ https://WWW.shop.example.cn/home/")
    httpd.start()
    look = looked(httpd, code=0)
    assert look["verdict"] == "displayed" and look["url"].lower() == "https://www.shop.example.cn/home/"


@pytest.mark.parametrize("target, fault", [
    ("http://elsewhere.example.com/", "redirects to http://elsewhere.example.com/"),
    ("http://shop.example.cn.evil.example/", "redirects to"),
    ("http://shop.example.cn:6379/", "redirects to http://shop.example.cn:6379/"), ("/again", "more than 10 redirects")])
def test_redirects_that_lead_nowhere(httpd, target, fault):
    httpd.load("alias")
    httpd.site("shop.example.cn", {"index.html": GOOD}, config=f"RedirectMatch ^/ {target}")
    httpd.start()
    look = looked(httpd, code=1)
    assert (look["verdict"], look["reason"]) == ("unreadable", "redirect") and fault in look["fault"]


def test_https_where_nothing_answers_by_http(httpd):
    httpd.load("ssl")
    httpd.site("shop.example.cn", {"index.html": GOOD})
    httpd.start()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        connect = f"http=127.0.0.1:{closed.getsockname()[1]} https=127.0.0.1:{httpd.tls_port}"
        look = data(httpd, "check", "shop.example.cn", ICP_CONNECT=connect)[0]
    assert look["verdict"] == "displayed" and look["url"] == "https://shop.example.cn/"


def test_nobody_answers(shop):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        look = data(shop, "check", "shop.example.cn", "--retries", "0", "--connect", f"127.0.0.1:{closed.getsockname()[1]}", code=1)[0]
    assert (look["verdict"], look["reason"], look["status"]) == ("unreadable", "unreached", None)
    assert "no answer by http or https" in look["fault"]


def test_running_out_of_descriptors_is_no_finding(register):
    """It is this machine that cannot look: the sweep ends, nothing of it is on file, and the next one goes on."""
    names = "".join(f"s{i}.example.cn,,沪ICP备05012345号-1\n" for i in range(20))
    (register.root / "sites.csv").write_text(f"name,hosts,license\n{names}")
    register.icpadmin("site", "import", register.root / "sites.csv")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections stay open, so that they add up
        environment = {**register.environment, "ICP_REGISTER": str(register.register), "ICP_CONNECT": f"127.0.0.1:{silent.getsockname()[1]}"}
        environment.pop("LD_PRELOAD", None)
        swept = register._run(["prlimit", "--nofile=20", str(BUILD / "icpadmin"), "check", "--all", "--timeout", "5"], environment)
    assert swept.code == 5 and "Too many open files" in swept.err and "lower the policy parallel" in swept.err
    assert data(register, "status", code=None)["verdicts"] == {"never": 21}


def test_the_home_page_on_file_is_the_one_that_is_fetched(httpd):
    httpd.site("shop.example.cn", {"index.html": BAD, "start.html": GOOD})
    httpd.site("wild.example.cn", {"index.html": GOOD}, aliases=["*.wild.example.cn"])
    httpd.icpadmin("site", "edit", "shop.example.cn", "--homepage", "/start.html")
    httpd.icpadmin("site", "add", "wildcards", "--host", "*.wild2.example.cn", "--license", NUMBER)
    httpd.vhost("wild2.example.cn", {"index.html": GOOD}, aliases=["*.wild2.example.cn"])
    httpd.start()
    assert looked(httpd, code=0)["url"] == "http://shop.example.cn/start.html"
    assert looked(httpd, "wildcards", code=0)["url"] == "http://www.wild2.example.cn/"


def test_compressed_pages_and_their_charset(httpd):
    httpd.load("deflate", "filter")
    httpd.site("shop.example.cn", {"index.html": GOOD}, config="SetOutputFilter DEFLATE")
    httpd.site("gbk.example.cn", {"index.html": GOOD.replace('<meta charset="utf-8">', "").encode("gbk")},
               config="AddDefaultCharset gbk")
    httpd.start()
    assert looked(httpd, code=0)["displayed"] == [NUMBER]
    assert looked(httpd, "gbk.example.cn", code=0)["displayed"] == [NUMBER]


class Backend(threading.Thread):
    """A server that sends the same bytes to everybody and keeps what it was asked."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.asked = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (chunk := connection.recv(65536)):
                    request += chunk
                self.asked.append(request.decode())
                try:
                    connection.sendall(self.answer)
                except OSError:
                    pass

    def stop(self):
        stop_accepting(self.socket, self)


def from_backend(httpd, answer, *arguments, code=None):
    httpd.register_site("shop.example.cn")
    backend = Backend(answer)
    try:
        look = data(httpd, "check", "shop.example.cn", "--retries", "0", "--connect", f"127.0.0.1:{backend.port}", *arguments,
                    code=code)[0]
    finally:
        backend.stop()
    return look, backend.asked


def response(body, *headers, status="200 OK", length=None):
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html", f"Content-Length: {length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_what_a_site_is_asked(httpd):
    _, asked = from_backend(httpd, response(GOOD.encode()))
    headers = dict(line.split(": ", 1) for line in asked[0].split("\r\n")[1:] if line)
    assert headers["Host"] == "shop.example.cn" and "Mozilla/5.0" in headers["User-Agent"]
    assert headers["Accept-Language"].startswith("zh-CN")
    assert "gzip" in headers["Accept-Encoding"] and "ICP-Pass" not in headers


# By name: a compressed page carries the second at which it was packed, and no two processes would collect the same test.
UNJUDGED = {
    "oops": (response(GOOD.encode(), status="500 Oops"), "status"),
    "not-found": (response(GOOD.encode(), status="404 Not Found"), "status"),
    "cut": (response(BAD.encode(), length=9999), "truncated"),
    "cut-gzip": (response(gzip.compress(GOOD.encode())[:40], "Content-Encoding: gzip"), None),
    "unknown-coding": (response(GOOD.encode(), "Content-Encoding: sdch"), "encoded"),
    "no-page": (response(b""), "empty"),
    "nothing": (b"", "unreached"),
    "no-http": (b"hello", "unreached"),
    "image": (response(GOOD.encode()).replace(b"text/html", b"image/png"), "type"),
    "to-ftp": (response(b"", "Location: ftp://shop.example.cn/", status="302 Found"), None),
}


@pytest.mark.parametrize("name", UNJUDGED)
def test_answers_that_cannot_be_judged(httpd, name):
    answer, reason = UNJUDGED[name]
    look, _ = from_backend(httpd, answer, code=1)
    assert look["verdict"] == "unreadable" and look["displayed"] == []
    assert reason is None or look["reason"] == reason


def test_a_page_over_the_limit_is_left(httpd):
    endless = response(BAD.encode() + b"<p>" + b"x " * 4000000)
    look, _ = from_backend(httpd, endless, "--limit", "65536", code=1)
    assert (look["verdict"], look["reason"]) == ("unreadable", "limit")


def test_a_proxy_in_the_environment_is_not_used(shop):
    assert data(shop, "check", "shop.example.cn", code=1, http_proxy="http://127.0.0.1:9")[0]["verdict"] == "missing"


# --- enable -----------------------------------------------------------------------------------------------------------


def test_enable_takes_a_page_that_is_right(shop):
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    refused = shop.icpadmin("enable", "shop.example.cn", code=1)
    assert NUMBER in refused.out + refused.err and shop.get("http://shop.example.cn/").status == 451
    shop.write("shop.example.cn", {"index.html": WRONG})
    assert OTHER in shop.icpadmin("enable", "shop.example.cn", code=1).out
    shop.write("shop.example.cn", {"index.html": GOOD})
    assert "dry run" in shop.icpadmin("enable", "shop.example.cn", "--dry-run").err
    assert shop.get("http://shop.example.cn/").status == 451
    enabled = shop.icpadmin("enable", "www.shop.example.cn")
    assert f"shop.example.cn enabled: http://shop.example.cn/ shows {NUMBER}" in enabled.out
    assert "served to the public again" in enabled.out
    assert shop.get("http://shop.example.cn/").status == 200
    assert "not suspended" in shop.icpadmin("enable", "shop.example.cn", code=1).err
    shop.icpadmin("enable", "nobody.example.cn", code=3)
    assert [e["action"] for e in data(shop, "log", "--site", "shop.example.cn")][-1] in ("site.enable", "site.verdict")


def test_a_number_that_is_no_longer_active_does_not_enable(shop):
    shop.write("shop.example.cn", {"index.html": GOOD})
    shop.icpadmin("license", "cancel", NUMBER.split("-", maxsplit=1)[0])
    assert f"icpadmin license reinstate {NUMBER}" in shop.icpadmin("enable", "shop.example.cn", code=1).err
    assert shop.get("http://shop.example.cn/").status == 451


def test_attest_is_for_pages_that_no_machine_can_read(shop):
    attest = ("--attest", NUMBER, "--note", "in the footer image")
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    shop.icpadmin("enable", "shop.example.cn", "--attest", NUMBER, code=2)
    shop.icpadmin("enable", "shop.example.cn", "--note", "x", code=2)
    shop.icpadmin("enable", "shop.example.cn", "--attest", OTHER, "--note", "x", code=1)
    shop.write("shop.example.cn", {"index.html": WRONG})
    shop.icpadmin("enable", "shop.example.cn", *attest, code=1)
    shop.write("shop.example.cn", {"index.html": '<body><h1>店</h1><footer><img src="icp.png"></footer>'})
    assert "attests" in shop.icpadmin("enable", "shop.example.cn", *attest, "--actor", "李雷").out
    assert shop.get("http://shop.example.cn/").status == 200
    assert data(shop, "queue") == []  # it has just been judged by a person
    event = [e for e in data(shop, "log", "--site", "shop.example.cn") if e["note"] == "in the footer image"][-1]
    assert event["actor"] == "李雷" and NUMBER in json.dumps(event["after"], ensure_ascii=False)


def test_several_sites_are_enabled_each_by_itself(httpd):
    httpd.site("a.example.cn", {"index.html": GOOD})
    httpd.site("b.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "b.example.cn", "--reason", "missing", "--yes")
    httpd.icpadmin("enable", "a.example.cn", "b.example.cn", code=2)
    answers = {x["site"]: x["enabled"] for x in data(httpd, "enable", "a.example.cn", "b.example.cn", "--yes", code=1)}
    assert answers == {"a.example.cn": True, "b.example.cn": False}


def test_every_way_to_the_site_is_tried_after_enabling(shop):
    shop.load("ssl")
    shop.restart()
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    shop.write("shop.example.cn", {"index.html": GOOD})
    answer = data(shop, "enable", "shop.example.cn")[0]
    assert sorted(answer["served"]) == sorted(f"{scheme}://{host}/ (200)" for scheme in ("http", "https")
                                              for host in ("shop.example.cn", "www.shop.example.cn"))
    assert answer["noticed"] == answer["unanswered"] == []


def test_a_visitor_who_still_gets_the_notice_is_a_fault(httpd):
    """The register that was changed is not the one that httpd reads."""
    httpd.site("shop.example.cn", {"index.html": GOOD})
    httpd.start()
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    other = httpd.root / "other"
    shutil.copytree(httpd.state, other)
    result = httpd.icpadmin("enable", "shop.example.cn", code=5, ICP_REGISTER=str(other / "register.db"))
    assert "enabled" in result.out and "visitors of http://shop.example.cn/ still get the notice" in result.err
    assert httpd.get("http://shop.example.cn/").status == 451


# --- pass -------------------------------------------------------------------------------------------------------------


def test_a_pass_lets_its_bearer_in(shop):
    shop.icpadmin("pass", "shop.example.cn", "--for", "2h", code=1)
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    given = data(shop, "pass", "shop.example.cn", "--for", "30m")[0]
    assert given["link"] == f"http://shop.example.cn/?icp-pass={given['token']}"
    assert abs(given["expires_at"] - time.time() - 1800) < 300
    assert shop.get("http://shop.example.cn/", {"Cookie": f"icp-pass={given['token']}"}).status == 200
    assert shop.get("http://shop.example.cn/").status == 451
    log = shop.icpadmin("log", "--site", "shop.example.cn", "--json").out
    assert "site.pass" in log and given["token"] not in log


@pytest.mark.parametrize("duration", ["0h", "8d", "2 hours", "h", "-1h", "99999999999999999999h", "1w", ""])
def test_lengths_of_time_that_are_none(shop, duration):
    shop.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    shop.icpadmin("pass", "shop.example.cn", f"--for={duration}", code=2)
