"""Five hundred virtual hosts of one provider, twenty of which break the rule, each in a way of its own: what test_cycle.py
drives the whole enforcement cycle over.

Every site has a holder with an address of its own, so that a mail says whose site it is about.
"""
import sqlite3

SITES = 500
LICENSE = "沪ICP备{:08d}号"
FIRST = 5_012_300  # license numbers count from here, in a year that 8 digits can name

PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>欢迎光临, 本店全国包邮。</p>{body}<footer>{footer}</footer></body></html>
"""


def name(n):
    return f"s{n:03d}.example.cn"


def number(n):
    return LICENSE.format(FIRST + n)


def address(n):
    return f"owner{n:03d}@example.com"


def link(text):
    return f'<a href="https://beian.miit.gov.cn/">{text}</a>'


def page(footer="", body="", title="小店"):
    return PAGE.format(title=title, body=body, footer=footer)


def good(n):
    return page(link(number(n) + "-1"))


# What a broken site answers, and what the verdict on it is. Each is one site, from FAILING[0] on.
FAILING = [
    ("missing", lambda n: {"index.html": page("© 2026 小店")}, ""),
    ("missing", lambda n: {"index.html": page("小店 版权所有").replace("utf-8", "gb2312").encode("gb18030")}, ""),
    ("missing", lambda n: {"index.html": page("沪公网安备 31010402003309号")}, ""),
    ("missing", lambda n: {"index.html": page("联系我们")}, "SetOutputFilter DEFLATE"),
    ("missing", lambda n: {"shop/home.html": page("小店")}, 'RedirectMatch "^/$" "/shop/home.html"'),
    ("incorrect", lambda n: {"index.html": page(link("京ICP备05012345号-1"))}, ""),
    ("incorrect", lambda n: {"index.html": page(link(number(n + 1) + "-1"))}, ""),
    ("incorrect", lambda n: {"index.html": page(link("粤ICP备2021098765号") + link("浙ICP备10203044号-2"))}, ""),
    ("invalid", lambda n: {"index.html": page(link("沪ICP备XXXXXXXX号"))}, ""),
    ("invalid", lambda n: {"index.html": page(link("沪ICP备0501号-1"))}, ""),
    ("invalid", lambda n: {"index.html": page(link("萌ICP备20201234号"))}, ""),
    ("invalid", lambda n: {"index.html": page(link("沪ICP备00000000号-1"))}, ""),
]
FOR_A_PERSON = [
    ("hidden", lambda n: {"index.html": page(f"<!-- {number(n)}-1 -->")}, ""),
    ("hidden", lambda n: {"index.html": page(f'<div style="display:none">{number(n)}-1</div>')}, ""),
    ("hidden", lambda n: {"index.html": page(body=f'<input value="{number(n)}-1">')}, ""),
    ("unreadable", lambda n: {"index.html": '<!DOCTYPE html><html><head><meta charset="utf-8"><title>店</title></head><body>'
                                            '<div id="app"></div><script src="/js/app.js"></script></body></html>'}, ""),
    ("unreadable", lambda n: {"index.html": page()}, 'Redirect 503 "/"'),
    ("unreadable", lambda n: {"index.html": page()}, 'Redirect 302 "/" "http://elsewhere.example.com/"'),
    ("unreadable", lambda n: {"index.html": "<html><frameset cols='20%,80%'><frame src=a.html><frame src=b.html></frameset></html>"}, ""),
    ("unreadable", lambda n: {"index.html": page()}, 'ProxyPass "/" "http://127.0.0.1:1/"'),  # nobody listens there
]
BROKEN = FAILING + FOR_A_PERSON
assert len(BROKEN) == 20


def site_of(position):
    """Site number of the broken site at that position of BROKEN: they are spread over the town."""
    return 7 + position * 23


BROKEN_SITES = [site_of(position) for position in range(len(BROKEN))]
FAILING_SITES = BROKEN_SITES[:len(FAILING)]


def build(httpd, unbroken=(), extra=None):
    """Writes the town into a server's configuration and register; the sites in `unbroken` are right for now, and those in
    `extra` have more configuration."""
    httpd.init_register()
    licenses, sites = ["number,holder,uscc,status"], ["name,hosts,license,homepage"]
    for n in range(SITES):
        licenses.append(f"{number(n)},第{n}商行,,active")
        sites.append(f"{name(n)},www.{name(n)},{number(n)}-1,")
        files, config = {"index.html": good(n)}, ""
        if n in BROKEN_SITES:
            _, broken, config = BROKEN[BROKEN_SITES.index(n)]
            if n not in unbroken:
                files = broken(n)
        config += (extra or {}).get(n, "")
        httpd.vhost(name(n), files, config, aliases=[f"www.{name(n)}"], tls=False)
    httpd.icpadmin("license", "import", "-", stdin="\n".join(licenses) + "\n")
    httpd.icpadmin("site", "import", "-", stdin="\n".join(sites) + "\n")
    # One command a holder would take a minute of the test: what they would write is written here.
    with sqlite3.connect(httpd.state / "private.db") as private:
        private.execute("ATTACH ? AS register", (str(httpd.register),))
        private.executemany(
            "INSERT INTO contact (holder_id, email) SELECT id, ? FROM register.holder WHERE name = ?",
            [(address(n), f"第{n}商行") for n in range(SITES)])
    private.close()
