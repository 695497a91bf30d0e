"""icpadmin domain: .cn registrations from the first document wanted to the registry's answer, their files, mails and queue."""
import json
import os
import sqlite3
import stat

import pytest

from applicant import JPEG, PDF, png

PNG = png()


@pytest.fixture
def office(httpd):
    httpd.init_register()
    httpd.list_holidays()
    httpd.icpadmin("policy", "set", "mail=smtp", "mail-from=office@example.com")
    for name, content in {"license.pdf": PDF, "id.jpg": JPEG, "id.png": PNG, "page.pdf": b"<html>", "empty.pdf": b""}.items():
        (httpd.root / name).write_bytes(content)
    return httpd


def add(httpd, name="example.cn", *arguments):
    return httpd.icpadmin("domain", "add", name, "--registrant", "上海某某商贸有限公司", "--email", "it@example.cn", *arguments)


def data(httpd, *arguments, **options):
    return json.loads(httpd.icpadmin(*arguments, "--json", **options).out)


def hand_in(httpd, name, **files):
    arguments = [part for kind, file in files.items() for part in ("--add", f"{kind}={httpd.root / file}")]
    return data(httpd, "domain", "documents", name, *arguments)


def stored(httpd):
    return [path for path in (httpd.state / "documents").rglob("*") if path.is_file()]


def posted(httpd):
    with sqlite3.connect(httpd.state / "private.db") as database:
        return [(event, recipient, json.loads(facts)) for event, recipient, facts in
                database.execute("SELECT event, recipient, facts FROM outbox ORDER BY id")]


def backdate(httpd, days):
    with sqlite3.connect(httpd.state / "private.db") as database:
        database.execute("UPDATE domain SET state_at = state_at - ?", (days * 86400,))


def test_the_whole_way(office):
    assert "documents wanted: license, contact" in add(office).out
    assert hand_in(office, "example.cn", license="license.pdf")["missing"] == ["contact"]
    assert hand_in(office, "example.cn", contact="id.jpg")["state"] == "received"
    assert "the registry answers by 20" in office.icpadmin("domain", "submit", "example.cn").out
    shown = data(office, "domain", "show", "example.cn")
    assert shown["state"] == "submitted" and shown["due"] and [d["type"] for d in shown["documents"]] == ["application/pdf", "image/jpeg"]
    office.icpadmin("domain", "refuse", "example.cn", "--reason", "营业执照已过期", "--document", "license")
    shown = office.icpadmin("domain", "show", "example.cn").out
    assert "营业执照已过期" in shown and "Missing" in shown
    hand_in(office, "example.cn", license="id.png")
    office.icpadmin("domain", "submit", "example.cn")
    office.icpadmin("domain", "accept", "example.cn")
    assert data(office, "domain", "list", "--state", "accepted")[0]["domain"] == "example.cn"
    assert data(office, "domain", "list", "--state", "wanted") == []
    assert [event for event, _, _ in posted(office)] == [
        "domain.documents-wanted", "domain.received", "domain.submitted", "domain.refused", "domain.received", "domain.submitted",
        "domain.accepted"]
    _, recipient, facts = posted(office)[3]
    assert recipient == "it@example.cn" and facts["reasons"] == "营业执照已过期"
    assert facts["documents"] == "营业执照或组织的其他合法证件 / business license or another certificate of the organisation"
    assert "the chain is whole" in office.icpadmin("log", "--verify").out


def test_names_in_their_own_letters(office):
    add(office, "商店.中国", "--kind", "individual")
    shown = data(office, "domain", "show", "xn--czrs0t.xn--fiqs8s")
    assert (shown["domain"], shown["unicode"], shown["missing"]) == ("xn--czrs0t.xn--fiqs8s", "商店.中国", ["identity"])
    assert "商店.中国 (xn--czrs0t.xn--fiqs8s)" in office.icpadmin("domain", "list").out
    assert posted(office)[0][2]["domain"] == "商店.中国 (xn--czrs0t.xn--fiqs8s)"


@pytest.mark.parametrize("name, said", [
    ("com.cn", "is a suffix"), ("www.example.cn", "give the registered name: example.cn"), ("example.com", "is no .cn name"),
    ("../../etc/passwd.cn", "is no host name"), ("", "is no host name")])
def test_names_that_are_not_registered(office, name, said):
    answer = office.icpadmin("domain", "add", name, "--registrant", "x", code=2)
    assert said in answer.err


def test_documents_are_staff_s_alone_and_kept_once(office):
    add(office)
    hand_in(office, "example.cn", license="license.pdf", contact="license.pdf")
    (file,) = stored(office)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE((office.state / "documents").stat().st_mode) == 0o700
    folder = office.root / "saved"
    folder.mkdir()
    office.icpadmin("domain", "documents", "example.cn", "--save", str(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"example.cn-license.pdf": PDF, "example.cn-contact.pdf": PDF}
    assert "there is a file" in office.icpadmin("domain", "documents", "example.cn", "--save", str(folder), code=1).err
    hand_in(office, "example.cn", license="id.jpg")
    assert len(stored(office)) == 2
    hand_in(office, "example.cn", contact="id.jpg")
    assert len(stored(office)) == 1  # nobody refers to the other one any longer
    office.icpadmin("domain", "remove", "example.cn")
    assert stored(office) == []


def test_what_is_not_taken_changes_nothing(office):
    add(office)
    before = [(office.state / name).read_bytes() for name in ("register.db", "private.db")]
    fifo = office.root / "pipe.pdf"
    os.mkfifo(fifo)
    large = office.root / "large.pdf"
    large.write_bytes(PDF)
    os.truncate(large, 5 * 1024 * 1024 + 1)
    for given, code, said in [
            ("license", 2, "write --add KIND=FILE"), ("identity=x", 2, "there are: license, contact"),
            (f"license={office.root}/page.pdf", 1, "another type by its content"), (f"license={office.root}/empty.pdf", 1, "is empty"),
            (f"license={office.root}/nothing.pdf", 3, "cannot open"), (f"license={office.root}", 1, "is no file"),
            (f"license={fifo}", 1, "is no file"), (f"license={large}", 1, "larger than 5 MB")]:
        assert said in office.icpadmin("domain", "documents", "example.cn", "--add", given, code=code).err
    # One bad document among good ones, and a dry run: no row, no file.
    office.icpadmin("domain", "documents", "example.cn", "--add", f"license={office.root}/license.pdf", "--add",
                    f"contact={office.root}/page.pdf", code=1)
    office.icpadmin("domain", "documents", "example.cn", "--add", f"license={office.root}/license.pdf", "--dry-run")
    assert [(office.state / name).read_bytes() for name in ("register.db", "private.db")] == before
    assert stored(office) == []


def test_impossible_steps_say_what_is_possible(office):
    add(office)
    answer = office.icpadmin("domain", "accept", "example.cn", code=1)
    assert "`domain accept` is impossible while the documents of example.cn are wanted" in answer.err
    assert "possible now: domain documents" in answer.err
    assert "needs --reason" in office.icpadmin("domain", "refuse", "example.cn", code=2).err
    assert "is not on file" in office.icpadmin("domain", "submit", "other.cn", code=3).err
    assert "is on file" in office.icpadmin("domain", "add", "example.cn", "--registrant", "x", code=1).err
    assert "there is no state `lost`" in office.icpadmin("domain", "list", "--state", "lost", code=2).err
    assert "nothing to change" in office.icpadmin("domain", "edit", "example.cn", code=2).err


def test_several_are_one_change(office):
    for name in ("a.cn", "b.cn"):
        add(office, name)
    hand_in(office, "a.cn", license="license.pdf", contact="id.jpg")
    assert "documents of b.cn are wanted" in office.icpadmin("domain", "submit", "a.cn", "b.cn", "--yes", code=1).err
    assert data(office, "domain", "show", "a.cn")["state"] == "received"


def test_another_registrant_deletes_the_documents(office):
    add(office)
    hand_in(office, "example.cn", license="license.pdf")
    office.icpadmin("domain", "edit", "example.cn", "--registrant", "另一家公司", "--dry-run")
    assert len(stored(office)) == 1
    office.icpadmin("domain", "edit", "example.cn", "--registrant", "另一家公司")
    assert stored(office) == [] and data(office, "domain", "show", "example.cn")["missing"] == ["license", "contact"]


def test_reminders(office):
    add(office)
    assert data(office, "domain", "remind") == {"reminded": []}
    backdate(office, 7)
    assert data(office, "domain", "remind", "--dry-run") == {"reminded": ["example.cn"]}
    assert data(office, "domain", "remind") == {"reminded": ["example.cn"]}
    assert data(office, "domain", "remind") == {"reminded": []}
    assert [event for event, _, _ in posted(office)] == ["domain.documents-wanted", "domain.reminder"]
    office.icpadmin("policy", "set", "mail=off")
    backdate(office, 7)
    answer = office.icpadmin("domain", "remind", "--all")
    assert "mail is off" in answer.err and answer.out == ""


def test_queue(office):
    add(office, "wanted.cn")
    add(office, "received.cn")
    add(office, "submitted.cn")
    for name in ("received.cn", "submitted.cn"):
        hand_in(office, name, license="license.pdf", contact="id.jpg")
    office.icpadmin("domain", "submit", "submitted.cn")

    def items():
        return {item["subject"]: item for item in data(office, "queue") if item["kind"] == "domain"}

    assert set(items()) == {"wanted.cn", "received.cn"}
    assert items()["wanted.cn"]["why"] == "documents wanted, missing: license, contact"
    assert items()["wanted.cn"]["command"] == "icpadmin domain show wanted.cn"
    assert items()["received.cn"]["command"] == "icpadmin domain submit received.cn"
    backdate(office, 20)  # more than five working days, whatever holiday is in between
    assert "the registry's answer was due by" in items()["submitted.cn"]["why"]
    assert items()["submitted.cn"]["command"] == "icpadmin domain show submitted.cn"  # what it answered is not known yet
    for item in items().values():  # each can be run as it stands
        office.icpadmin(*item["command"].split()[1:], "--dry-run" if " submit " in item["command"] else "--json")
    office.icpadmin("domain", "accept", "submitted.cn")
    assert "submitted.cn" not in items()


def test_queue_asks_for_the_next_list_of_holidays(office):
    old = office.root / "holidays.tsv"
    old.write_text("2020-10-01..2020-10-08\t国庆节、中秋节\toff\n")
    office.icpadmin("policy", "set", f"holidays={old}")
    (item,) = [item for item in data(office, "queue") if item["kind"] == "calendar"]
    assert item["subject"] == str(old) and "are not listed" in item["why"] and item["command"].endswith(str(old))


def test_import(office):
    add(office, "old.cn")
    text = "domain,registrant,kind,email\r\na.cn,甲公司,,it@a.cn\r\n商店.中国,张三,individual,\r\nold.cn,上海某某商贸有限公司,organisation,\r\n"
    result = data(office, "domain", "import", "-", "--dry-run", stdin=text)
    assert (result["added"], result["unchanged"]) == (2, 1) and len(data(office, "domain", "list")) == 1
    (office.root / "domains.csv").write_text(text)
    assert "added 2, changed 0, unchanged 1, bad 0" in office.icpadmin("domain", "import", f"{office.root}/domains.csv").out
    shown = {entry["domain"]: entry for entry in data(office, "domain", "list")}
    assert shown["a.cn"]["kind"] == "organisation" and shown["xn--czrs0t.xn--fiqs8s"]["missing"] == ["identity"]
    assert ("domain.documents-wanted", "it@a.cn") in [entry[:2] for entry in posted(office)]
    assert office.icpadmin("domain", "import", "-", stdin=text).out.startswith("lines 3: added 0, changed 0, unchanged 3")


def test_import_of_bad_lines(office):
    add(office, "old.cn")
    text = ("domain,registrant,kind,email\n" "good.cn,甲公司,,\n" "com.cn,甲公司,,\n" "b.com,甲公司,,\n" "c.cn,,,\n" "d.cn,甲公司,club,\n"
            "e.cn,甲公司,,nobody\n" "GOOD.cn.,乙公司,,\n" "old.cn,乙公司,,\n" "f.cn,甲公司\n" "g.cn,甲公司,,g@g.cn\n")
    refused = office.icpadmin("domain", "import", "-", stdin=text, code=1)
    lines = [line.split(": ", 1) for line in refused.err.splitlines() if line.startswith("-:")]
    assert [line for line, _ in lines] == [f"-:{number}" for number in range(3, 11)]
    for (_, reason), word in zip(lines, ("suffix", ".cn", "empty", "club", "nobody", "line 2 already", "other data", "2 fields")):
        assert word in reason, reason
    assert "8 of 10 lines are bad: nothing was changed" in refused.err
    assert [entry["domain"] for entry in data(office, "domain", "list")] == ["old.cn"]
    assert data(office, "domain", "import", "-", "--skip-bad", stdin=text)["added"] == 2
    assert [entry["domain"] for entry in data(office, "domain", "list")] == ["g.cn", "good.cn", "old.cn"]
    assert "lacks the column 'registrant'" in office.icpadmin("domain", "import", "-", stdin="domain\nx.cn\n", code=2).err
    assert "cannot open" in office.icpadmin("domain", "import", "/nowhere.csv", code=3).err
