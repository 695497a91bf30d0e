"""icpadmin site discover: what the running configuration has, and the register has not."""
import csv
import io
import json

import pytest

DUMP = """VirtualHost configuration:
*:80                   is a NameVirtualHost
         default server shop.example.cn (/etc/apache2/shop.conf:1)
         port 80 namevhost shop.example.cn (/etc/apache2/shop.conf:1)
                 alias www.shop.example.cn
                 wild alias *.shop.example.cn
         port 80 namevhost SHOP2.example.cn (/etc/apache2/shop2.conf:1)
                 wild alias shop?.example.cn
*:443                  is a NameVirtualHost
         default server shop.example.cn (/etc/apache2/shop.conf:9)
         port 443 namevhost shop.example.cn (/etc/apache2/shop.conf:9)
                 alias www.shop.example.cn
                 alias m.shop.example.cn
         port * namevhost third.example.cn (/etc/apache2/third.conf:1)
                 alias www.shop.example.cn
[::1]:8080             alone.example.cn (/etc/apache2/alone.conf:3)
"""


def rows(result):
    return list(csv.DictReader(io.StringIO(result.out)))


def test_one_proposal_for_each_name(httpd):
    httpd.init_register()
    result = httpd.icpadmin("site", "discover", "--from", "-", stdin=DUMP)
    assert result.out.splitlines()[0] == "name,hosts,license,homepage"
    assert [(row["name"], row["hosts"]) for row in rows(result)] == [
        ("shop.example.cn", "www.shop.example.cn *.shop.example.cn m.shop.example.cn"), ("shop2.example.cn", ""),
        ("third.example.cn", ""), ("alone.example.cn", "")]
    assert "shop?.example.cn cannot be put on file" in result.err
    assert "www.shop.example.cn is proposed for shop.example.cn already" in result.err
    assert "4 sites proposed, 0 on file already" in result.err
    objects = json.loads(httpd.icpadmin("site", "discover", "--from", "-", "--json", stdin=DUMP).out)
    assert [entry["name"] for entry in objects] == [row["name"] for row in rows(result)]
    assert objects[3]["where"] == "/etc/apache2/alone.conf:3"


def test_a_site_without_a_plain_vhost_has_its_home_page_by_https(httpd):
    """By http the server's first vhost would answer for it, and its page be judged for this site's."""
    httpd.init_register()
    dump = DUMP + """*:443                  safe.example.cn (/etc/apache2/safe.conf:1)
*:4430                 odd.example.cn (/etc/apache2/odd.conf:1)
"""
    result = httpd.icpadmin("site", "discover", "--from", "-", stdin=dump)
    assert {row["name"]: row["homepage"] for row in rows(result) if row["homepage"]} == {"safe.example.cn": "https://safe.example.cn/"}
    httpd.icpadmin("site", "import", "-", stdin=result.out)
    assert json.loads(httpd.icpadmin("site", "show", "safe.example.cn", "--json").out)["homepage"] == "https://safe.example.cn/"


def test_what_is_on_file_is_left_out_and_the_rest_can_be_imported(httpd):
    httpd.register_site("shop.example.cn", ["www.shop.example.cn"])
    result = httpd.icpadmin("site", "discover", "--from", "-", stdin=DUMP)
    assert [row["name"] for row in rows(result)] == ["shop2.example.cn", "third.example.cn", "alone.example.cn"]
    assert "third.conf:1: www.shop.example.cn is on file as a host of shop.example.cn" in result.err
    httpd.icpadmin("site", "import", "-", stdin=result.out)
    again = httpd.icpadmin("site", "discover", "--from", "-", stdin=DUMP)
    assert rows(again) == [] and "0 sites proposed, 4 on file already" in again.err


def test_a_real_configuration(httpd):
    httpd.init_register()
    httpd.load("ssl")
    httpd.vhost("shop.example.cn", {"index.html": "x"}, aliases=["www.shop.example.cn", "*.shop.example.cn"])
    httpd.vhost("tea.example.cn", {"index.html": "x"})
    httpd.write_config()
    command = f"{httpd.root}/apachectl -t -D DUMP_VHOSTS"
    assert [(row["name"], row["hosts"]) for row in rows(httpd.icpadmin("site", "discover", "--command", command))] == [
        ("shop.example.cn", "www.shop.example.cn *.shop.example.cn"), ("tea.example.cn", "")]


def test_the_aliases_of_a_lone_vhost_are_read_from_its_file(httpd):
    httpd.init_register()
    httpd.vhost("shop.example.cn", {"index.html": "x"}, aliases=["www.shop.example.cn", "*.shop.example.cn"])
    httpd.write_config()
    result = httpd.icpadmin("site", "discover", "--command", f"{httpd.root}/apachectl -t -D DUMP_VHOSTS")
    proposed = [(row["name"], row["hosts"]) for row in rows(result)]
    assert proposed == [("shop.example.cn", "www.shop.example.cn *.shop.example.cn")]


@pytest.mark.parametrize("arguments, code, said", [
    (["--command", "false"], 5, "`false` failed"), (["--command", "true"], 2, "no list of virtual hosts"),
    (["--from", "/nowhere"], 3, "/nowhere"), (["--from", "-", "--command", "true"], 2, "both"),
    (["--from", "-"], 2, "no list")])
def test_what_cannot_be_read(httpd, arguments, code, said):
    httpd.init_register()
    result = httpd.icpadmin("site", "discover", *arguments, code=code)
    assert said in result.err and "Traceback" not in result.err
