"""Which requests the gate takes: the matching of hosts and vhosts, every method and protocol, what goes through (rule 1)."""
import re

import pytest

SECRET = "what only the site may show"


def suspended(answer):
    return answer.status == 451 and SECRET.encode() not in answer.body


def is_open(answer):
    return answer.status == 200 and SECRET.encode() in answer.body


def states(httpd, count):
    """Sorted, the state of each request, once so many are logged: each thread writes its line when its answer is out."""
    httpd.wait_for(lambda: len(httpd.access()) >= count, f"log {count} requests")
    return sorted(line.split()[-1] for line in httpd.access())


def vhost(httpd, name, **options):
    httpd.vhost(name, {"index.html": SECRET, "page.html": SECRET}, **options)


def suspend(httpd, *sites, reason="missing"):
    httpd.icpadmin("suspend", *sites, "--reason", reason, *(["--yes"] if len(sites) > 1 else []))


# -- Host and vhost ---------------------------------------------------------------------------------------------


def test_only_the_suspended_site_is_gated(httpd):
    for name in ("a.example.cn", "b.example.cn"):
        vhost(httpd, name)
        httpd.register_site(name)
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert suspended(httpd.get("http://a.example.cn/"))
    assert suspended(httpd.get("http://a.example.cn/page.html"))
    assert suspended(httpd.get("http://a.example.cn/no-such-page"))
    assert is_open(httpd.get("http://b.example.cn/"))


@pytest.mark.parametrize("host", ["www.a.example.cn", "shop.a.example.cn", "x.y.a.example.cn", "A.Example.CN", "a.example.cn.", "a.example.cn:81"])
def test_every_spelling_of_a_host(httpd, host):
    vhost(httpd, "a.example.cn", aliases=["*.a.example.cn"])
    vhost(httpd, "b.example.cn")
    httpd.register_site("a.example.cn", ["www.a.example.cn", "*.a.example.cn"])
    httpd.register_site("b.example.cn")
    httpd.start()
    assert is_open(httpd.get("http://a.example.cn/", {"Host": host}))
    suspend(httpd, "a.example.cn")
    assert suspended(httpd.get("http://a.example.cn/", {"Host": host}))


def test_idn_in_any_form(httpd):
    vhost(httpd, "a.example.cn", aliases=["xn--3ds443g.cn"])
    httpd.register_site("a.example.cn", ["在线.cn"])
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert suspended(httpd.get("http://xn--3ds443g.cn/"))


def test_a_host_that_only_the_register_knows(httpd):
    """One vhost for all, as with mod_vhost_alias: the Host alone tells the site."""
    httpd.vhost("pool.example.net", {"index.html": SECRET}, aliases=["*"])
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn", ["*.b.example.cn"])
    httpd.allow_log("belongs to no registered site")
    httpd.start()
    suspend(httpd, "a.example.cn", "b.example.cn")
    assert suspended(httpd.get("http://a.example.cn/"))
    assert suspended(httpd.get("http://www.b.example.cn/"))
    assert is_open(httpd.get("http://www.a.example.cn/")), "no host of the site"
    assert is_open(httpd.get("http://c.example.cn/"))


def test_the_vhost_tells_where_the_host_does_not(httpd):
    vhost(httpd, "a.example.cn", aliases=["www.a.example.cn", "old.example.net"])
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert suspended(httpd.get("http://www.a.example.cn/")), "an alias that is not registered"
    assert suspended(httpd.get("http://old.example.net/"))
    assert suspended(httpd.get("http://anything.example.org/")), "a stray Host that ends up in the first vhost"
    assert suspended(httpd.get(f"http://127.0.0.1:{httpd.port}/"))
    assert suspended(httpd.get("http://[::1]/"))
    for request in ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", "GET /\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n"):
        assert SECRET.encode() not in httpd.raw(request), request
    assert b" 451 " in httpd.raw("GET / HTTP/1.0\r\n\r\n").split(b"\r\n")[0]


@pytest.mark.parametrize("registered", ["www.a.example.cn", "*.a.example.cn", "*.example.cn"])
def test_an_alias_makes_the_vhost_the_sites(httpd, registered):
    alias = registered if registered != "*.example.cn" else "*.a.example.cn"  # covered by a wider wildcard
    vhost(httpd, "pool.example.net", aliases=[alias])
    httpd.register_site("some-site", [registered])
    httpd.start()
    suspend(httpd, "some-site")
    assert suspended(httpd.get("http://pool.example.net/"))
    assert suspended(httpd.get("http://stray.example.org/"))


def test_icpsite_makes_the_vhost_the_sites(httpd):
    vhost(httpd, "pool.example.net", config="ICPSite shop")
    httpd.register_site("shop", ["shop.example.cn"])
    httpd.start()
    assert is_open(httpd.get("http://pool.example.net/"))
    suspend(httpd, "shop")
    assert suspended(httpd.get("http://pool.example.net/"))
    assert suspended(httpd.get("http://shop.example.cn/"))


def test_a_host_of_another_registered_site_decides(httpd):
    """One vhost of two sites: the Host says which one is asked for."""
    vhost(httpd, "a.example.cn", aliases=["b.example.cn", "*.c.example.cn"])
    for name, hosts in (("a.example.cn", []), ("b.example.cn", []), ("c", ["www.c.example.cn"])):
        httpd.register_site(name, hosts)
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert suspended(httpd.get("http://a.example.cn/"))
    assert is_open(httpd.get("http://b.example.cn/"))
    assert is_open(httpd.get("http://www.c.example.cn/"))
    assert suspended(httpd.get("http://other.c.example.cn/"))


def test_a_borrowed_host_does_not_open_another_vhost(httpd):
    """The Host of an open site, on a port where only the suspended site answers."""
    port = httpd.listen()
    vhost(httpd, "a.example.cn", port=port)
    vhost(httpd, "b.example.cn")
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert is_open(httpd.get("http://b.example.cn/"))
    assert suspended(httpd.get("http://b.example.cn/", port=port))


def test_every_port_and_the_main_server(httpd):
    httpd.load("ssl")
    port = httpd.listen()
    vhost(httpd, "a.example.cn")
    vhost(httpd, "a.example.cn", port=port, tls=False)
    bare = httpd.listen()
    (httpd.root / "htdocs/index.html").write_text(SECRET)
    httpd.register_site("a.example.cn")
    httpd.start()
    assert is_open(httpd.get("http://a.example.cn/", port=bare))
    suspend(httpd, "a.example.cn")
    for answer in (httpd.get("http://a.example.cn/"), httpd.get("http://a.example.cn/", port=port),
                   httpd.get("http://a.example.cn/", port=bare), httpd.get("https://a.example.cn/")):
        assert suspended(answer)
    assert is_open(httpd.get("http://localhost/", port=bare)), "the main server is no site"


def test_serverpath_and_absolute_form(httpd):
    vhost(httpd, "b.example.cn")
    vhost(httpd, "a.example.cn", config="ServerPath /a")
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert b" 451 " in httpd.raw("GET /a/index.html HTTP/1.0\r\n\r\n").split(b"\r\n")[0]
    answer = httpd.raw("GET http://a.example.cn/ HTTP/1.1\r\nHost: b.example.cn\r\nConnection: close\r\n\r\n")
    assert b" 451 " in answer.split(b"\r\n")[0] and SECRET.encode() not in answer
    answer = httpd.raw("GET http://b.example.cn/ HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n")
    assert SECRET.encode() in answer


def test_engine_off_and_merging(httpd):
    vhost(httpd, "a.example.cn", config="ICPEngine Off")
    vhost(httpd, "b.example.cn")
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn", "b.example.cn")
    assert is_open(httpd.get("http://a.example.cn/"))
    assert suspended(httpd.get("http://b.example.cn/"))
    assert states(httpd, 2) == ["-", "suspended"]


def test_unregistered_serve_warns_once_with_a_count(httpd):
    for i in range(5):
        vhost(httpd, f"u{i}.example.cn")
    vhost(httpd, "n.example.cn", config="ICPUnregistered Notice")
    httpd.init_register()
    httpd.expect_log(r"5 virtual hosts belong to no registered site and are served \((u\d.example.cn, ){3}\.\.\.\)")
    httpd.start()
    assert is_open(httpd.get("http://u0.example.cn/"))
    assert suspended(httpd.get("http://n.example.cn/"))
    assert len(re.findall("no registered site", httpd.log())) == 1
    httpd.register_site("n.example.cn")
    assert is_open(httpd.get("http://n.example.cn/")), "registered: effective at once"


# -- methods and protocols ----------------------------------------------------------------------------------------

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "MKCOL", "BREW"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method(httpd, method):
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    body = b"x" * 300_000 if method in ("POST", "PUT", "PATCH") else None
    answer = httpd.get("http://a.example.cn/", method=method, body=body)
    assert answer.status == 451
    assert SECRET.encode() not in answer.body
    assert (method == "HEAD") == (answer.body == b"")


def test_connect_and_star(httpd):
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    for request in ("CONNECT a.example.cn:80 HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n",
                    "OPTIONS * HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n"):
        status = httpd.raw(request).split(b" ")[1]
        assert status in (b"451", b"400"), request


def test_expect_continue_and_keep_alive(httpd):
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    with httpd.connection() as connection:
        for _ in range(3):
            assert connection.request("POST", "/", {"Host": "a.example.cn"}, b"x" * 1000).status == 451
            assert connection.request("GET", "/", {"Host": "a.example.cn"}).status == 451
    head = b"POST / HTTP/1.1\r\nHost: a.example.cn\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\nConnection: close\r\n\r\n"
    answer = httpd.raw(head)
    assert re.search(rb"HTTP/1.1 451 ", answer) and SECRET.encode() not in answer


def test_http2(httpd):
    httpd.load("ssl", "http2")
    vhost(httpd, "a.example.cn")
    vhost(httpd, "b.example.cn")
    httpd.register_site("a.example.cn")
    httpd.register_site("b.example.cn")
    httpd.start()
    for url, option in (("http://a.example.cn/", "--http2-prior-knowledge"), ("http://a.example.cn/", "--http2"), ("https://a.example.cn/", "--http2")):
        answer = httpd.curl(url, option)
        assert answer.version == "2" and is_open(answer)
    suspend(httpd, "a.example.cn")
    for url, option in (("http://a.example.cn/", "--http2-prior-knowledge"), ("http://a.example.cn/", "--http2"), ("https://a.example.cn/", "--http2")):
        assert suspended(httpd.curl(url, option))
        assert suspended(httpd.curl(url, option, "--data", "x=y"))
        assert is_open(httpd.curl(url.replace("//a.", "//b."), option))


@pytest.mark.parametrize("mpm", ["prefork", "worker"])
def test_other_mpms(make_httpd, mpm):
    httpd = make_httpd(mpm=mpm, children=4, threads=1 if mpm == "prefork" else 8)
    httpd.allow_log("AH00161: server reached MaxRequestWorkers")
    vhost(httpd, "a.example.cn")
    httpd.register_site("a.example.cn")
    httpd.start()
    assert all(is_open(httpd.get("http://a.example.cn/")) for _ in range(12))
    suspend(httpd, "a.example.cn")
    assert all(suspended(httpd.get("http://a.example.cn/")) for _ in range(12))


# -- what goes through ---------------------------------------------------------------------------------------------

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"


def test_acme_challenges_go_through(httpd):
    vhost(httpd, "a.example.cn")
    httpd.write("a.example.cn", {f".well-known/acme-challenge/{TOKEN}": "proof", ".well-known/acme-challenge/index.html": SECRET})
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    base = "http://a.example.cn/.well-known/acme-challenge"
    answer = httpd.get(f"{base}/{TOKEN}")
    assert (answer.status, answer.body) == (200, b"proof")
    assert httpd.get(f"{base}/{TOKEN}", method="HEAD").status == 200
    assert httpd.get(f"{base}/no-such-token").status == 404
    assert states(httpd, 3) == ["exempt"] * 3
    assert suspended(httpd.get(f"{base}/{TOKEN}", method="POST", body=b"x"))
    assert suspended(httpd.get(f"{base}/"))
    assert suspended(httpd.get(f"{base}/index.html")), "no challenge's name"


@pytest.mark.parametrize("path", [
    "/.well-known/acme-challenge/../../index.html", "/.well-known/acme-challenge/%2e%2e/%2e%2e/index.html",
    "/.well-known/acme-challenge/..%2f..%2findex.html", "/.well-known/acme-challenge//../../index.html",
    "/.well-known/acme-challenge/x/../../../index.html", "/.well-known/acme-challenge%2f..%2f..%2findex.html",
    "//.well-known/acme-challenge/../../index.html", "/.well-known/acme-challenge/.%2e/.%2e/index.html",
    "/.well-known/acme-challenge/..;/..;/index.html", "/.well-known/acme-challenge/%252e%252e/%252e%252e/index.html",
    "/.well-known/acme-challenge/..\\..\\index.html", "/.well-known/acme-challenge/x/page.html", "/.well-known/acme-challenge",
    "/index.html/.well-known/acme-challenge/x", "/free/../index.html", "/free/%2e%2e/index.html", "/free//../index.html",
    "/free%2f..%2findex.html", "/free/%252e%252e/index.html", "/free/..%5cindex.html", "/freedom", "/Free/", "/index.html?/free/", "/free/.%2e/page.html"])
def test_no_other_path_passes_for_an_exempt_one(httpd, path):
    vhost(httpd, "a.example.cn", config="ICPExempt /.well-known/acme-challenge/ /free\nAllowEncodedSlashes On")
    httpd.write("a.example.cn", {"free/x.html": "free", "freedom": SECRET, "Free/index.html": SECRET, ".well-known/acme-challenge/x/page.html": SECRET})
    httpd.register_site("a.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    assert httpd.get("http://a.example.cn/free/x.html").body == b"free"
    answer = httpd.raw(f"GET {path} HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n")
    assert SECRET.encode() not in answer
    assert answer.split(b" ")[1] in (b"451", b"400"), answer


def test_an_exempt_request_stays_on_its_path(httpd):
    """The site's own configuration leads a challenge elsewhere: by .htaccess, mod_dir, mod_actions, an error document."""
    httpd.load("rewrite", "actions", "alias", "include", "cgid", "env")
    rewriting = "RewriteEngine On\nRewriteRule ^(.*)rewritten$ /page.html [L]\nErrorDocument 404 /page.html\n"
    vhost(httpd, "a.example.cn", config='<Directory />\nAllowOverride All\n</Directory>')
    httpd.write("a.example.cn", {".htaccess": rewriting, ".well-known/acme-challenge/there": "proof"})
    vhost(httpd, "b.example.cn", config="FallbackResource /page.html")
    httpd.write("b.example.cn", {".well-known/acme-challenge/there": "proof"})
    vhost(httpd, "c.example.cn", config="Action served-by /page.html virtual\n<Location /.well-known>\nSetHandler served-by\n</Location>")
    vhost(httpd, "d.example.cn", config='RewriteEngine On\nRewriteRule ^/.well-known/acme-challenge/.* /page.html [PT]')
    vhost(httpd, "e.example.cn", config="<Location /.well-known>\nOptions +Includes\nForceType text/html\nSetOutputFilter INCLUDES\n</Location>")
    httpd.write("e.example.cn", {".well-known/acme-challenge/there": '<!--#include virtual="/page.html" -->'})
    for name in "abcde":
        httpd.register_site(f"{name}.example.cn")
    httpd.allow_log(r"\[include:error\]|unable to include")
    httpd.start()
    suspend(httpd, *(f"{name}.example.cn" for name in "abcde"))
    base = ".example.cn/.well-known/acme-challenge/"
    assert httpd.get(f"http://a{base}there").body == b"proof"
    assert httpd.get(f"http://b{base}there").body == b"proof"
    for url in (f"http://a{base}rewritten", f"http://a{base}missing", f"http://b{base}missing", f"http://c{base}x", f"http://d{base}x", f"http://e{base}there"):
        answer = httpd.get(url)
        assert SECRET.encode() not in answer.body, url
        if "//e." not in url:
            assert answer.status in (451, 404), url


# -- Observe -------------------------------------------------------------------------------------------------------


def test_observe_gates_nothing_and_says_what_it_would(httpd):
    httpd.engine = "Observe"
    vhost(httpd, "a.example.cn")
    vhost(httpd, "b.example.cn", config="ICPUnregistered Notice")
    vhost(httpd, "c.example.cn")
    httpd.register_site("a.example.cn")
    httpd.register_site("c.example.cn")
    httpd.start()
    suspend(httpd, "a.example.cn")
    for name in "abc":
        assert is_open(httpd.get(f"http://{name}.example.cn/"))
    assert is_open(httpd.get("http://a.example.cn/.well-known/../"))
    assert states(httpd, 4) == ["observe", "observe", "observe", "open"]
    assert re.search(r"\[icp:notice\].*request for a.example.cn would get the notice \(suspended: missing\)", httpd.log())
    assert re.search(r"\[icp:notice\].*request for b.example.cn would get the notice \(of no registered site\)", httpd.log())


def test_state_is_logged_for_the_request_that_answers(httpd):
    vhost(httpd, "a.example.cn", config="ErrorDocument 404 /page.html")
    httpd.register_site("a.example.cn")
    httpd.start()
    assert httpd.get("http://a.example.cn/nowhere").status == 404
    assert states(httpd, 1) == ["open"] and " 404 " in httpd.access()[0]
