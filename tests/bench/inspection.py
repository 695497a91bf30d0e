"""What looking at a home page of 100 KB adds to sending it, per byte: mod_icp between two full reads, beside modules that also
look at every byte of a response."""
import os
import subprocess
import tempfile
from pathlib import Path

from measure import instructions_per_request, table
from env import BUILD, Httpd

HOST, NUMBER = "shop.example.cn", "沪ICP备05012345号-1"
REQUESTS = 100


def home_page(size=100_000):
    """Mark-up and text in the proportion of a shop's home page, the number in its footer."""
    head = '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>小店</title></head>\n<body>\n'
    foot = f'<footer><a href="https://beian.miit.gov.cn/">{NUMBER}</a></footer>\n</body></html>\n'
    item = ('<li class="item"><a href="/goods/{0}.html" title="item {0}"><img src="/img/{0}.jpg" alt=""></a>'
            "<span class=\"name\">第{0}款商品, 全国包邮</span> <b>¥{0}.00</b></li>\n")
    items, length, number = [], len((head + foot).encode()), 100
    while length < size:
        items.append(item.format(number))
        length += len(items[-1].encode())
        number += 1
    return head + "".join(items) + foot


PAGE = home_page()


def plain(httpd, config=""):
    httpd.load_icp = False
    httpd.vhost(HOST, {"index.html": PAGE}, config)


def with_icp(httpd):
    httpd.config("ICPInspectInterval 3600")
    httpd.site(HOST, {"index.html": PAGE}, number=NUMBER)


def with_substitute(httpd):
    httpd.load("filter", "substitute")
    plain(httpd, 'SetOutputFilter SUBSTITUTE\nSubstitute "s/ICP备00000000号/none/n"')


def with_modsecurity(httpd):
    httpd.load("unique_id", "security2")
    plain(httpd, """SecRuleEngine On
        SecResponseBodyAccess On
        SecResponseBodyMimeType text/html
        SecRule RESPONSE_BODY "@contains ICP备00000000号" "id:1,phase:4,pass,nolog" """)


def read_speed(files):
    """MB/s of a full inspection and of a bare pass of libxml2's parser over the same pages."""
    done = subprocess.run([BUILD / "bench/read_page", *files], capture_output=True, text=True, check=True)
    inspection, parser = (int(number) for number in done.stdout.split())
    return [inspection, parser, inspection / parser]


def read_speeds():
    """Rows of the home page above and, where they are, of real pages of every kind (see tests/unit/test_pages.c)."""
    with tempfile.NamedTemporaryFile("w", suffix=".html") as file:
        file.write(PAGE)
        file.flush()
        rows = [["the same home page", *read_speed([file.name])]]
    pages = sorted(Path(os.environ.get("ICP_PAGES", "../shared/pages")).glob("*.html"))
    if pages:
        size = sum(page.stat().st_size for page in pages)
        rows.append([f"{len(pages)} real pages, {size:,} bytes", *read_speed(pages)])
    return rows


def run():
    rows = []
    base = instructions_per_request(plain, HOST, requests=REQUESTS)
    for name, configure in (("mod_icp, confirming", with_icp), ("mod_security2, response body", with_modsecurity),
                            ("mod_substitute", with_substitute)):
        rows.append([name, (instructions_per_request(configure, HOST, requests=REQUESTS) - base) / len(PAGE.encode())])

    backend = Httpd()
    try:
        plain(backend)
        backend.start()

        def proxied(httpd):
            httpd.load("proxy", "proxy_http")
            plain(httpd, f'ProxyPreserveHost On\nProxyPass "/" "http://127.0.0.1:{backend.port}/"')

        def with_proxy_html(httpd):
            httpd.load("filter", "proxy_html")
            proxied(httpd)
            httpd.config("ProxyHTMLEnable On\nProxyHTMLLinks a href\nProxyHTMLURLMap http://nowhere.example /nowhere")

        proxy = instructions_per_request(proxied, HOST, requests=REQUESTS)
        cost = instructions_per_request(with_proxy_html, HOST, requests=REQUESTS) - proxy
        rows.append(["mod_proxy_html", cost / len(PAGE.encode())])
    finally:
        backend.discard()
    table(f"Inspection: instructions added per byte of a home page of {len(PAGE.encode()):,} bytes", ["", "instructions"], rows)

    table("A full read: MB per second of CPU time, beside libxml2's push parser with empty call-backs",
          ["", "full inspection", "libxml2", "times"], read_speeds())
