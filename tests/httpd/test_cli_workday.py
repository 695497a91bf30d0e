"""icpadmin workday: the list of holidays that the policy names, in any time zone, missing, or wrong."""
import json

import pytest

from env import SOURCE

LIST = SOURCE / "conf/holidays.tsv"


@pytest.fixture
def office(httpd):
    httpd.init_register()
    httpd.icpadmin("policy", "set", f"holidays={LIST}")
    return httpd


def ask(httpd, *arguments):
    return json.loads(httpd.icpadmin("workday", *arguments, "--json").out)


def test_before_a_long_holiday(office):
    assert ask(office, "2026-09-25", "--add", "5") == {
        "day": "2026-09-25", "works": False, "count": 5, "end": "2026-10-09", "estimated": False,
        "holiday": {"zh": "中秋节", "en": "Mid-Autumn Festival", "first": "2026-09-25", "last": "2026-09-27"}}
    shown = office.icpadmin("workday", "2026-09-28", "--add", "5").out
    assert "2026-10-01 to 2026-10-07, National Day (国庆节)" in shown and "2026-10-10" in shown


def test_today_is_beijing_s(office):
    today = {ask_zone(office, zone)["day"] for zone in ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")}
    assert len(today) == 1


def ask_zone(httpd, zone):
    httpd.environment["TZ"] = zone
    return ask(httpd)


def test_beyond_the_list_it_is_an_estimate(office):
    answer = office.icpadmin("workday", "2026-12-30", "--add", "2")
    assert "about 2027-01-01" in answer.out and "the list of holidays ends with 2026" in answer.err
    assert ask(office, "2026-12-30", "--add", "2")["estimated"] is True


def test_no_list_is_a_warning_and_weekends(office):
    office.icpadmin("policy", "set", "holidays=/nonexistent/holidays.tsv")
    answer = office.icpadmin("workday", "2026-09-30", "--add", "1")
    assert "about 2026-10-01" in answer.out
    assert answer.err.count("there is no list of holidays at /nonexistent/holidays.tsv") == 1


def test_a_wrong_list_is_a_warning_with_file_and_line(office):
    wrong = office.root / "holidays.tsv"
    wrong.write_text(LIST.read_text() + "2026-10-1\t国庆节\toff\n")
    office.icpadmin("policy", "set", f"holidays={wrong}")
    line = len(wrong.read_text().splitlines())
    answer = office.icpadmin("workday", "2026-09-30", "--add", "1")
    assert f"warning: {wrong} line {line}: '2026-10-1' is no day: only weekends count" in answer.err
    assert "about 2026-10-01" in answer.out


@pytest.mark.parametrize("arguments, said", [
    (["tomorrow"], "'tomorrow' is no day"),
    (["2026-02-30"], "'2026-02-30' is no day"),
    (["2026-02-03", "--add", "-1"], "--add takes a number from 0 to 10000"),
    (["2026-02-03", "2026-02-04"], "takes no argument"),
])
def test_bad_input(office, arguments, said):
    assert said in office.icpadmin("workday", *arguments, code=2).err
