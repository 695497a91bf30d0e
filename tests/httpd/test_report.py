"""icpadmin report: the figures of a scripted month, cells that are no formulas, and the page in a browser."""
import csv
import datetime
import io
import os
import sqlite3
import time
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from env import NUMBER, this_month

BAD = '<!DOCTYPE html><meta charset="utf-8"><title>小店</title><p>本店出售茶叶。</p>'
GOOD = BAD + f"<footer>{NUMBER}</footer>"
LICENSE = NUMBER.split("-", maxsplit=1)[0]
BEIJING = datetime.timezone(datetime.timedelta(hours=8))
HOSTILE = ['=cmd|calc!A0', '+1;"x"', "@SUM(1,2)", "＝1+1", "<script>alert(1)</script>".replace("/", "|"), '"><img.src=x>', "a'b&c"]


@pytest.fixture(autouse=True)
def _day_does_not_end():
    """No test here begins in the last seconds of a day in Beijing, and so of a month."""
    left = 86400 - (time.time() + 8 * 3600) % 86400
    if left < 30:
        time.sleep(left)


def today():
    return datetime.datetime.now(BEIJING).date()


def month_before():
    return (today().replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")


def records(httpd, month=None, **options):
    text = httpd.icpadmin("report", "--month", month or this_month(), **options).out
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def of_kind(rows, kind):
    return [row for row in rows if row["record"] == kind]


def totals(rows):
    return {row["what"]: int(row["count"]) for row in of_kind(rows, "total")}


def a_month_earlier(httpd, actions):
    """Moves these events into the middle of the month before; the log forbids it, so its guards are taken away."""
    then = int(time.mktime(time.strptime(month_before() + "-15", "%Y-%m-%d")))
    with sqlite3.connect(httpd.state / "private.db") as private:
        private.execute("DROP TRIGGER event_stays_as_written")
        private.execute(f"UPDATE event SET at = {then} + id WHERE action IN ({','.join('?' * len(actions))})", actions)
    private.close()


def scripted(httpd):
    for name, content in (("good", GOOD), ("bad", BAD), ("image", BAD), ("gone", GOOD)):
        httpd.site(f"{name}.example.cn", {"index.html": content})
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    httpd.icpadmin("check", "bad.example.cn", code=1)
    httpd.icpadmin("suspend", "bad.example.cn", "image.example.cn", "--reason", "missing", "--note", "no number", "--yes")
    httpd.icpadmin("enable", "image.example.cn", "--attest", NUMBER, "--note", "in the image, seen", "--actor", "李雷")
    httpd.write("bad.example.cn", {"index.html": GOOD})
    httpd.icpadmin("enable", "bad.example.cn")
    httpd.icpadmin("suspend", "good.example.cn", "--reason", "order", "--note", "letter 12")
    httpd.icpadmin("site", "remove", "gone.example.cn")
    httpd.icpadmin("exemption", "add", "good.example.cn", "--for", "3d", "--note", "会展期间", "--actor", "韩梅梅")
    httpd.icpadmin("exemption", "add", "--all", "--verdict", "missing", "--for", "30d", "--note", "moved to new machines")
    httpd.icpadmin("exemption", "remove", "3")


def test_the_figures_of_a_month(httpd):
    scripted(httpd)
    rows = records(httpd)
    month = of_kind(rows, "month")[0]
    assert month["what"] == "under way" and month["at"].startswith(f"{this_month()}-01T00:00:00") and month["note"] == this_month()
    assert totals(rows) == {"sites on file": 3, "sites removed": 1, "licenses on file": 1, "looks": 7, "warnings": 2, "reviews": 0, "exemptions": 3,
                            "suspended at the beginning": 0, "suspensions opened": 3, "suspensions closed": 2,
                            "closed by attestation": 1, "suspended at the end": 1}
    sites = {row["site"]: row for row in of_kind(rows, "site")}
    assert {name.split(".")[0]: (row["count"], row["what"], row["note"]) for name, row in sites.items()} == {
        "good": ("1", "displayed", "suspended"), "bad": ("3", "displayed", "open"), "image": ("2", "missing", "open")}
    assert sites["bad.example.cn"]["numbers"] == NUMBER and sites["bad.example.cn"]["holder"] == f"holder of {LICENSE}"
    cases = {row["site"].split(".")[0]: row for row in of_kind(rows, "suspension")}
    assert (cases["image"]["ground"], cases["image"]["until_by"], cases["image"]["numbers"]) == ("attested", "李雷", NUMBER)
    assert "no number" in cases["image"]["note"] and "in the image, seen" in cases["image"]["note"]
    assert (cases["bad"]["ground"], cases["bad"]["what"]) == ("inspection", "missing") and cases["bad"]["until"]
    assert (cases["good"]["until"], cases["good"]["what"], cases["good"]["case"]) == ("", "order", "ICP-000003")
    assert sites["bad.example.cn"]["until"].startswith(today().isoformat()) and sites["bad.example.cn"]["until"].endswith("+08:00")
    exempt = [(row["site"].split(".")[0], row["what"], row["by"], row["note"], row["until_by"] != "") for row in of_kind(rows, "exemption")]
    assert ("every site", "missing", "moved to new machines", True) in [entry[:2] + entry[3:] for entry in exempt]
    assert ("good", "whatever is found", "韩梅梅", "会展期间", False) in exempt
    assert ("image", "missing", "李雷", "in the image, seen", False) in exempt, "who attests vouches for a while"
    turns = [(row["site"].split(".")[0], row["note"], row["what"]) for row in of_kind(rows, "verdict")]
    assert ("bad", "before: missing", "displayed") in turns and ("gone", "", "displayed") in turns
    warned = [(row["site"].split(".")[0], row["what"], row["ground"]) for row in of_kind(rows, "warning")]
    assert sorted(warned) == [("bad", "missing", "no mail"), ("image", "missing", "no mail")]
    assert [row["holder"] for row in of_kind(rows, "license")] == [f"holder of {LICENSE}"]
    assert "is under way" in httpd.icpadmin("report", "--month", this_month()).err


def test_holders_are_told_by_the_names_they_have_at_the_end(register):
    """Renamed, and one whose name is a part of another's."""
    register.icpadmin("holder", "edit", "上海示例商贸有限公司", "--name", "茶行有限公司")
    register.icpadmin("license", "add", "京ICP备11020872号", "--holder", "茶行")
    register.icpadmin("site", "edit", "shop.example.cn", "--license", "京ICP备11020872号-1")
    rows = records(register)
    assert {row["holder"] for row in of_kind(rows, "license")} == {"茶行有限公司", "茶行"}
    assert sorted(of_kind(rows, "site")[0]["holder"].split("; ")) == ["茶行", "茶行有限公司"]


def test_a_license_that_was_put_on_file_by_mistake_is_in_no_report(register):
    register.icpadmin("license", "add", "沪ICP备05012354号", "--holder", "茶行")
    register.icpadmin("license", "edit", LICENSE, "--holder", "茶行", "--note", "typed wrongly")
    register.icpadmin("license", "remove", "沪ICP备05012354号")
    assert "shop.example.cn" in register.icpadmin("license", "show", LICENSE).out
    assert "1 site" in register.icpadmin("license", "remove", LICENSE, code=1).err
    assert [(row["numbers"], row["holder"]) for row in of_kind(records(register), "license")] == [(LICENSE, "茶行")]


def test_what_happened_a_month_ago_is_told_of_that_month(httpd):
    scripted(httpd)
    a_month_earlier(httpd, ("license.add", "site.add", "site.suspend", "site.verdict"))
    rows = records(httpd, month_before())
    assert of_kind(rows, "month")[0]["what"] == "complete"
    figures = totals(rows)
    assert (figures["sites on file"], figures["suspensions opened"], figures["suspensions closed"], figures["suspended at the end"]) == (
        4, 3, 0, 3)
    assert {row["until"] for row in of_kind(rows, "suspension")} == {""}
    assert of_kind(rows, "verdict") != []
    figures = totals(records(httpd))
    assert (figures["sites on file"], figures["sites removed"], figures["suspended at the beginning"], figures["suspensions opened"],
            figures["suspensions closed"]) == (3, 1, 3, 0, 2)
    assert of_kind(records(httpd, "2000-01"), "site") == []


def test_months_are_those_of_beijing(httpd):
    """Whatever time zone the server has: the last second of the old month and the first of the new one, which in London is the old."""
    httpd.register_site("shop.example.cn")
    httpd.register_site("late.example.cn")
    begin = int(datetime.datetime(today().year, today().month, 1, tzinfo=BEIJING).timestamp())
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    httpd.icpadmin("suspend", "late.example.cn", "--reason", "missing")
    with sqlite3.connect(httpd.state / "private.db") as private:
        private.execute("DROP TRIGGER event_stays_as_written")
        private.execute("UPDATE event SET at = ? WHERE action IN ('site.add', 'license.add')", (begin - 86400,))
        private.execute("UPDATE event SET at = ? WHERE action = 'site.suspend' AND subject = 'shop.example.cn'", (begin - 1,))
        private.execute("UPDATE event SET at = ? WHERE action = 'site.suspend' AND subject = 'late.example.cn'", (begin,))
    private.close()
    for zone in ("UTC", "America/New_York", "Asia/Shanghai"):
        rows = records(httpd, month_before(), TZ=zone)
        assert [row["site"] for row in of_kind(rows, "suspension")] == ["shop.example.cn"] and totals(rows)["suspensions opened"] == 1
        assert of_kind(rows, "month")[0]["until"] == f"{this_month()}-01T00:00:00+08:00"
        rows = records(httpd, TZ=zone)
        assert {row["site"]: row["at"] for row in of_kind(rows, "suspension")}["late.example.cn"] == f"{this_month()}-01T00:00:00+08:00"
        assert (totals(rows)["suspended at the beginning"], totals(rows)["suspensions opened"]) == (1, 1)


def test_looks_are_counted_in_months_of_beijing(httpd):
    """`check` counts by the same clock as the report, though it may run in another time zone."""
    httpd.site("shop.example.cn", {"index.html": GOOD})
    httpd.start()
    httpd.icpadmin("check", "shop.example.cn", TZ="Pacific/Kiritimati")
    httpd.icpadmin("check", "shop.example.cn", TZ="Pacific/Midway")
    assert [row["count"] for row in of_kind(records(httpd), "site")] == ["2"]


def test_who_was_told_and_what_people_judged(make_httpd):
    """Warnings and reviews are told from the log: they stay when the outbox has forgotten the mails."""
    httpd = make_httpd()
    httpd.site("bad.example.cn", {"index.html": BAD})
    httpd.site("hidden.example.cn", {"index.html": BAD + f"<p hidden>{NUMBER}</p>"})
    httpd.start()
    httpd.icpadmin("holder", "edit", f"holder of {LICENSE}", "--email", "owner@example.cn")
    mails = httpd.root / "mails"
    mails.write_text("#!/bin/sh\ncat >/dev/null\n")
    mails.chmod(0o755)
    httpd.icpadmin("policy", "set", "mail=command", f"mail-command={mails}", "mail-from=icp@example.cn", "checks=2", "hours=24")
    httpd.icpadmin("check", "--all", code=1)
    httpd.icpadmin("queue", "--seen", "hidden.example.cn", "--note", "页脚有号", "--actor", "李雷")
    httpd.icpadmin("suspend", "bad.example.cn", "--reason", "missing")
    [warning], [case] = of_kind(records(httpd), "warning"), of_kind(records(httpd), "suspension")
    assert (warning["what"], warning["told"], warning["ground"], warning["count"]) == ("missing", "", "not sent", "1")
    assert warning["until"] > warning["at"] and warning["until"].endswith("+08:00")
    assert case["told"] == ""
    httpd.icpadmin("outbox", "send")
    rows = records(httpd)
    [warning], [case], [review] = of_kind(rows, "warning"), of_kind(rows, "suspension"), of_kind(rows, "review")
    assert warning["told"].startswith(today().isoformat()) and case["told"].startswith(today().isoformat())
    assert (review["site"], review["by"], review["what"], review["note"]) == ("hidden.example.cn", "李雷", "hidden", "页脚有号")
    assert (totals(rows)["warnings"], totals(rows)["reviews"]) == (1, 1)
    with sqlite3.connect(httpd.state / "private.db") as private:
        private.execute("DELETE FROM outbox")
    private.close()
    assert [(row["what"], row["ground"]) for row in of_kind(records(httpd), "warning")] == [("missing", "mailed")]


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026", "26-11", "2026-1", "2026/11", "", "2999-01", "11-2026"])
def test_months_that_cannot_be_told(httpd, month):
    httpd.init_register()
    assert httpd.icpadmin("report", f"--month={month}", code=2).out == ""


def test_files_are_new_and_private(httpd, tmp_path):
    httpd.init_register()
    file = tmp_path / "report.html"
    httpd.icpadmin("report", "--month", this_month(), "--format", "html", "--output", file)
    assert file.stat().st_mode & 0o777 == 0o600 and file.read_text().endswith("</html>\n")
    before = file.read_bytes()
    httpd.icpadmin("report", "--month", this_month(), "--output", file, code=1)
    assert file.read_bytes() == before
    httpd.icpadmin("report", "--month", this_month(), "--output", tmp_path / "no" / "where", code=3)
    httpd.icpadmin("report", "--month", this_month(), "--format", "pdf", code=2)
    httpd.icpadmin("report", code=2)
    httpd.icpadmin("report", "--month", this_month(), "--output", "/dev/full", code=1)


def hostile_sites(httpd):
    for name in HOSTILE:
        httpd.icpadmin("site", "add", name, "--host", f"h{HOSTILE.index(name)}.example.cn", "--serve-unlicensed")
        httpd.icpadmin("suspend", name, "--reason", "order", "--note", f"{name}, \"quoted\"", "--actor", "=1+1")


def test_no_cell_is_a_formula_and_all_come_back(httpd):
    httpd.init_register()
    hostile_sites(httpd)
    rows = records(httpd)
    names = {row["site"] for row in of_kind(rows, "site")}
    assert {name[1:] if name.startswith("'") else name for name in names} == set(HOSTILE)
    for row in rows:
        for cell in row.values():
            assert not cell or cell[0] not in "=+-@\t\r＝＋－＠", cell
    raw = httpd.icpadmin("report", "--month", this_month()).out
    assert "\"'=cmd|calc!A0\"" in raw and "\"'=1+1\"" in raw
    assert all(len(row) == 15 and None not in row for row in rows)


def test_a_register_put_back_is_told_of_all_the_same(httpd, tmp_path):
    """Restore keeps suspensions that the log of the backup does not know."""
    httpd.register_site("shop.example.cn")
    httpd.icpadmin("backup", tmp_path / "old")
    httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
    httpd.icpadmin("restore", tmp_path / "old")
    rows = records(httpd)
    assert [(row["site"], row["what"]) for row in of_kind(rows, "suspension")] == [("shop.example.cn", "missing")]
    assert of_kind(rows, "site")[0]["note"] == "suspended"
    httpd.vhost("shop.example.cn", {"index.html": GOOD})
    httpd.start()
    httpd.icpadmin("enable", "shop.example.cn")
    httpd.icpadmin("site", "remove", "shop.example.cn")
    [closed] = of_kind(records(httpd), "suspension")
    assert (closed["what"], closed["ground"], closed["numbers"]) == ("missing", "inspection", NUMBER) and closed["at"]


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
@pytest.mark.parametrize("size", [(360, 740), (1280, 900)])
def test_the_page_in_a_browser(httpd, size):
    scripted(httpd)
    hostile_sites(httpd)
    page = httpd.icpadmin("report", "--month", this_month(), "--format", "html").out
    httpd.vhost("report.example.cn", {"index.html": page})
    httpd.allow_log("belong to no registered site")
    httpd.graceful()
    with Browser({"report.example.cn": httpd.port}) as browser:
        shown = browser.open("http://report.example.cn/", *size)
        folder = os.environ.get("ICP_SCREENSHOTS")
        if folder:
            shown.screenshot(Path(folder) / f"report-{size[0]}.png")
        assert shown.evaluate("document.compatMode") == "CSS1Compat"
        assert shown.overhang() <= 0
        assert shown.evaluate("document.scripts.length + document.images.length") == 0
        text = shown.evaluate("document.body.textContent")
        assert all(name in text for name in HOSTILE) and "under way" in text
        assert [url for url in shown.requests if "favicon" not in url] == ["http://report.example.cn/"]
        assert [problem for problem in shown.problems if "404" not in problem] == []
        assert shown.evaluate("[...document.querySelectorAll('tbody tr')].every(r => r.cells.length >= 2)")
