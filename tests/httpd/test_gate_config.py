"""Directives: what is refused and how it is said; start-up; rule 3's look at who may write."""
import os
import re

import pytest

WRONG = [
    ("ICPEngine Maybe", "ICPEngine: 'Maybe' is not allowed here; it takes On, Observe or Off"),
    ("ICPUnregistered Perhaps", "ICPUnregistered: 'Perhaps' .* Serve or Notice"),
    ("ICPHomepage index.html", "ICPHomepage: 'index.html' .* begin with '/'"),
    ("ICPHomepage / index.html", "ICPHomepage: 'index.html' .* begin with '/'"),
    ("ICPInspect Sometimes", "ICPInspect: 'Sometimes' .* On or Off"),
    ("ICPInspectInterval -1", "ICPInspectInterval: '-1' .* from 0 to 86400"),
    ("ICPInspectInterval 1m", "ICPInspectInterval: '1m' .* whole number of seconds"),
    ("ICPInspectInterval 99999999999999999999", "ICPInspectInterval: .* from 0 to 86400"),
    ("ICPInspectLimit 12", "ICPInspectLimit: '12' .* from 1024"),
    ("ICPNoticeStatus 404", "ICPNoticeStatus: '404' .* 451, 503, 403 or 200"),
    ("ICPNotice conf/no-such-file", "ICPNotice: .*no-such-file"),
    ("ICPProvider Example", "ICPProvider takes two arguments"),
    ("ICPProvider Example example.cn", "ICPProvider: 'example.cn' .* http:// or https://"),
    ("ICPProvider Example javascript:alert(1)", "ICPProvider: 'javascript.* http:// or https://"),
    ('ICPContact ""', "ICPContact takes one argument"),
    ("ICPFaq faq.html", "ICPFaq: 'faq.html' .* begins with '/'"),
    ("ICPApply //example.cn/", "ICPApply: '//example.cn/' .* begins with '/'"),
    ("ICPExempt /", "ICPExempt: '/' .* longer than"),
    ("ICPExempt x", "ICPExempt: 'x' .* begin with '/'"),
    ("ICPExempt /a/../b", "ICPExempt: '/a/../b'"),
    ("ICPExempt /a//b", "ICPExempt: '/a//b'"),
    ("ICPExempt /a%2fb", "ICPExempt: '/a%2fb'"),
    ("<VirtualHost *:81>\nICPRegister x\n</VirtualHost>", "ICPRegister cannot occur within <VirtualHost> section"),
    ("<VirtualHost *:81>\nICPSightings x\n</VirtualHost>", "ICPSightings cannot occur within <VirtualHost> section"),
    ("<VirtualHost *:81>\nICPPassKey x\n</VirtualHost>", "ICPPassKey cannot occur within <VirtualHost> section"),
    ("<Location />\nICPEngine Off\n</Location>", "ICPEngine not allowed (here|in)"),
    ("<Directory />\nICPExempt /x\n</Directory>", "ICPExempt not allowed (here|in)"),
]


@pytest.mark.parametrize("line,message", WRONG, ids=[line.split("\n")[0] + str(i) for i, (line, _) in enumerate(WRONG)])
def test_what_is_wrong_is_said(httpd, line, message):
    httpd.config(line)
    result = httpd.config_test()
    assert result.code != 0 and re.search(message, result.err), result


def test_every_directive_is_accepted(httpd):
    httpd.init_register()
    (httpd.root / "conf/notice.html").write_text("<p>{{site}}</p>\n")
    httpd.config("""ICPSite Shop.Example.CN
        ICPUnregistered Notice
        ICPHomepage / /index.html /en/
        ICPInspect Off
        ICPInspectInterval 0
        ICPInspectLimit 1048576
        ICPNoticeStatus 503
        ICPProvider "例子主机" https://example.cn/
        ICPContact "support@example.cn, 400-000-0000"
        ICPFaq /faq
        ICPApply https://example.cn/apply
        ICPExempt /.well-known/acme-challenge/ /status.txt""")
    result = httpd.config_test()
    assert result.code == 0 and "Syntax OK" in result.err, result


def test_merge_of_lists_and_pairs(httpd):
    """A vhost's list replaces the main server's; what it does not name it inherits."""
    httpd.config("ICPExempt /main /shared\nICPProvider Main https://main.example/\nICPNoticeStatus 403")
    for name, config in (("a", ""), ("b", "ICPExempt /own"), ("c", "ICPNoticeStatus 503")):
        httpd.site(f"{name}.example.cn", {path: "x" for path in ("main", "own")}, config)
    httpd.start()
    httpd.icpadmin("suspend", *(f"{name}.example.cn" for name in "abc"), "--reason", "missing", "--yes")
    statuses = {name: [httpd.get(f"http://{name}.example.cn{path}").status for path in ("/main", "/own", "/")] for name in "abc"}
    assert statuses == {"a": [200, 403, 403], "b": [403, 200, 403], "c": [200, 503, 503]}
    assert "main.example" in httpd.get("http://c.example.cn/").text


# -- what the worker user can write ---------------------------------------------------------------------------------

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="without root there is no worker user apart")


@needs_root
@pytest.mark.parametrize("path,mode", [("register.db", 0o666), ("register.db.bell", 0o622), (".", 0o777), (".", 0o1777), ("..", 0o777)])
def test_a_register_that_workers_can_write_is_refused(httpd, path, mode):
    httpd.site("a.example.cn", {})
    (httpd.state / path).chmod(mode)
    assert "can be written by httpd's workers (user www-data)" in httpd.start_fails()
    assert "chown root:root" in httpd.log()


@needs_root
def test_a_register_that_the_worker_owns_is_refused(httpd):
    httpd.site("a.example.cn", {})
    stat = httpd.sightings.parent.stat()
    os.chown(httpd.register, stat.st_uid, 0)
    assert "can be written by httpd's workers" in httpd.start_fails()


@needs_root
def test_no_folder_above_can_be_exchanged_by_the_worker(httpd):
    """Whoever may rename a folder can put a register of his own in its place."""
    httpd.site("a.example.cn", {})
    real = httpd.root / "elsewhere/state"
    real.parent.mkdir()
    httpd.state.rename(real)
    httpd.state.symlink_to(real)
    stat = (real / "sightings").stat()
    os.chown(real.parent, stat.st_uid, 0)
    assert f"{real.parent} can be written by httpd's workers" in httpd.start_fails()
    os.chown(real.parent, 0, 0)
    httpd.root.chmod(0o1777)  # as /tmp is: what is in it can be renamed by its owner alone
    httpd.start()
    httpd.stop()
    os.lchown(httpd.state, stat.st_uid, 0)
    assert f"{httpd.state} can be written by httpd's workers" in httpd.start_fails()


@needs_root
def test_at_a_restart_it_is_an_error_and_no_end(httpd):
    httpd.site("a.example.cn", {"index.html": "x"})
    httpd.start()
    httpd.register.chmod(0o666)
    httpd.expect_log("can be written by httpd's workers")
    httpd.graceful()
    assert httpd.get("http://a.example.cn/").status == 200


@pytest.mark.parametrize("content,mode", [("", 0o600), ("short\n", 0o600), ("0" * 64 + "\n", 0o644)])
def test_a_bad_pass_key_is_refused(httpd, content, mode):
    httpd.site("a.example.cn", {})
    key = httpd.state / "pass.key"
    key.write_text(content)
    key.chmod(mode)
    assert "pass.key" in httpd.start_fails()


def test_state_is_logged_where_only_a_nickname_names_it(httpd):
    """The note of open requests is made where the configuration names it, however it does."""
    httpd.log_format = "%h"
    httpd.config('<IfModule icp_module>\nLogFormat "%{Host}i state=%{ICP-State}n" of-state\n</IfModule>\nCustomLog logs/state.log of-state')
    httpd.site("a.example.cn", {"index.html": "hello"})
    httpd.site("b.example.cn")
    httpd.start()
    httpd.icpadmin("suspend", "b.example.cn", "--reason", "missing")
    assert [httpd.get(f"http://{name}.example.cn/").status for name in "aba"] == [200, 451, 200]
    file = httpd.root / "logs/state.log"
    httpd.wait_for(lambda: file.read_text().count("\n") == 3)
    lines = sorted(file.read_text().splitlines())  # each thread writes its line when its answer is out, in no set order
    assert lines == ["a.example.cn state=open", "a.example.cn state=open", "b.example.cn state=suspended"]
    file.unlink()
