"""The inspection filter: what it sees, and that nobody can tell that it looks (rule 4).

Every pass-through case is asked of two servers that differ in nothing but the module, and the answers are compared byte
for byte.
"""
import gzip
import json
import socket
import sqlite3
import time
import zlib

import pytest

from env import NUMBER

SITE = "shop.example.cn"
URL = f"http://{SITE}/"
GOOD = f'<!DOCTYPE html><meta charset="utf-8"><p>hello</p><footer><a href="https://beian.miit.gov.cn/">{NUMBER}</a></footer>'
BARE = '<!DOCTYPE html><meta charset="utf-8"><p>hello, no number here</p>'
OTHER = '<!DOCTYPE html><meta charset="utf-8"><p>hello</p><footer>京ICP备10046444号</footer>'
EVERY = "ICPInspectInterval 0"
RARELY = "ICPInspectInterval 86400"

CGI = """#!/usr/bin/python3
import sys, time
out = sys.stdout.buffer
out.write(b"Content-Type: text/html; charset=utf-8\\r\\n\\r\\n")
for part in %r:
    if isinstance(part, (int, float)):
        out.flush(); time.sleep(part)
    else:
        out.write(part)
"""


def sightings(httpd):
    if not httpd.sightings.exists():
        return {}
    with sqlite3.connect(f"file:{httpd.sightings}?mode=ro", uri=True, timeout=10) as db:
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sighting'").fetchall():
            return {}  # a child is just making it
        rows = db.execute("SELECT site, verdict, detail, at FROM sighting").fetchall()
    return {site: {"verdict": verdict, "at": at, **json.loads(detail)} for site, verdict, detail, at in rows}


def seen(httpd, verdict, site=SITE):
    """Waits until live traffic has shown this verdict."""
    httpd.wait_for(lambda: sightings(httpd).get(site, {}).get("verdict") == verdict, f"see {site} as {verdict}")
    return sightings(httpd)[site]


def serve(httpd, page=GOOD, config=EVERY, **site):
    httpd.config(config)
    httpd.site(SITE, {"index.html": page}, **site)
    return httpd.start()


def directory(httpd, *lines):
    """Directives for the site's document root."""
    return "\n".join([f'<Directory "{httpd.docroot(SITE)}">', *lines, "</Directory>"])


def backend(make_httpd, config="", files=None, modules=()):
    """A second httpd without the module, for a site served by proxy."""
    server = make_httpd()
    server.load_icp = False
    server.load(*modules)
    server.vhost("backend.example", files or {}, config)
    return server.start()


def proxied(httpd, server, config=EVERY):
    httpd.load("proxy", "proxy_http")
    httpd.config(config)
    httpd.site(SITE, {}, f'ProxyPass "/" "http://127.0.0.1:{server.port}/"\nRequestHeader unset Accept-Encoding')
    return httpd.start()


# --- what it sees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page, verdict", [(GOOD, "displayed"), (BARE, "missing"), (OTHER, "incorrect"),
                                           (f"{BARE}<!-- {NUMBER} -->", "hidden")])
def test_static_page(httpd, page, verdict):
    serve(httpd, page)
    assert httpd.get(URL).text == page
    assert seen(httpd, verdict)["charset"] == "utf-8"


def test_one_row_per_site_and_the_newest_counts(httpd):
    serve(httpd)
    httpd.get(URL)
    seen(httpd, "displayed")
    httpd.write(SITE, {"index.html": BARE})
    httpd.get(URL)
    seen(httpd, "missing")
    assert len(sightings(httpd)) == 1


def test_true_internal_redirect_counts(httpd):
    httpd.load("rewrite")
    httpd.config(EVERY)
    files = {"start/page.html": BARE, ".htaccess": "RewriteEngine On\nRewriteRule ^$ /start/page.html [L]\n"}
    httpd.site(SITE, files, directory(httpd, "AllowOverride All"))
    httpd.start()
    assert httpd.get(URL).text == BARE
    seen(httpd, "missing")


def test_proxied_page_counts(httpd, make_httpd):
    proxied(httpd, backend(make_httpd, files={"index.html": OTHER}))
    assert httpd.get(URL).text == OTHER
    seen(httpd, "incorrect")


def test_included_page_counts_as_a_whole(httpd):
    httpd.load("include")
    httpd.config(EVERY)
    files = {"index.shtml": '<p>x</p><!--#include virtual="/footer.html" -->', "footer.html": GOOD}
    httpd.site(SITE, files, directory(httpd, "DirectoryIndex index.shtml", "Options +Includes", "AddType text/html .shtml",
                                      "AddOutputFilter INCLUDES .shtml"))
    httpd.start()
    assert GOOD in httpd.get(URL).text
    seen(httpd, "displayed")


def test_cgi_page_counts(httpd):
    cgi(httpd, [b"<p>slow</p>", 0.2, GOOD.encode(), 0.2, b"<p>end</p>"])
    assert httpd.get(URL).text.endswith("<p>end</p>")
    seen(httpd, "displayed")


@pytest.mark.parametrize("encoding, pack", [("gzip", gzip.compress), ("deflate", zlib.compress),
                                            ("deflate", lambda data: zlib.compress(data)[2:-4])])
def test_compressed_page_is_undone_on_the_side(httpd, make_httpd, encoding, pack):
    packed = pack(OTHER.encode())
    header = f"Header set Content-Encoding {encoding}"
    proxied(httpd, backend(make_httpd, header, {"index.html": packed}))
    answer = httpd.get(URL)
    assert answer.body == packed and answer.headers["Content-Encoding"] == encoding
    seen(httpd, "incorrect")


def test_unknown_coding_is_unreadable(httpd, make_httpd):
    proxied(httpd, backend(make_httpd, "Header set Content-Encoding zstd", {"index.html": b"\x28\xb5\x2f\xfd????"}))
    httpd.get(URL)
    assert seen(httpd, "unreadable")["reason"] == "encoded"


def test_broken_backend_is_unreadable(httpd):
    """A backend that promises more than it sends."""
    listener = socket.create_server(("127.0.0.1", 0))
    httpd.load("proxy", "proxy_http")
    httpd.config(EVERY)
    httpd.site(SITE, {}, f'ProxyPass "/" "http://127.0.0.1:{listener.getsockname()[1]}/"')
    httpd.allow_log(r"AH01110|AH00898|AH02609|AH01102|AH01084|AH01097|AH02807")
    httpd.start()
    with socket.create_connection(("127.0.0.1", httpd.port)) as visitor:
        visitor.sendall(f"GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
        server, _ = listener.accept()
        server.recv(65536)
        server.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n" + BARE.encode())
        time.sleep(0.3)
        server.close()
        while visitor.recv(65536):
            pass
    listener.close()
    assert seen(httpd, "unreadable")["reason"] == "truncated"


def test_limit(httpd):
    serve(httpd, "<p>x</p>" * 1000 + BARE, EVERY + "\nICPInspectLimit 4096")
    assert len(httpd.get(URL).body) > 8000
    assert seen(httpd, "unreadable")["reason"] == "limit"


# --- what does not count ---------------------------------------------------------------------------------


def test_what_is_no_home_page_is_not_looked_at(httpd):
    httpd.config(EVERY)
    httpd.vhost("marker.example.cn", {"index.html": BARE})
    httpd.register_site("marker.example.cn")
    serve(httpd, BARE)
    httpd.write(SITE, {"other.html": BARE, "data.json": "{}"})
    httpd.get(URL + "other.html")
    httpd.get(URL, method="HEAD")
    httpd.get(URL, method="POST", body=b"x=1")
    httpd.get(URL + "no-such-page")
    assert httpd.get(URL, {"If-None-Match": "*"}).status == 304
    # A later look at another site is written in the same or a later batch: by then the others would be there.
    httpd.get("http://marker.example.cn/")
    seen(httpd, "missing", "marker.example.cn")
    assert SITE not in sightings(httpd)


def test_another_spelling_of_the_home_page(httpd):
    httpd.config(EVERY + "\nICPHomepage /welcome")
    httpd.site(SITE, {"index.html": BARE, "welcome": GOOD}, directory(httpd, "ForceType text/html"))
    httpd.start()
    httpd.get(URL)
    httpd.get(f"http://{SITE}/%77elcome")
    seen(httpd, "displayed")


def test_visitor_who_goes_away_says_nothing(httpd):
    cgi(httpd, [b"<p>x</p>" * 5000, 0.5, GOOD.encode()], RARELY)
    with socket.create_connection(("127.0.0.1", httpd.port)) as visitor:
        visitor.sendall(f"GET / HTTP/1.1\r\nHost: {SITE}\r\n\r\n".encode())
        visitor.recv(100)
    # Once that is noticed, the next response gets the full read although the interval is long.
    httpd.wait_for(lambda: httpd.get(URL) and SITE in sightings(httpd))
    assert sightings(httpd)[SITE]["verdict"] == "displayed"


def test_inspect_off(httpd):
    httpd.config("ICPInspectInterval 0")
    httpd.vhost("marker.example.cn", {"index.html": BARE})
    httpd.register_site("marker.example.cn")
    httpd.site(SITE, {"index.html": BARE}, "ICPInspect Off")
    httpd.start()
    httpd.get(URL)
    httpd.get("http://marker.example.cn/")
    seen(httpd, "missing", "marker.example.cn")
    assert SITE not in sightings(httpd)


# --- when it looks ---------------------------------------------------------------------------------------


def one_child(make_httpd):
    return make_httpd(children=1)


def test_interval_and_confirmation(make_httpd):
    """Within the interval a page that changed beside the number is not read again; one that lost it is, by the next response."""
    httpd = one_child(make_httpd)
    serve(httpd, GOOD, RARELY)
    httpd.get(URL)
    first = seen(httpd, "displayed")
    httpd.write(SITE, {"index.html": GOOD.replace("hello", "good day")})
    httpd.get(URL)
    httpd.write(SITE, {"index.html": BARE})
    httpd.get(URL)  # not confirmed
    httpd.get(URL)  # full read at once
    assert seen(httpd, "missing")["at"] >= first["at"]


def test_changed_expectation_is_read_at_once(make_httpd):
    httpd = one_child(make_httpd)
    serve(httpd, GOOD, RARELY)
    httpd.get(URL)
    seen(httpd, "displayed")
    httpd.icpadmin("license", "add", "京ICP备10046444号", "--holder", "another")
    httpd.icpadmin("site", "edit", SITE, "--license", "京ICP备10046444号", "--remove-license", NUMBER)
    httpd.get(URL)
    seen(httpd, "incorrect")


def test_sightings_wait_for_a_folder_that_cannot_be_written(httpd):
    httpd.expect_log("sightings wait")
    httpd.config(EVERY)
    httpd.site(SITE, {"index.html": BARE})
    folder = httpd.sightings.parent
    folder.rename(folder.with_suffix(".away"))
    httpd.start()
    assert httpd.get(URL).status == 200
    httpd.wait_for_log("sightings wait")
    folder.with_suffix(".away").rename(folder)
    seen(httpd, "missing")
    httpd.wait_for_log("written to .* again")


# --- rule 4: nobody can tell -------------------------------------------------------------------------------


def cgi(httpd, parts, config=EVERY):
    httpd.load("cgid")
    httpd.config(config + "\nScriptSock cgisock")
    root = httpd.site(SITE, {"index.cgi": CGI % (parts,)}, directory(httpd, "DirectoryIndex index.cgi", "Options +ExecCGI",
                                                                     "AddHandler cgi-script .cgi"))
    (root / "index.cgi").chmod(0o755)
    return httpd.start()


def comparable(answer):
    fields = [(name, value) for name, value in answer.headers.items()
              if name.lower() not in ("date", "etag", "last-modified")]
    return answer.status, answer.version, sorted(fields), answer.body


CASES = {
    "small": ([], "", {"index.html": GOOD}, {}),
    "large": ([], "", {"index.html": GOOD + "<p>more</p>" * 300000}, {}),
    "deflate": (["filter", "deflate"], "SetOutputFilter DEFLATE", {"index.html": GOOD * 50}, {"Accept-Encoding": "gzip"}),
    "range": ([], "", {"index.html": GOOD * 50}, {"Range": "bytes=10-999"}),
    "substitute": (["filter", "substitute"], 'AddOutputFilterByType SUBSTITUTE text/html\nSubstitute "s/hello/good bye/"',
                   {"index.html": GOOD}, {}),
    "not html": ([], "ForceType text/plain", {"index.html": GOOD}, {}),
    "empty": ([], "", {"index.html": ""}, {}),
    "no sendfile": ([], "EnableSendfile Off\nEnableMMAP Off", {"index.html": GOOD * 200}, {}),
    "not utf-8": ([], "AddDefaultCharset Off", {"index.html": GOOD.encode("gb18030") + bytes(range(256))}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_and_headers(make_httpd, case):
    modules, config, files, headers = CASES[case]
    answers = []
    for load in (True, False):
        httpd = make_httpd()
        httpd.load_icp = load
        httpd.load(*modules)
        if load:
            httpd.config(EVERY)
            httpd.site(SITE, files, config)
        else:
            httpd.vhost(SITE, files, config)
        httpd.start()
        answers.append([comparable(httpd.get(URL, headers)) for _ in range(3)]
                       + [comparable(httpd.get(URL, headers, method="HEAD"))])
    assert answers[0] == answers[1]


def chunks(httpd):
    """When each part of a chunked answer arrived, and the parts as they stood on the wire."""
    parts = []
    with socket.create_connection(("127.0.0.1", httpd.port)) as visitor:
        visitor.sendall(f"GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
        while data := visitor.recv(65536):
            parts.append(data)
    return b"".join(parts).partition(b"\r\n\r\n")[2]


def test_slow_output_is_neither_held_back_nor_rearranged(make_httpd):
    """CGI output with pauses: the same chunks on the wire as without the module, each sent before the next is made."""
    wire = []
    for load in (True, False):
        httpd = make_httpd()
        httpd.load_icp = load
        if not load:
            httpd.site = httpd.vhost
        cgi(httpd, [b"<p>one</p>", 0.4, b"<p>two</p>", 0.4, GOOD.encode()], EVERY if load else "")
        wire.append(chunks(httpd))
    assert wire[0] == wire[1]
    assert wire[0].startswith(b"a\r\n<p>one</p>\r\na\r\n<p>two</p>\r\n")


def test_slow_output_through_deflate_is_the_same_stream(make_httpd):
    """A filter that read earlier than DEFLATE would have, or flushed where nobody did, would change the compressed bytes."""
    bodies = []
    for load in (True, False):
        httpd = make_httpd()
        httpd.load_icp = load
        httpd.load("filter", "deflate")
        if not load:
            httpd.site = httpd.vhost
        httpd.config("SetOutputFilter DEFLATE")
        cgi(httpd, [b"<p>one</p>" * 500, 0.3, b"<p>two</p>" * 500, 0.3, GOOD.encode()], EVERY if load else "")
        bodies.append(httpd.get(URL, {"Accept-Encoding": "gzip"}).body)
    assert bodies[0] == bodies[1]
    assert gzip.decompress(bodies[0]).endswith(GOOD.encode())


def test_http2(make_httpd):
    answers = []
    for load in (True, False):
        httpd = make_httpd()
        httpd.load_icp = load
        httpd.load("http2")
        if load:
            httpd.config(EVERY)
            httpd.site(SITE, {"index.html": GOOD * 100})
        else:
            httpd.vhost(SITE, {"index.html": GOOD * 100})
        httpd.start()
        answers.append(comparable(httpd.curl(URL, "--http2-prior-knowledge")))
        if load:
            seen(httpd, "displayed")
    assert answers[0] == answers[1] and answers[0][1] == "2"
