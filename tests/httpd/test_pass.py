"""Passes through the gate: what opens, what does not, what of a token is seen and by whom, and what caches are told."""
import hashlib
import hmac
import json
import re
import socket
import sqlite3
import threading
import time

import pytest

from test_gate import SECRET, is_open, states, suspend, suspended, vhost

URL = "http://a.example.cn/"
ECHO = """Header set X-Seen "%{SEEN}e"
RewriteEngine On
RewriteRule ^ - [E=SEEN:%{HTTP:ICP-Pass}|%{HTTP:Cookie}|%{QUERY_STRING}|%{THE_REQUEST}]"""


@pytest.fixture
def gated(httpd):
    """a.example.cn and b.example.cn, both suspended; what their code sees of tokens is in the header X-Seen."""
    httpd.load("rewrite")
    for name in ("a.example.cn", "b.example.cn"):
        vhost(httpd, name, config=ECHO)
        httpd.register_site(name)
    httpd.start()
    suspend(httpd, "a.example.cn", "b.example.cn")
    return httpd


def cookie(*tokens, name="icp-pass"):
    return {"Cookie": "; ".join(f"{name}={token}" for token in tokens)}


def mint(httpd, kind="o", site="a.example.cn", until=60, nonce="0123456789abcdef", **fields):
    """A token as icpadmin makes them, or with other fields."""
    with sqlite3.connect(httpd.register) as register:
        case, epoch = register.execute("SELECT suspension.id, pass_epoch FROM suspension JOIN site ON site.id = site_id "
                                       "WHERE name = ? AND closed_at IS NULL", [site]).fetchone()
    text = f"2.{kind}.{fields.get('case', case)}.{fields.get('epoch', epoch)}.{int(time.time()) + until}.{nonce}"
    for key in (httpd.state / "pass.key").read_text().split():
        text += "." + hmac.new(bytes.fromhex(key), text.split("." + "x" * 64)[0].encode(), hashlib.sha256).hexdigest()
    return text


class Upgrader(threading.Thread):
    """Takes one connection, upgrades it and ends it; `seen` is what it was asked."""

    def __init__(self):
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.seen = self._listener.getsockname()[1], b""
        self.start()

    def run(self):
        connection, _ = self._listener.accept()
        with self._listener, connection:
            while b"\r\n\r\n" not in self.seen:
                self.seen += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")


# -- what opens, and what does not -------------------------------------------------------------------------------------


def test_an_owner_gets_in_by_cookie_and_nobody_else(gated):
    token = gated.pass_for("a.example.cn")
    for header in (f"icp-pass={token}", f"x=y; icp-pass={token}; z=1", f"x=y;icp-pass={token}", f"__Host-icp-pass={token}"):
        answer = gated.get(URL, {"Cookie": header})
        assert is_open(answer)
        assert token not in answer.headers["X-Seen"] and "icp-pass" not in answer.headers["X-Seen"]
        assert ("x=y" in answer.headers["X-Seen"]) == ("x=y" in header)
        assert suspended(gated.get("http://b.example.cn/", {"Cookie": header})), "another site's pass"
    assert gated.get(URL, {"Cookie": f"a=b;  c = d ; icp-pass={token};; e=f"}).headers["X-Seen"].startswith("|a=b; c = d ; e=f|")
    assert suspended(gated.get(URL))
    assert states(gated, 10) == ["pass"] * 5 + ["suspended"] * 5


def test_what_is_no_pass_opens_nothing(gated):
    token = gated.pass_for("a.example.cn")
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    for bad in (forged, "", ".", "2.o", "2.o.1.0.9999999999", token + "0", token[:-1], "1" + token[1:], token.upper(), "é" * 20, "%32" + token[1:],
                "2" * 7000, token + "." + "0" * 64 + "." + "0" * 64, token.replace(".0.", ".00.", 1), f'"{token}"'):
        header = bad.encode().decode("latin-1")
        assert suspended(gated.get(URL, {"Cookie": f"icp-pass={header}"})), bad
        assert suspended(gated.get(URL, {"ICP-Pass": header})), bad
        if header.isascii():
            assert suspended(gated.get(f"{URL}?icp-pass={bad}")), bad
    assert is_open(gated.get(URL, cookie(token)))


def test_each_kind_comes_its_own_way(gated):
    owners, checkers = mint(gated, "o"), mint(gated, "c")
    assert suspended(gated.get(URL, {"ICP-Pass": owners}))
    assert suspended(gated.get(URL, cookie(checkers)))
    assert suspended(gated.get(f"{URL}?icp-pass={checkers}"))
    assert is_open(gated.get(URL, cookie(owners))) and is_open(gated.get(URL, {"ICP-Pass": checkers}))
    assert suspended(gated.get(URL, cookie(mint(gated, "x"))))


def test_a_signed_token_of_another_case_epoch_or_time(gated):
    with sqlite3.connect(gated.register) as register:
        case = register.execute("SELECT max(id) FROM suspension").fetchone()[0]
    for fields in ({"case": case + 1}, {"epoch": 1}, {"until": 0}, {"until": -1}, {"case": 10**18}, {"case": f"0{case}"}):
        assert suspended(gated.get(URL, cookie(mint(gated, **fields)))), fields


def test_a_stale_cookie_does_not_lock_out(gated):
    stale = [mint(gated, until=-1000, nonce=f"{n:016x}") for n in range(20)]
    fresh = gated.pass_for("a.example.cn")
    assert is_open(gated.get(URL, cookie(*stale, fresh)))
    assert is_open(gated.get(URL, cookie(fresh, *stale)))
    assert is_open(gated.get(URL, {"Cookie": f"icp-pass={stale[0]}; __Host-icp-pass={fresh}"}))
    assert suspended(gated.get(URL, cookie(*stale)))
    answer = gated.get(f"{URL}?icp-pass={stale[0]}&x=1", cookie(fresh))
    assert is_open(answer) and "|x=1|GET /?x=1 HTTP/1.1" in answer.headers["X-Seen"], "an old link, opened again"


def test_a_pass_ends(gated):
    token = gated.pass_for("a.example.cn", "2s")
    gated.wait_for(lambda: suspended(gated.get(URL, cookie(token))), "let the pass end")


def test_without_a_key_there_are_no_passes(httpd):
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    (httpd.state / "pass.key").rename(httpd.state / "elsewhere.key")  # the harness then writes no ICPPassKey
    httpd.start()
    assert suspended(httpd.get(URL, cookie(token)))


# -- the link ----------------------------------------------------------------------------------------------------------


def test_the_link_becomes_a_cookie(httpd):
    httpd.load("ssl")
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    answer = httpd.get(f"{URL}page.html?a=b&icp-pass={token}&c=d")
    cookie_set = answer.headers["Set-Cookie"]
    assert (answer.status, answer.headers["Location"]) == (303, "/page.html?a=b&c=d")
    assert cookie_set.startswith(f"icp-pass={token};") and "Secure" not in cookie_set and "Domain" not in cookie_set
    assert all(attribute in cookie_set for attribute in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert 3500 < int(re.search(r"Max-Age=(\d+)", cookie_set).group(1)) <= 3600
    assert answer.headers["Cache-Control"] == "private, no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert is_open(httpd.get(f"{URL}page.html", {"Cookie": cookie_set.split(";")[0]}))
    cookie_set = httpd.get(f"https://a.example.cn/?icp-pass={token}").headers["Set-Cookie"]
    assert cookie_set.startswith(f"__Host-icp-pass={token};") and "Secure" in cookie_set and "Path=/" in cookie_set and "Domain" not in cookie_set
    for path in ("//evil.example/", "///evil.example/", "/\\evil.example/"):
        status, head = httpd.raw(f"GET {path}?icp-pass={token} HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n").split(b"\r\n", 1)
        assert b"Location: /evil.example/\r\n" in head or b" 400 " in status
    assert suspended(httpd.get(f"{URL}?icp-pass={token}", method="POST", body=b"x"))


@pytest.mark.parametrize("engine", ["On", "Observe"])
def test_no_log_and_no_code_sees_the_token_of_a_link(httpd, engine):
    httpd.engine = engine
    httpd.log_format = '%v %h \\"%r\\" %U%q %{Cookie}i %{ICP-Pass}i %>s %{icp-state}n'
    httpd.load("rewrite", "status")
    httpd.config("ExtendedStatus On\n<Location /server-status>\nSetHandler server-status\n</Location>")
    httpd.site("first.example.cn")  # where localhost ends
    vhost(httpd, "a.example.cn", config=ECHO + "\nICPExempt /page.html")
    vhost(httpd, "b.example.cn")
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn", "b.example.cn")
    token, once = httpd.pass_for("a.example.cn"), mint(httpd, "c")
    answers = [httpd.get(f"{URL}?icp-pass={token}&x=1"), httpd.get(f"{URL}?x=1&icp-pass={token}#top"), httpd.get(f"{URL}?icp-pass={token}"),
               httpd.get(f"{URL}page.html?icp-pass={token}", {**cookie(token), "ICP-Pass": once}),
               httpd.get(f"http://b.example.cn/?icp-pass={token}", cookie(token)),
               httpd.get(f"{URL}?icp-pass={token}", method="POST", body=b"x")]
    assert not any(token in answer.headers.get("X-Seen", "") for answer in answers)
    assert (answers[0].status, answers[3].status) == ((303, 200) if engine == "On" else (200, 200))
    status = httpd.get("http://localhost/server-status").text
    # Of each worker only the newest request is there, and the last of them is in one of them.
    assert re.search(r"(?:GET|POST) /(?:\?x=1|page\.html)? HTTP/1\.1", status) and token[:20] not in status
    log = "\n".join(httpd.access()) if states(httpd, 7) else ""
    assert token[:20] not in log and once[:20] not in log and 'a.example.cn 127.0.0.1 "GET /?x=1 HTTP/1.1" ' in log
    assert token[:20] not in httpd.log()


def test_the_link_that_icpadmin_prints(httpd):
    httpd.register_site("a.example.cn", ["*.a.example.cn"])
    httpd.register_site("b.example.cn")
    httpd.icpadmin("site", "edit", "b.example.cn", "--homepage", "https://b.example.cn/home?x=1")
    httpd.init_register()
    suspend(httpd, "a.example.cn", "b.example.cn")

    def link(site, *options):
        given = json.loads(httpd.icpadmin("pass", site, "--for", "2h", "--json", *options).out)[0]
        return given["link"].replace(given["token"], "TOKEN")

    assert link("a.example.cn") == "http://a.example.cn/?icp-pass=TOKEN"
    assert link("a.example.cn", "--https", "--url", "/wp-login.php?a=b#form") == "https://a.example.cn/wp-login.php?a=b&icp-pass=TOKEN#form"
    assert link("b.example.cn") == "https://b.example.cn/home?x=1&icp-pass=TOKEN"
    assert link("b.example.cn", "--url", "/admin") == "https://b.example.cn/admin?icp-pass=TOKEN"
    for wrong in ("admin", "//other.example", "http://other.example/", "/a b", "/\\other", ""):
        assert "--url" in httpd.icpadmin("pass", "a.example.cn", "--for", "2h", f"--url={wrong}", code=2).err


# -- everything that an owner does -------------------------------------------------------------------------------------


def test_an_owner_works_on_the_site(httpd):
    httpd.load("cgid", "dav", "dav_fs", "alias")
    httpd.config(f"ScriptSock cgid.sock\nDavLockDB {httpd.root}/cache/locks")
    folder = httpd.root / "cache/files"
    folder.mkdir()
    folder.chmod(0o777)
    vhost(httpd, "a.example.cn", config=f'Alias /files "{folder}"\n<Location /files>\nDav On\n</Location>\n'
                                        'Redirect /old /page.html\n<Files "*.cgi">\nSetHandler cgi-script\nOptions +ExecCGI\n</Files>')
    httpd.write("a.example.cn", {"login.cgi": '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n%s %s\\n" "$REQUEST_METHOD" "$HTTP_COOKIE"; cat\n'})
    (httpd.docroot("a.example.cn") / "login.cgi").chmod(0o755)
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    owner = {"Cookie": f"session=1; icp-pass={httpd.pass_for('a.example.cn')}"}
    answer = httpd.get(f"{URL}login.cgi", owner, method="POST", body=b"user=owner")
    assert answer.text == "POST session=1\nuser=owner" and answer.headers["Cache-Control"] == "private, no-store"
    assert httpd.get(f"{URL}files/x", owner, method="PUT", body=b"z" * 300_000).status == 201
    assert (folder / "x").read_bytes() == b"z" * 300_000
    assert httpd.get(f"{URL}old", owner).headers["Location"] == f"{URL}page.html"
    assert httpd.get(f"{URL}nowhere", owner).status == 404
    for method, path in (("POST", "login.cgi"), ("PUT", "files/y"), ("GET", "old"), ("DELETE", "files/x")):
        assert suspended(httpd.get(URL + path, {"Cookie": "session=1"}, method=method, body=b"x"))


def test_a_websocket_is_opened_by_a_pass(httpd):
    backend = Upgrader()
    httpd.load("proxy", "proxy_http", "proxy_wstunnel")
    vhost(httpd, "a.example.cn", config=f"ProxyPass /ws ws://127.0.0.1:{backend.port}/")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    request = ("GET /ws HTTP/1.1\r\nHost: a.example.cn\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{}\r\n")
    assert httpd.raw(request.format(f"Cookie: icp-pass={token}\r\n")).startswith(b"HTTP/1.1 101 ")
    assert b"Upgrade: websocket" in backend.seen and token.encode() not in backend.seen
    assert httpd.raw(request.format("")).startswith(b"HTTP/1.1 451 ")


def test_over_http2(httpd):
    httpd.load("ssl", "http2")
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    token, stale = httpd.pass_for("a.example.cn"), mint(httpd, until=-5)
    url = "https://a.example.cn/"
    answer = httpd.curl(url, "--http2", "-H", f"Cookie: x=y; icp-pass={stale}", "-H", f"Cookie: icp-pass={token}")
    assert is_open(answer) and answer.version == "2" and answer.headers["ICP-Pass"].startswith("until=")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert suspended(httpd.curl(url, "--http2"))
    answer = httpd.curl(f"{url}?icp-pass={token}", "--http2")
    assert answer.status == 303 and answer.headers["Set-Cookie"].startswith("__Host-icp-pass=") and answer.headers["Location"] == "/"
    once = mint(httpd, "c")
    assert is_open(httpd.curl(url, "--http2", "-H", f"ICP-Pass: {once}")) and suspended(httpd.curl(url, "--http2", "-H", f"ICP-Pass: {once}"))
    assert states(httpd, 5) == ["pass"] * 3 + ["suspended"] * 2 and token not in "".join(httpd.access())


def test_internal_redirects_and_error_pages(httpd):
    httpd.load("rewrite")
    vhost(httpd, "a.example.cn", config="<Directory />\nAllowOverride All\n</Directory>")
    httpd.write("a.example.cn", {".htaccess": "RewriteEngine On\nRewriteRule ^from$ /page.html [L]\nErrorDocument 404 /page.html"})
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    assert is_open(httpd.get(f"{URL}from", cookie(token)))
    answer = httpd.get(f"{URL}nowhere", {"ICP-Pass": mint(httpd, "c")})
    assert answer.status == 404 and SECRET.encode() in answer.body
    assert "no-store" in answer.headers["Cache-Control"] and "until=" in answer.headers["ICP-Pass"]
    assert states(httpd, 2) == ["pass", "pass"]


# -- caches ------------------------------------------------------------------------------------------------------------


def test_caches_are_told_to_keep_out_whatever_the_site_says(httpd):
    httpd.load("rewrite", "expires")
    vhost(httpd, "a.example.cn", config='ExpiresActive On\nExpiresDefault "access plus 1 month"\n<Directory />\nAllowOverride All\n</Directory>')
    httpd.write("a.example.cn", {".htaccess": 'Header always set Cache-Control "public, max-age=86400"\nHeader set Cache-Control "public"\n'
                                              'Header set Surrogate-Control "max-age=9"\nHeader always set CDN-Cache-Control "max-age=9"\n'
                                              'Header set Vary "Accept"\nHeader always set ICP-Pass "until=never"'})
    httpd.register_site("a.example.cn")
    httpd.start()
    assert "max-age=86400" in httpd.get(URL).headers["Cache-Control"] and "Expires" in httpd.get(URL).headers
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    for path, status in (("", 200), ("nowhere", 404)):
        answer = httpd.get(URL + path, cookie(token))
        assert answer.status == status
        assert answer.headers.get_all("Cache-Control") == ["private, no-store"] and "Expires" not in answer.headers
        assert answer.headers.get_all("CDN-Cache-Control") == ["no-store"] and answer.headers.get_all("Surrogate-Control") == ["no-store"]
        assert "Cookie" in ", ".join(answer.headers.get_all("Vary"))
        until = re.fullmatch(r"until=(\d+)", *answer.headers.get_all("ICP-Pass"))
        assert 3500 < int(until.group(1)) - time.time() <= 3600
    etag = httpd.get(URL, cookie(token)).headers["ETag"]
    answer = httpd.get(URL, {**cookie(token), "If-None-Match": etag})
    assert answer.status == 304 and answer.headers.get_all("Cache-Control") == ["private, no-store"]


@pytest.mark.parametrize("quick", ["On", "Off"])
def test_httpds_own_cache_stores_nothing_of_it(httpd, quick):
    httpd.load("cache", "cache_disk", "expires")
    vhost(httpd, "a.example.cn", config=f'CacheQuickHandler {quick}\nCacheRoot "{httpd.root}/cache"\nCacheEnable disk /\nCacheIgnoreCacheControl On\n'
                                        'CacheIgnoreNoLastMod On\nCacheStoreNoStore On\nCacheStorePrivate On\nCacheDefaultExpire 3600\n'
                                        'Header set X-Cached-Page yes\nCacheHeader On\nExpiresActive On\nExpiresDefault "access plus 1 month"')
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    kept = lambda: [path for path in (httpd.root / "cache").rglob("*.header")]  # noqa: E731
    for _ in range(3):
        assert is_open(httpd.get(f"{URL}page.html", cookie(token)))
        assert is_open(httpd.get(f"{URL}page.html", {"ICP-Pass": mint(httpd, "c", nonce=f"{time.time_ns():016x}")}))
    assert kept() == []
    assert suspended(httpd.get(f"{URL}page.html")) and kept() == []
    httpd.write("a.example.cn", {"index.html": f"沪ICP备05012345号-1 {SECRET}"})
    httpd.icpadmin("enable", "a.example.cn")
    httpd.get(f"{URL}page.html")
    httpd.wait_for(kept, "store a page of the open site: the cache must be at work, or this test says nothing")


@pytest.mark.parametrize("quick, where", [("On", "CacheEnable disk /"), ("Off", "CacheEnable disk /"), ("Off", "<Location />\nCacheEnable disk\n</Location>")])
def test_httpds_own_cache_serves_nothing_to_a_bearer(httpd, quick, where):
    """A page that it stored before the suspension: the owner must see what is there now. And what an owner saw is nobody else's."""
    httpd.load("cache", "cache_disk")
    vhost(httpd, "a.example.cn", config=f'CacheQuickHandler {quick}\nCacheRoot "{httpd.root}/cache"\n{where}\nCacheIgnoreCacheControl On\n'
                                        'CacheIgnoreNoLastMod On\nCacheStoreNoStore On\nCacheStorePrivate On\nCacheDefaultExpire 3600\n'
                                        'CacheIgnoreQueryString On\nCacheHeader On\nHeader set Cache-Control "max-age=3600"')
    httpd.register_site("a.example.cn")
    httpd.start()
    url = f"{URL}page.html"
    httpd.write("a.example.cn", {"page.html": f"before {SECRET}"})
    httpd.wait_for(lambda: httpd.get(url).headers["X-Cache"].startswith("HIT"), "store the page")
    httpd.write("a.example.cn", {"page.html": f"as it is now {SECRET}"})
    assert httpd.get(url).text == f"before {SECRET}", "the cache must be at work, or this test says nothing"
    suspend(httpd, "a.example.cn")
    token = httpd.pass_for("a.example.cn")
    for header in (cookie(token), {"ICP-Pass": mint(httpd, "c")}, {**cookie(token), "Cache-Control": "only-if-cached"}):
        answer = httpd.get(url, header)
        assert answer.text == f"as it is now {SECRET}" and answer.headers["Cache-Control"] == "private, no-store", header
    assert suspended(httpd.get(url))
    httpd.write("a.example.cn", {"index.html": f"沪ICP备05012345号-1 {SECRET}"})
    httpd.icpadmin("enable", "a.example.cn")
    assert httpd.get(url).text == f"before {SECRET}", "what a bearer saw is nobody else's"
