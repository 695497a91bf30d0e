"""icpadmin inspect: a saved page, judged without register and network."""
import json
import subprocess

import pytest

from env import BUILD

PAGE = "<!DOCTYPE html><meta charset=utf-8><title>店</title><p>欢迎光临, 本店出售茶叶和茶具。</p><footer>{}</footer>"
LINK = '<a href="https://beian.miit.gov.cn/">{}</a>'


def inspect(page, *arguments):
    data = page if isinstance(page, bytes) else page.encode()
    done = subprocess.run([str(BUILD / "icpadmin"), "inspect", *arguments], input=data, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def judged(page, *arguments):
    code, out, err = inspect(page, "-", "--json", *arguments)
    assert err == ""
    result = json.loads(out)
    assert code == (0 if result["verdict"] == "displayed" else 1)
    return result


def test_the_object_that_programs_rely_on():
    page = PAGE.format("<!-- 沪ICP备05012345号-1 -->沪ICP备05012345号-1 沪ICP备XXXXXXXX号")
    assert judged(page) == {"verdict": "displayed", "displayed": ["沪ICP备05012345号-1"],
                            "hidden": [{"number": "沪ICP备05012345号-1", "where": "comment"}],
                            "invalid": ["沪ICP备XXXXXXXX号"], "findings": judged(page)["findings"], "charset": "utf-8"}
    assert "link-missing" in judged(page)["findings"]


@pytest.mark.parametrize("footer, expect, verdict", [
    (LINK.format("沪ICP备05012345号-1"), [], "displayed"),
    (LINK.format("沪ICP备05012345号-1"), ["沪ICP备05012345号-1"], "displayed"),
    (LINK.format("沪ICP备05012345号-1"), ["沪icp備05012345號－１"], "displayed"),
    (LINK.format("沪ICP备05012345号-1"), ["京ICP证030173号", "沪ICP备05012345号"], "displayed"),
    (LINK.format("沪ICP备05012345号-1"), ["京ICP证030173号"], "incorrect"),
    ("", [], "missing"),
    ("沪ICP备1234号", [], "invalid"),
    ("<span style='display:none'>沪ICP备05012345号-1</span>", [], "hidden"),
])
def test_verdict_and_exit_status(footer, expect, verdict):
    assert judged(PAGE.format(footer), *(f"--expect={number}" for number in expect))["verdict"] == verdict


def test_type_says_the_charset():
    page = PAGE.replace("<meta charset=utf-8>", "").format("沪ICP备05012345号-1").encode("gbk")
    assert judged(page, "--type", "text/html; charset=gbk")["displayed"] == ["沪ICP备05012345号-1"]


def test_what_is_no_page_is_unreadable():
    result = judged("%PDF-1.4", "--type", "application/pdf")
    assert result["verdict"] == "unreadable" and result["reason"] == "type"
    long = judged(PAGE.format("") + "x" * 10000, "--limit", "4096")
    assert long["verdict"] == "unreadable" and long["reason"] == "limit"


def test_people_get_an_explanation():
    code, out, _ = inspect(PAGE.format("沪ICP备05012345号-1"), "-", "--expect", "京ICP证030173号")
    assert code == 1 and "incorrect" in out and "沪ICP备05012345号-1" in out and "京ICP证030173号" in out
    code, out, _ = inspect(PAGE.format("沪ICP备05012345号-1"), "-")
    assert code == 0 and "none to compare it with" in out


def test_people_are_told_where_a_hidden_number_is_and_what_to_do():
    hidden = "<style>.foot .icp{display:none}</style>\n<div class=foot>\n<p class=icp>沪ICP备05012345号-1</p></div>\n<!-- 沪ICP备05012345号-1 -->"
    code, out, _ = inspect(PAGE.format("") + hidden, "-")
    assert code == 1 and "hidden" in out
    assert "Line 3: take away what hides the number (p by style sheet .foot .icp{display:none})." in out
    assert "Line 4: take the number out of the comment." in out
    code, out, _ = inspect(PAGE.format("") + hidden + "<!-- 京ICP证030173号 京ICP证030173号-1 -->", "-", "--expect", "京ICP证030173号")
    assert "Line 3:" not in out and out.count("Line 4:") == 1  # another's number is not to be shown, and one comment is opened once
    code, out, _ = inspect(PAGE.format("沪公网安备31010402001234号"), "-")
    assert code == 1 and "a police number is not one" in out and "公安备案号不能代替" in out
    code, out, _ = inspect(PAGE.format(LINK.format("沪ICP备05012345号-1")), "-")
    assert code == 0 and "Nothing to change." in out


@pytest.mark.parametrize("arguments, status", [
    (["-", "--expect", "hello"], 2), (["-", "--expect", "京公网安备11010102000001号"], 2), (["-", "--limit", "0"], 2),
    (["/nowhere/page.html"], 3), (["/"], 5), ([], 2), (["a", "b"], 2)])
def test_bad_input(arguments, status):
    code, out, err = inspect("", *arguments)
    assert code == status and out == "" and err.startswith("icpadmin: ")


def test_a_file_that_may_not_be_read(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(""))
    page.chmod(0)
    tmp_path.chmod(0o755)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", str(BUILD / "icpadmin"), "inspect", str(page)],
                          capture_output=True, text=True, check=False)
    if "Permission denied" not in done.stderr:
        pytest.skip("cannot become another user here")
    assert done.returncode == 4
