"""icpadmin as a program: arguments, help, exit statuses, streams; and the two commands that need no register."""
import json
import os
import signal
import subprocess
import unicodedata

import pytest

from env import BUILD

ICPADMIN = str(BUILD / "icpadmin")
COMMANDS = ["init", "status",
            "number", "inspect",
            "holder add", "holder list", "holder show", "holder edit",
            "license add", "license list", "license show", "license edit", "license remove", "license cancel", "license revoke", "license reinstate",
            "license import", "license export",
            "site add", "site list", "site show", "site edit", "site remove", "site import", "site discover",
            "policy show", "policy set",
            "exemption add", "exemption list", "exemption remove",
            "check",
            "suspend", "enable",
            "pass",
            "outbox send", "outbox list", "outbox show", "outbox retry", "outbox drop", "outbox test", "outbox prune",
            "application list", "application show", "application add", "application pull",
            "application review", "application return", "application correct", "application file", "application sms",
            "application confirm", "application bureau", "application approve", "application reject", "application withdraw",
            "application export", "application purge",
            "queue",
            "domain add", "domain import", "domain list", "domain show", "domain edit", "domain remove", "domain documents",
            "domain submit", "domain accept", "domain refuse", "domain remind",
            "workday",
            "evidence prune", "report",
            "log",
            "backup", "restore", "doctor",
            "help"]


def run(*arguments, stdin="", **options):
    environment = {**os.environ, "ICP_REGISTER": "/nowhere/register.db"}
    return subprocess.run([ICPADMIN, *arguments], input=stdin, capture_output=True, text=True, env=environment, check=False,
                          **options)


def display_width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, said", [
    ([], "no command given"),
    (["numbr", "x"], "did you mean `icpadmin number`?"),
    (["frobnicate"], "see: icpadmin help"),
    (["site"], "say: icpadmin site add|list|show|edit|remove|import|discover"),
    (["site", "imprt"], "did you mean `icpadmin site import`?"),
    (["suspend", "shop.example.cn"], "needs --reason"),
    (["suspend", "--reason", "missing"], "needs SITE"),
    (["suspend", "shop.example.cn", "--reasn", "missing"], "did you mean --reason?"),
    (["suspend", "shop.example.cn", "--reason"], "--reason needs a value"),
    (["suspend", "a", "--reason", "missing", "--reason", "order"], "--reason is given twice"),
    (["site", "list", "--holder", "x"], "`icpadmin site list` has no option --holder"),
    (["site", "list", "extra"], "takes no argument `extra`"),
    (["number", "x", "--json=yes"], "--json takes no value"),
    (["number", "x", "-q"], "no option -q"),
    (["status", "--actor", " "], "--actor is empty"),
    (["status", "--register", ""], "--register is empty"),
    (["help", "sit"], "did you mean `site`?"),
])
def test_what_cannot_be_understood_is_a_usage_error_that_says_what_can(arguments, said):
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("icpadmin: ")
    assert said in result.stderr


def test_options_stand_before_or_after_the_command_and_a_double_dash_ends_them():
    before, after = run("--json", "number", "沪ICP备05012345号"), run("number", "沪ICP备05012345号", "--json")
    assert before.stdout == after.stdout and json.loads(before.stdout)
    assert "--json" in run("number", "--", "--json").stdout


def test_arguments_must_be_text():
    done = subprocess.run([ICPADMIN, "number", b"\xff\xfe"], capture_output=True, check=False)
    assert done.returncode == 2 and b"argument 2 is not UTF-8" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    result = run(*command.split(), "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith(f"usage: icpadmin {command}")
    assert "\nExample:\n  " in result.stdout
    assert result.stdout == run("help", *command.split()).stdout
    assert f"\n  {command} " in run("help").stdout
    assert f"\n### icpadmin {command}\n" in run("help", "--markdown").stdout


def test_help_of_a_noun_explains_all_its_commands():
    result = run("help", "license")
    verbs = ("add", "list", "show", "cancel", "revoke", "reinstate", "import", "export")
    assert all(f"usage: icpadmin license {verb}" in result.stdout for verb in verbs)


def test_no_command_is_missing_from_this_list():
    lines = run("help").stdout.split("Commands (")[1].split("\n\n")[0].splitlines()[1:]
    assert [line[2:22].strip() for line in lines if line[2] != " "] == COMMANDS  # the others go on with a summary


def test_version():
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("icpadmin (mod_icp) ")


# --- streams ----------------------------------------------------------------------------------------------------------


def test_output_that_cannot_be_written_is_a_fault():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([ICPADMIN, "number", "沪ICP备05012345号"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert done.returncode == 5 and "cannot write to standard output: No space left on device" in done.stderr


def test_closed_standard_output_is_a_fault_and_not_written_elsewhere():
    command = '"$0" number 沪ICP备05012345号 >&-'
    done = subprocess.run(["sh", "-c", command, ICPADMIN], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5 and "cannot write" in done.stderr


def test_a_reader_that_goes_away_ends_it_quietly():
    lines = "沪ICP备05012345号\n" + "".join(f"沪ICP备{20000000 + i}号\n" for i in range(20000))
    with subprocess.Popen([ICPADMIN, "number", "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.close()
        try:
            process.stdin.write(lines.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.wait(60)
        assert process.returncode == -signal.SIGPIPE
        assert process.stderr.read() == b""


def test_tables_are_aligned_by_display_width():
    result = run("number", "沪ICP备05012345号-3", "京ICP证030173号", "粤B2-20090191")
    lines = result.stdout.splitlines()
    columns = [line.split("  ") for line in lines]
    widths = {display_width(line[:line.index(word)]) for line, word in zip(lines, ("KIND", "website", "permit", "telecom"))}
    assert len(widths) == 1, columns


def test_what_is_odd_about_a_number_is_one_sentence():
    assert "abbreviations; the digits look" in run("number", "港ICP备12345678号").stdout


def test_texts_cannot_move_the_terminals_cursor():
    result = run("number", "\x1b[2J\x07沪ICP备05012345号\u202e", "a\x9bb")
    assert not any(ord(c) < 32 and c != "\n" or c in "\x9b\u202e" for c in result.stdout)
    assert "\ufffd[2J\ufffd" in result.stdout


# --- number -----------------------------------------------------------------------------------------------------------


def test_number_explains_each_text():
    result = run("number", "沪ICP备05012345號－3", "川ICP备05012345", "粤B2-20090191-2", "--json")
    website, alias, telecom = json.loads(result.stdout)
    assert result.returncode == 0
    assert (website["kind"], website["province"], website["suffix"]) == ("website", "沪", 3)
    assert (website["normal"], website["license"]) == ("沪ICP备05012345号-3", "沪ICP备05012345号")
    assert website["text"] == "沪ICP备05012345號－3" and website["reason"] is None
    assert alias["normal"] == "蜀ICP备05012345号" and set(alias["marks"]) == {"alias-province", "no-hao"}
    assert (telecom["kind"], telecom["suffix"]) == ("telecom", 2)


@pytest.mark.parametrize("text, reason", [("港ICP备12345678号", "not-province"), ("沪ICP备123号", "digits")])
def test_number_says_why_a_text_is_none(text, reason):
    result = run("number", "沪ICP备05012345号", text, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)[1]["kind"] == "none" and json.loads(result.stdout)[1]["reason"] == reason
    assert run("number", text).returncode == 1


def test_a_police_number_is_no_icp_number():
    result = run("number", "京公网安备11010102000001号")
    assert result.returncode == 1 and "police" in result.stdout


def test_numbers_from_standard_input():
    result = run("number", "-", "--json", stdin="\n  沪ICP备05012345号-3 \n\n沪ICP备05012345号\n")
    assert [entry["kind"] for entry in json.loads(result.stdout)] == ["website", "license"]
    assert run("number", "-", stdin="\n\n").returncode == 2
