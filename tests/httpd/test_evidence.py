"""Evidence: what a failing page looked like, byte for byte, when staff take it out months later; and that it goes when it is old."""
import gzip
import hashlib
import json
import os
import random
import re
import sqlite3
import subprocess
import time

import pytest

from env import NUMBER

BAD = '<!DOCTYPE html><meta charset="utf-8"><title>小店</title><p>本店出售茶叶。</p>'
GOOD = BAD + f"<footer>{NUMBER}</footer>"
SITE = "shop.example.cn"


def data(httpd, *arguments, code=0, **options):
    return json.loads(httpd.icpadmin(*arguments, "--json", code=code, **options).out)


def evidence(httpd, site=SITE):
    return data(httpd, "site", "show", site, "--evidence")["evidence"]


def files(httpd):
    return sorted(path for path in (httpd.state / "evidence").glob("*/*"))


def saved(httpd, folder, *arguments, code=0):
    httpd.icpadmin("site", "show", SITE, "--save", folder, *arguments, code=code)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fact_sheets(written):
    return [json.loads(content) for name, content in sorted(written.items()) if name.endswith(".json")]


@pytest.fixture
def shop(httpd):
    httpd.site(SITE, {"index.html": BAD})
    httpd.start()
    return httpd


def test_a_page_is_saved_as_it_was_received(shop, tmp_path):
    before = int(time.time())
    shop.icpadmin("check", SITE, code=1)
    look = evidence(shop)[0]
    digest = hashlib.sha256(BAD.encode()).hexdigest()
    assert (look["verdict"], look["status"], look["sha256"], look["bytes"], look["kept"]) == (
        "missing", 200, digest, len(BAD.encode()), len(BAD.encode()))
    assert look["address"] == f"127.0.0.1:{shop.port}" and look["url"] == f"http://{SITE}/" and before <= look["at"] <= time.time()
    table = shop.icpadmin("site", "show", SITE, "--evidence").out
    assert digest in table and look["address"] in table
    written = saved(shop, tmp_path / "out", "--actor", "李雷")
    assert written[f"{digest}.page"] == BAD.encode()
    headers = written[f"{SITE}-000001.headers"].decode()
    assert headers.startswith("HTTP/1.1 200 OK\r\n") and "Content-Type: text/html\r\n" in headers
    [sheet] = fact_sheets(written)
    assert sheet["sha256"] == digest and sheet["page_file"] == f"{digest}.page" and sheet["saved_by"] == "李雷"
    assert sheet["inspection"]["verdict"] == "missing"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "out").iterdir())
    event = [e for e in data(shop, "log", "--site", SITE) if e["action"] == "evidence.export"][-1]
    assert event["actor"] == "李雷" and event["after"]["looks"] == 1


def test_pages_in_other_dress(httpd, tmp_path):
    """Compressed by the server, in GBK, large: the page as it was judged."""
    httpd.load("deflate", "filter")
    gbk = BAD.replace('<meta charset="utf-8">', "").encode("gbk")
    noise = "".join(random.Random(1).choices("abcdefghij \n", k=600000))
    httpd.site(SITE, {"index.html": BAD + f"<p>{noise}"}, config="SetOutputFilter DEFLATE")
    httpd.site("gbk.example.cn", {"index.html": gbk}, config="AddDefaultCharset gbk")
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    written = saved(httpd, tmp_path / "out")
    [sheet] = fact_sheets(written)
    assert written[sheet["page_file"]] == (BAD + f"<p>{noise}").encode()
    assert b"content-encoding: gzip" in written[sheet["headers_file"]].lower()
    httpd.icpadmin("site", "show", "gbk.example.cn", "--save", tmp_path / "gbk")
    assert gbk in [path.read_bytes() for path in (tmp_path / "gbk").iterdir()]


def test_a_page_over_the_bound_is_kept_from_its_beginning(shop, tmp_path):
    page = BAD.encode() + b"<p>" + random.Random(2).randbytes(3000000).replace(b"<", b"x").replace(b"\0", b"y")
    shop.write(SITE, {"index.html": page})
    shop.icpadmin("check", SITE, "--limit", 8000000, code=1)
    look = evidence(shop)[0]
    assert (look["bytes"], look["kept"]) == (len(page), 2097152)
    assert look["sha256"] == hashlib.sha256(page).hexdigest()
    assert look["kept_sha256"] == hashlib.sha256(page[:2097152]).hexdigest()
    assert saved(shop, tmp_path / "out")[look["kept_sha256"] + ".page"] == page[:2097152]


def test_the_same_page_is_one_file_for_its_owner_only(shop):
    for _ in range(3):
        shop.icpadmin("check", SITE, code=1)
    assert len(evidence(shop)) == 3
    [file] = files(shop)
    assert gzip.decompress(file.read_bytes()) == BAD.encode()
    folder = shop.state / "evidence"
    assert [path.stat().st_mode & 0o777 for path in (folder, file.parent, file)] == [0o700, 0o700, 0o600]
    shop.icpadmin("suspend", SITE, "--reason", "missing")
    shop.icpadmin("enable", SITE, code=1)  # a look of its own
    assert len(evidence(shop)) == 4 and len(files(shop)) == 1
    shop.write(SITE, {"index.html": GOOD})
    shop.icpadmin("enable", SITE)
    assert len(evidence(shop)) == 4


def test_what_does_not_fail_or_is_tried_only_leaves_nothing(shop):
    shop.icpadmin("check", SITE, "--dry-run", code=1)
    shop.write(SITE, {"index.html": BAD + f"<!-- {NUMBER} -->"})
    shop.icpadmin("check", SITE, code=1)
    assert not (shop.state / "evidence").exists() and evidence(shop) == []
    assert "no evidence is kept" in shop.icpadmin("site", "show", SITE, "--evidence").err
    shop.icpadmin("policy", "set", "evidence-days=0")
    shop.write(SITE, {"index.html": BAD})
    shop.icpadmin("check", SITE, code=1)
    assert not (shop.state / "evidence").exists()


def test_nothing_is_written_over(shop, tmp_path):
    shop.icpadmin("check", SITE, code=1)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f"{SITE}-000001.json").write_text("mine")
    assert "nothing was written" in shop.icpadmin("site", "show", SITE, "--save", folder, code=1).err
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]
    assert "evidence.export" not in shop.icpadmin("log", "--site", SITE).out
    (tmp_path / "file").write_text("")
    shop.icpadmin("site", "show", SITE, "--save", tmp_path / "file", code=5)
    shop.icpadmin("site", "show", SITE, "--save", tmp_path / "no" / "where", code=3)


def test_an_altered_page_is_found(shop, tmp_path):
    shop.list_holidays()
    shop.icpadmin("check", SITE, code=1)
    assert [check["message"] for check in data(shop, "doctor") if check["name"] == "evidence"] == ["1 pages are as they were kept"]
    [file] = files(shop)
    file.write_bytes(gzip.compress(BAD.encode().replace("茶叶".encode(), "茶茶".encode())))
    checks = data(shop, "doctor", code=5)
    assert any("has the SHA-256" in check["message"] and not check["ok"] for check in checks if check["name"] == "evidence")
    result = shop.icpadmin("site", "show", SITE, "--save", tmp_path / "out", code=5)
    assert "not as it was put there" in result.err
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {f"{SITE}-000001.json", f"{SITE}-000001.headers"}
    sheet = json.loads((tmp_path / "out" / f"{SITE}-000001.json").read_text())
    assert sheet["page_file"] is None and "SHA-256" in sheet["page_fault"]


def test_a_lost_page_is_missed_until_it_is_let_go(shop):
    shop.icpadmin("check", SITE, code=1)
    [file] = files(shop)
    file.unlink()
    remedies = [check["remedy"] for check in data(shop, "doctor", code=5) if check["name"] == "evidence"]
    assert "icpadmin evidence prune --lost" in remedies[0]
    assert data(shop, "evidence", "prune", "--lost")["lost"] == 1
    shop.list_holidays()
    shop.icpadmin("doctor")
    assert evidence(shop)[0]["kept_sha256"] is None


def test_prune_takes_what_is_old_and_nothing_else(shop):
    shop.icpadmin("check", SITE, code=1)
    shop.write(SITE, {"index.html": BAD + "<p>neu"})
    shop.icpadmin("check", SITE, code=1)
    with sqlite3.connect(shop.state / "private.db") as private:
        private.execute("UPDATE evidence SET at = at - 181 * 86400 WHERE id = 1")
    old = next(path for path in files(shop) if gzip.decompress(path.read_bytes()) == BAD.encode())
    os.utime(old, (0, 0))
    assert data(shop, "evidence", "prune", "--dry-run") == {"looks": 1, "files": 1, "lost": 0}
    assert len(files(shop)) == 2 and len(evidence(shop)) == 2
    assert data(shop, "evidence", "prune") == {"looks": 1, "files": 1, "lost": 0}
    assert len(files(shop)) == 1 and [look["id"] for look in evidence(shop)] == [2]
    assert data(shop, "evidence", "prune") == {"looks": 0, "files": 0, "lost": 0}
    shop.icpadmin("log", "--verify")


def test_a_disk_that_is_full_loses_no_look(shop):
    folder = shop.state / "evidence"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "icp", folder], check=False,
                                      capture_output=True).returncode:
        folder.rmdir()
        folder.write_text("")  # no folder, for anybody
        mounted = False
    else:
        mounted = True
        (folder / "full").write_bytes(b"x" * 4096)
    try:
        result = shop.icpadmin("check", SITE, code=1)
        assert f"the page of {SITE} is not kept as evidence, only its SHA-256" in result.err
        [look] = evidence(shop)
        assert look["kept_sha256"] is None and look["sha256"] == hashlib.sha256(BAD.encode()).hexdigest()
        assert data(shop, "site", "show", SITE)["verdict"] == "missing"
        assert "not kept" in shop.icpadmin("site", "show", SITE, "--evidence").out
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)


def test_evidence_outlives_its_site_and_names_are_harmless(httpd, tmp_path):
    name = ".café'$(id);茶"
    httpd.vhost(SITE, {"index.html": BAD})
    httpd.init_register()
    httpd.icpadmin("site", "add", name, "--host", SITE, "--serve-unlicensed")
    httpd.start()
    httpd.icpadmin("check", name, code=1)
    httpd.icpadmin("site", "remove", name)
    look = data(httpd, "site", "show", name, "--evidence")["evidence"][0]
    assert look["site"] == name
    assert "no longer on file" in httpd.icpadmin("site", "show", name, "--save", tmp_path / "out").err
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(names) == 3 and all(re.fullmatch(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*", given) for given in names)
    httpd.icpadmin("site", "show", "nobody.example.cn", "--evidence", code=3)
