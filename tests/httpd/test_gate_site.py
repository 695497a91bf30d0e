"""Whatever the site's own configuration does, nothing of it answers for a suspended site (rule 1)."""
import pytest

SECRET = "what only the site may show"

PROXY = 'ProxyPass "/" "http://127.0.0.1:{port}/"\nProxyPassReverse "/" "http://127.0.0.1:{port}/"'
CACHE = """CacheEnable disk /
CacheRoot "{root}/cache"
CacheQuickHandler On
Header set Cache-Control "max-age=3600"
CacheIgnoreCacheControl On"""
LDAP_LIKE_AUTH = """<Location "/">
AuthType Basic
AuthName "members"
AuthUserFile conf/users
Require valid-user
</Location>"""

CONFIGURATIONS = {
    "files": "",
    "proxy": PROXY,
    "reverse proxy by rewrite": 'RewriteEngine On\nRewriteRule ^/(.*) "http://127.0.0.1:{port}/$1" [P]',
    "forward proxy": "ProxyRequests On\nProxyVia On",
    "rewrite": "RewriteEngine On\nRewriteRule . /page.html [L]",
    "redirect": 'Redirect 302 "/" "http://elsewhere.example/"',
    "redirect by rewrite": "RewriteEngine On\nRewriteRule . http://elsewhere.example/ [R=301]",
    "authentication": LDAP_LIKE_AUTH,
    "denied": "<Location />\nRequire all denied\n</Location>",
    "error documents": "\n".join(f"ErrorDocument {code} /page.html" for code in (400, 403, 404, 451, 500, 503)),
    "error document in words": f'ErrorDocument 451 "{SECRET}"\nErrorDocument 404 "{SECRET}"',
    "fallback": "FallbackResource /page.html",
    "server-side handler": "<Location />\nSetHandler server-status\n</Location>",
    "cache": CACHE,
    "headers": 'Header always set X-Secret "{secret}"\nHeader set X-Secret2 "{secret}"\nHeader always edit ICP-Notice .* "{secret}"',
    "substitute": 'AddOutputFilterByType SUBSTITUTE text/html\nSubstitute "s|<html|{secret}<html|n"\nSetOutputFilter SUBSTITUTE',
    "expires and etag": "ExpiresActive On\nExpiresDefault A3600\nFileETag All",
    "limits": "LimitRequestBody 1\nTraceEnable Off",
    "quick lua": "LuaQuickHandler conf/quick.lua answer",
}
MODULES = ("proxy", "proxy_http", "rewrite", "alias", "auth_basic", "authn_file", "authz_user", "cache", "cache_disk", "status",
           "substitute", "filter", "expires", "lua")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_of_the_vhost(httpd, name):
    backend = httpd.listen()
    httpd.load(*MODULES)
    (httpd.root / "conf/users").write_text("")
    (httpd.root / "conf/quick.lua").write_text(f'require "apache2"\nfunction answer(r) r:puts("{SECRET}") return apache2.OK end\n')
    config = CONFIGURATIONS[name].format(port=backend, root=httpd.root, secret=SECRET)
    httpd.site("a.example.cn", {"index.html": SECRET, "page.html": SECRET}, config)
    httpd.site("backend.example.cn", {"index.html": SECRET, "page.html": SECRET}, port=backend)
    httpd.allow_log(r"\[(proxy|lua|authn_file|auth_basic|authz_core|core):")
    httpd.start()
    for _ in range(3):  # fills the cache
        httpd.get("http://a.example.cn/")
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    for path in ("/", "/page.html", "/nowhere", "/server-status"):
        for headers in ({}, {"Cookie": "session=1", "Authorization": "Basic eDp5"}, {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
                        {"Range": "bytes=0-4"}, {"If-None-Match": "*"}, {"Cache-Control": "only-if-cached"}):
            answer = httpd.get(f"http://a.example.cn{path}", headers)
            assert answer.status == 451 and SECRET.encode() not in answer.body, (path, headers, answer)
            assert SECRET not in str(answer.headers) and "Location" not in answer.headers


HTACCESS = {
    "redirect": "Redirect 302 / http://elsewhere.example/",
    "rewrite": "RewriteEngine On\nRewriteRule . /page.html [L]",
    "error documents": "ErrorDocument 451 /page.html\nErrorDocument 404 /page.html",
    "engine": "<IfModule icp_module>\nErrorDocument 451 /page.html\n</IfModule>",
    "handler": "SetHandler server-status",
    "headers": f'Header always set X-Secret "{SECRET}"',
}


@pytest.mark.parametrize("name", HTACCESS)
def test_htaccess(httpd, name):
    httpd.load("rewrite", "alias", "status")
    httpd.site("a.example.cn", {"index.html": SECRET, "page.html": SECRET, ".htaccess": HTACCESS[name]}, "<Directory />\nAllowOverride All\n</Directory>")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    for path in ("/", "/page.html", "/nowhere"):
        answer = httpd.get(f"http://a.example.cn{path}")
        assert answer.status == 451 and SECRET.encode() not in answer.body and SECRET not in str(answer.headers), path


def test_no_directive_in_htaccess(httpd):
    httpd.site("a.example.cn", {"index.html": SECRET, ".htaccess": "ICPEngine Off"}, "<Directory />\nAllowOverride All\n</Directory>")
    httpd.expect_log("ICPEngine not allowed here")
    httpd.start()
    assert httpd.get("http://a.example.cn/").status == 500
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    assert httpd.get("http://a.example.cn/").status == 451


def test_a_malformed_request_shows_no_error_document(httpd):
    """Errors found before any handler run lead to the site's error document by an internal redirect, which is gated too."""
    documents = "\n".join(f"ErrorDocument {code} /page.html" for code in (400, 408, 411, 413, 414, 417, 431, 501, 505))
    httpd.site("a.example.cn", {"index.html": SECRET, "page.html": SECRET}, documents + "\nLimitRequestFieldSize 200")
    httpd.start()
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    for request in ("GET / HTTP/1.1\r\nHost: a.example.cn\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a.example.cn\r\nTransfer-Encoding: x\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a.example.cn\r\nContent-Length: x\r\n\r\n", "GET /\x01 HTTP/1.1\r\nHost: a.example.cn\r\n\r\n",
                    "GET / HTTP/1.1\r\n\r\n", f"GET / HTTP/1.1\r\nHost: a.example.cn\r\nX: {'x' * 300}\r\n\r\n", "GET / HTTP/3.7\r\nHost: a.example.cn\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a.example.cn\r\nExpect: y\r\n\r\n", f"GET /{'x' * 9000} HTTP/1.1\r\nHost: a.example.cn\r\n\r\n",
                    "GET /%zz HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: a.example.cn\r\nConnection: close\r\n\r\n"):
        assert SECRET.encode() not in httpd.raw(request), request


def test_a_cached_page_is_not_shown_and_not_lost(httpd):
    httpd.load("cache", "cache_disk")
    httpd.site("a.example.cn", {"index.html": SECRET}, CACHE.format(root=httpd.root))
    httpd.start()
    for _ in range(3):
        assert httpd.get("http://a.example.cn/").status == 200
    httpd.write("a.example.cn", {"index.html": "another page"})
    assert httpd.get("http://a.example.cn/").text == SECRET, "the cache must be at work, or this test says nothing"
    httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
    assert httpd.get("http://a.example.cn/").status == 451
    token = httpd.pass_for("a.example.cn")
    assert httpd.get("http://a.example.cn/page?x", {"Cookie": f"icp-pass={token}", "Cache-Control": "no-cache"}).status == 404
