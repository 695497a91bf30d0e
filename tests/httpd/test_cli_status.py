"""icpadmin status: what is under way, and an exit status that monitoring can use."""
import json
import sqlite3
import time

from env import NUMBER
from prometheus import samples

BAD = '<!DOCTYPE html><meta charset="utf-8"><title>小店</title><p>本店出售茶叶。</p>'


def status(httpd, code=0):
    result = httpd.icpadmin("status", "--json", code=code)
    return json.loads(result.out), result.err


def change(file, *statements):
    with sqlite3.connect(file) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def test_a_register_that_is_new_is_well(httpd):
    httpd.init_register()
    found, said = status(httpd)
    assert found["well"] and found["problems"] == [] and found["sweep"] is None and said == ""
    assert found["evidence"] == {"looks": 0, "pages": 0, "without_page": 0, "oldest_at": None}
    assert "Health        well" in httpd.icpadmin("status").out


def test_the_last_sweep_and_what_is_kept(httpd):
    httpd.site("good.example.cn", {"index.html": BAD + NUMBER})
    httpd.site("bad.example.cn", {"index.html": BAD})
    httpd.start()
    httpd.icpadmin("check", "--all", code=1)
    found, _ = status(httpd)
    sweep = found["sweep"]
    assert (sweep["total"], sweep["done"], sweep["compliant"], sweep["failing"], sweep["under_way"], sweep["braked"]) == (
        2, 2, 1, 1, False, False)
    assert (found["evidence"]["looks"], found["evidence"]["pages"]) == (1, 1)
    assert "2 of 2 sites, 1 compliant, 1 failing" in httpd.icpadmin("status").out


def test_what_is_wrong_is_named_and_exits_1(httpd):
    httpd.register_site("shop.example.cn")
    now, old = int(time.time()), int(time.time()) - 3 * 86400
    change(httpd.register, f"UPDATE site SET created_at = {old}")
    found, said = status(httpd, code=1)
    assert not found["well"] and found["problems"] == ["there was no sweep yet: is icp-sweep.timer enabled?"]
    assert "icp-sweep.timer" in said
    sweep = "INSERT INTO sweep (started_at, ended_at, enforce, total, to_suspend, braked) VALUES"
    change(httpd.register, f"{sweep} ({old}, {old}, 0, 1, 0, 0)")
    assert "the last sweep ended" in status(httpd, code=1)[1]
    change(httpd.register, f"{sweep} ({now}, NULL, 0, 1, 0, 0)")
    assert "was interrupted" in status(httpd, code=1)[1]
    change(httpd.register, f"{sweep} ({now}, {now}, 1, 1, 1, 1)")
    assert "the brake stopped sweep 3" in status(httpd, code=1)[1]
    change(httpd.register, "UPDATE sweep SET approved_by = 'x'")
    status(httpd)
    outbox = "INSERT INTO outbox (posted_at, way, event, subject, facts, next_at, fault, state, state_at) VALUES"
    change(httpd.state / "private.db", f"{outbox} ({old}, 'mail', 'site.warned', 'x', '{{}}', {old}, 'refused', 'given-up', {now})")
    found, said = status(httpd, code=1)
    assert "1 messages were given up" in said and found["outbox"] == {"given-up": 1}
    figures = samples(httpd.icpadmin("status", "--metrics").out)
    assert figures["icp_outbox_messages", "way=mail,state=given-up"] == 1 and figures["icp_outbox_oldest_timestamp_seconds", "way=mail"] == 0
    assert figures["icp_queue_items", "kind=message"] == 1 and figures["icp_queue_oldest_timestamp_seconds", "kind=message"] == now
    assert figures["icp_problems", ""] == 1 and figures["icp_applications", "state=received"] == 0
    change(httpd.state / "private.db", "DELETE FROM outbox",
           f"{outbox} ({old}, 'event', 'site.warned', 'x', '{{}}', {old}, 'exit 1', 'waiting', {old})")
    assert "no event has left since" in status(httpd, code=1)[1]
    figures = samples(httpd.icpadmin("status", "--metrics").out)
    assert figures["icp_outbox_messages", "way=event,state=waiting"] == 1
    assert figures["icp_outbox_oldest_timestamp_seconds", "way=event"] == old
