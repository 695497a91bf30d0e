"""The application form against those who mean harm: nothing breaks, nothing half-written stays, no good submission is lost, and what
was handed in can be neither found, read nor changed by the worker user."""
import os
import random
import re
import select
import socket
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

import client
from applicant import CONFIG, DOCUMENTS, FIRST, JPEG, PDF, URL, Page, Visitor, handed_in, multipart, png, send_raw, token_of
from env import SAN, WORKER

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the worker user")


@pytest.fixture
def server(httpd):
    return started(httpd, "ICPApplyLimit 0")


def started(httpd, config=""):
    httpd.init_register()
    httpd.site("apply.example.cn", config=CONFIG)
    httpd.config(config)
    httpd.start()
    return httpd


def nothing_left(httpd):
    return list((httpd.state / "intake").iterdir()) == []


def still_well(httpd):
    """A good application afterwards is taken, and the only thing there."""
    assert nothing_left(httpd)
    token_of(Visitor(httpd).apply())
    assert len(handed_in(httpd)) == 1


# -- requests ---

def test_odd_requests(server):
    """Other methods, paths, languages, cookies and links: each has its plain answer, and nothing of them is on the page."""
    for method, status in {"HEAD": 200, "PUT": 405, "DELETE": 405, "PATCH": 405, "PROPFIND": 405, "FOO": 405}.items():
        answer = server.get(URL, method=method)
        assert answer.status == status and (status == 200 or "POST" in answer.headers["Allow"]), method
    for path in ("/apply/..%2fapply", "/apply%00", "/applyx"):
        assert server.get("http://apply.example.cn" + path).status in (400, 404), path
    for query, accept, language in (("?lang=EN", "zh", "zh-CN"), ("?lang=zh-TW", "en", "en"), ("?lang=%00zh", "en", "en"), ("?lang=en&lang=zh", "fr", "zh-CN"),
                                    ("", "zh;q=0, en", "en"), ("", "*", "zh-CN"), ("", "x" * 4000, ""), ("", "zh-Hant-TW,zh;q=0.9", "zh-CN"), ("", ";;,q=,\t", "")):
        answer = server.get(URL + query, {"Accept-Language": accept})
        assert answer.status == 200 and f'<html lang="{language}' in answer.text, (query, accept)
    server.allow_log("AH00011:")  # httpd tells of a cookie that comes twice
    for cookie in ("icp-apply=" + "x" * 7000, "icp-apply", "icp-apply=; icp-apply=" + "A" * 22 + "\"", ";;;=;", "icp-apply=<script>"):
        answer = server.get(URL + "?kind=first", {"Cookie": cookie, "Accept-Language": "en"})
        assert answer.status == 200 and "icp-apply=" in answer.headers["Set-Cookie"] and "<script" not in answer.text, cookie
    for link in ("x", "A" * 31, "A" * 33, "A" * 31 + "%2f", "..%2f..%2fintake.key", "x%00" + "A" * 31, "A" * 5000):
        answer = server.get(f"{URL}?application={link}", {"Accept-Language": "en"})
        assert answer.status == 404 and "nothing to show yet" in answer.text and "AAAA" not in answer.text, link
    unknown = server.get(f"{URL}?application={'A' * 32}", {"Accept-Language": "en"})
    assert unknown.status == 200 and "nothing to show yet" in unknown.text  # as one that is not taken over yet
    still_well(server)


def test_corrections_that_cross(server):
    """Two who have the link correct at the same time, and one who comes late: both are taken, the last holds, and nobody is told what is not so."""
    first = Visitor(server)
    token = token_of(first.apply())
    server.icpadmin("application", "pull")
    server.icpadmin("application", "review", "APP-000001")
    server.icpadmin("application", "return", "APP-000001", "--field", "websites.0.name", "--reason", "too general")
    visitors = [Visitor(server) for _ in range(3)]
    for visitor in visitors:
        visitor.get(f"?application={token}")
    for number, visitor in enumerate(visitors[:2]):
        assert visitor.post({**FIRST, "application": token, "websites.0.name": f"示例茶具 {number}"}, {}).status == 303
    server.icpadmin("application", "pull", code=None)
    late = visitors[2].post({**FIRST, "application": token, "websites.0.name": "示例茶具 late"}, {})
    assert late.status == 409 and "cannot be changed any more" in late.text
    shown = server.icpadmin("application", "show", "APP-000001").out
    assert "示例茶具 1" in shown and "late" not in shown
    assert shown.count("application.correct by applicant") == 2 and "application.drop" not in shown


# -- documents ---------------------------------------------------------------------------------------------------

WRONG_FILES = {
    "page": b"<!doctype html><script>alert(1)</script>", "program": b"MZ\x90\0" + bytes(500), "elf": b"\x7fELF" + bytes(500), "zip": b"PK\3\4" + bytes(500),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "gif": b"GIF89a" + bytes(100), "empty": b"", "php": b"<?php system($_GET[1]);",
    "pdf in a page": b"<html>" + PDF, "page behind a pdf": PDF + b"<script>", "zip in a pdf": PDF[:20] + b"PK\5\6" + bytes(18) + PDF[20:],
    "zip behind a picture": png() + b"PK\5\6" + bytes(18), "zip behind a photograph": JPEG + b"PK\5\6" + bytes(18) + b"comment", "cut picture": png()[:-1], "no picture in it": png()[:33] + png()[-12:],
    "bomb": png()[:8] + zlib.compress(bytes(10**6)),
}


def test_wrong_documents(server):
    visitor = Visitor(server)
    for what, content in WRONG_FILES.items():
        answer = visitor.apply(files={**DOCUMENTS, "document.id": ("id.pdf", content)})
        assert answer.status == 422 and set(answer.page.errors) == {"document.id"}, what
    answer = visitor.apply(files={**DOCUMENTS, "document.id": ("id.pdf", PDF + b" " * 5 * 1024 * 1024)})
    assert answer.status == 422 and "5 MB" in answer.page.errors["document.id"]
    still_well(server)


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "a\"; filename=\"b.pdf", "x" * 5000, "%00.pdf", "‮fdp.exe", "<b>.pdf",
                                  "", "C:\\fakepath\\身份证.pdf", b"\xff\xfe.pdf", b"a\x1b[31m.pdf"])
def test_names_of_files_are_only_shown(server, name):
    files = {**DOCUMENTS, "document.id": (name, png())}
    answer = Visitor(server).apply(files=files)
    if answer.status == 400:  # the parser holds two file names for an attempt
        assert nothing_left(server)
        return
    token_of(answer)
    (envelope, _), = handed_in(server)
    shown = envelope["documents"][1]["name"]
    assert "/" not in shown and "\\" not in shown and 0 < len(shown) <= 90 and shown.isprintable()


def test_fields_and_files_in_each_others_place(server):
    """A text where a file belongs is none, and a file where a text belongs fills nothing in; the first of several counts."""
    visitor = Visitor(server)
    answer = visitor.apply({"document.id": "not a file"}, {**{k: v for k, v in DOCUMENTS.items() if k != "document.id"}, "holder.name": ("a", b"b")})
    assert set(answer.page.errors) == {"document.id"}
    visitor.get("?kind=first")
    body, kind = multipart([*FIRST.items(), ("holder.name", "another"), ("ticket", visitor.ticket), ("do", "submit")], DOCUMENTS)
    token_of(visitor.post_body(body, kind))
    assert handed_in(server)[0][0]["form"]["holder"]["name"] == FIRST["holder.name"]


# -- text --------------------------------------------------------------------------------------------------------

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
TEXTS = ("holder.name", "holder.uscc", "holder.address", "holder.representative", "contact.name", "contact.email", "contact.mobile",
         "websites.0.name", "websites.0.hosts", "websites.0.person", "websites.0.homepage")


def test_markup_in_every_field(server):
    answer = Visitor(server).apply({name: MARKUP for name in TEXTS} | {"holder.province": MARKUP, "websites.0.category": MARKUP, "confirmed": MARKUP}, {})
    assert answer.status == 422 and "<script" not in answer.text and "<img" not in answer.text
    assert all(answer.page.fields[name] == MARKUP for name in TEXTS)  # as it was typed
    for name in ("kind", "application", "ticket", "websites"):
        visitor = Visitor(server)
        visitor.get("?kind=first")
        assert "<script" not in visitor.post({**FIRST, name: MARKUP}, {}).text
    assert "<script" not in Visitor(server).get("?kind=" + MARKUP.replace(" ", "%20") + "&lang=" + MARKUP.replace(" ", "%20")).text


def test_sql_in_every_field(server):
    sql = "Robert'); DROP TABLE application;--"
    token_of(Visitor(server).apply({name: sql for name in ("holder.name", "holder.address", "holder.representative", "contact.name", "websites.0.name", "websites.0.person")}))
    assert handed_in(server)[0][0]["form"]["holder"]["name"] == sql


@pytest.mark.parametrize("text", [b"a\0b", b"\xff\xfe", b"\xc0\xaf", b"a\x1b[2Jb", "a‮b".encode(), b"a\rb", b"\xed\xa0\x80"])
def test_what_is_no_text(server, text):
    visitor = Visitor(server)
    for name in ("holder.name", "websites.0.hosts", "contact.email", "holder.address"):
        answer = visitor.apply({name: text})
        assert answer.status == 422 and name in answer.page.errors, name
        assert b"\0" not in answer.body and answer.text
    assert nothing_left(server)


def test_overlong_fields(server):
    answer = Visitor(server).apply({name: "长" * 300000 for name in TEXTS})
    assert answer.status == 422 and set(TEXTS) <= set(answer.page.errors)
    still_well(server)


# -- bodies -----------------------------------------------------------------------------------------------------

def test_thousands_of_parts(server):
    visitor = Visitor(server)
    visitor.get("?kind=first")
    assert visitor.post({**FIRST, **{f"x{i}": "y" for i in range(5000)}}, {}).status == 413
    assert visitor.post_body(*multipart([("holder.name", "x")] * 100000, {})).status == 413
    assert visitor.post(FIRST, {f"f{i}": ("a", b"b") for i in range(5000)}).status == 413
    assert visitor.post({**FIRST, "websites": "1000000"}, {}).page.fields["websites"] == "1"
    still_well(server)


def test_too_large_a_body(server):
    """The visitor gets to read why, and has what he typed."""
    visitor = Visitor(server)
    answer = visitor.apply(files={**DOCUMENTS, "document.id": ("a.pdf", b"x" * 18 * 1024 * 1024)})
    assert answer.status == 413
    visitor.get("?kind=first")
    body, kind = multipart({**FIRST, "ticket": visitor.ticket, "do": "submit"}, {"document.id": ("a.pdf", b"x" * 18 * 1024 * 1024)})
    head = (f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nAccept-Language: en\r\nContent-Type: {kind}\r\nCookie: {visitor.cookie}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    chunks = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (body[i:i + 65536] for i in range(0, len(body), 65536))] + [b"0\r\n\r\n"]
    answer = send_raw(server, head, chunks).decode()
    assert answer.startswith("HTTP/1.1 413") and "All documents together are too large" in answer and FIRST["holder.name"] in answer
    still_well(server)


def test_an_endless_body(server):
    """Read up to a bound; then comes the answer, and the connection ends."""
    _, kind = multipart({}, {})
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        while sent < 10**9 and not select.select([sock], [], [], 0)[0]:
            sock.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent += 65536
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413") and b"Connection: close" in answer and sent < 200 * 1024 * 1024
    still_well(server)


def test_bodies_that_are_no_form(server):
    visitor = Visitor(server)
    good, kind = multipart({**FIRST, "do": "submit"}, DOCUMENTS)
    for body, type_ in ((b"kind=first&do=submit", "application/x-www-form-urlencoded"), (b"{}", "application/json"), (b"", "text/plain"), (good, "multipart/form-data"),
                        (good, "multipart/form-data; boundary="), (good, "multipart/mixed; boundary=x"), (good, 'multipart/form-data; boundary="a"; boundary=b')):
        assert visitor.post_body(body, type_).status in (400, 415), type_
    for body in (b"", b"x", good[:-10], good[: len(good) // 2], good + b"--x\r\n" * 1000, good[:-4] + b"\r\n" + good, good.replace(b"form-data", b"attachment"),
                 good.replace(b"name=", b"nam\0e="), good.replace(b"\r\n\r\n", b"\r\n")):
        answer = visitor.post_body(body, kind)
        assert answer.status in (400, 403, 413, 422), body[-60:]
    still_well(server)


def test_every_cut_of_a_body(server):
    visitor = Visitor(server)
    visitor.get("?kind=first")
    body, kind = multipart({**FIRST, "ticket": visitor.ticket, "do": "submit"}, DOCUMENTS)
    for length in range(0, len(body) - 4, 37):
        assert visitor.post_body(body[:length], kind).status == 400, length
    still_well(server)


def in_chunks(server, visitor, body, kind, cuts):
    """The answer to a body whose chunks end at `cuts`; httpd hands each on by itself."""
    head = (f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nAccept-Language: en\r\nContent-Type: {kind}\r\nCookie: {visitor.cookie}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)])]
    return send_raw(server, head, [b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces if piece) + b"0\r\n\r\n"])


# What parsers stumble over where a read ends: line ends of every kind, and what looks like a delimiter.
PITFALLS = b"\r\r\n\n\r--\r\n-\r\n--\r\n----\r\r\r\n------WebKitFormBoundary\r\n\r\n\0\r"


def test_a_body_in_any_pieces(server):
    """Wherever its reads end a form says the same, and its files are as they were, byte for byte."""
    visitor = Visitor(server)
    visitor.get("?kind=first")
    files = {"document.license": ("执照.pdf", PDF[:-7] + PITFALLS * 3 + PDF[-7:]), "document.id": ("id.png", png()),
             "document.domain-certificate": ("c.jpg", JPEG[:-2] + PITFALLS + b"\r" + JPEG[-2:] + b"\0")}
    fields = {**FIRST, "holder.address": FIRST["holder.address"] + "\r\n\r\n--x", "ticket": visitor.ticket}
    body, kind = multipart({**fields, "do": "look"}, files)
    start, end = body.index(b'name="websites.0.person"') - 90, body.index(b"%PDF") + 20
    for cut in [*range(1, 80), *range(start, end), *range(len(body) - 80, len(body))]:
        answer = in_chunks(server, visitor, body, kind, [cut])
        assert answer.startswith(b"HTTP/1.1 200 "), (cut, body[cut - 20:cut], body[cut:cut + 20])
    assert Page(answer.split(b"\r\n\r\n", 1)[1].decode()).fields["websites.0.person"] == FIRST["websites.0.person"]
    sent = random.Random(5)
    for size in (1, 2, 3, 7, 8000, None):
        visitor.get("?kind=first")
        body, kind = multipart({**FIRST, "ticket": visitor.ticket, "do": "submit"}, files)
        answer = in_chunks(server, visitor, body, kind, range(size, len(body), size) if size else sorted(sent.sample(range(len(body)), 40)))
        assert answer.startswith(b"HTTP/1.1 303 "), size
    applications = handed_in(server)
    assert len(applications) == 6
    for envelope, documents in applications:
        assert envelope["form"] == applications[0][0]["form"]
        assert [documents[f"document-{i}"] for i in range(3)] == [content for _, content in files.values()]


def test_where_httpds_own_reads_end(server):
    """A body with its length is read 8000 bytes at a time: every offset of headers and data comes to lie there."""
    visitor = Visitor(server)
    visitor.get("?kind=first")
    body, kind = multipart({"holder.address": PITFALLS.replace(b"\0", b"\1"), "holder.name": "x", "kind": "first", "ticket": visitor.ticket, "do": "look"}, {"document.id": ("a", b"b")})
    first = b"--" + kind.split("=")[1].encode() + b'\r\nContent-Disposition: form-data; name="holder.representative"\r\n\r\n'
    for offset in range(1, len(body)):
        answer = visitor.post_body(first + b"x" * (8000 - offset - len(first) - 2) + b"\r\n" + body, kind)
        assert answer.status == 200, (offset, body[:offset][-20:], body[offset:][:20])


def test_a_client_that_leaves(server):
    body, kind = multipart({**FIRST, "do": "submit"}, DOCUMENTS)
    times = 20  # more than a child takes at a time
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:500])
    server.allow_log("AH0")
    server.wait_for(lambda: server.log().count("broken off") == times, "find each broken off")
    still_well(server)


def test_a_slow_client_holds_up_nobody(make_httpd):
    """Those that do not finish take a child's room, but one address only half of it; others come in, and all when they have gone."""
    httpd = make_httpd(children=1, threads=24)
    httpd.load("remoteip")
    started(httpd, "ICPApplyLimit 0\nRemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1")
    body, kind = multipart({**FIRST, "do": "submit"}, DOCUMENTS)

    def start(address):
        sockets = [socket.create_connection(("127.0.0.1", httpd.port)) for _ in range(8)]
        for sock in sockets:
            sock.sendall(f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nX-Forwarded-For: {address}\r\nContent-Type: {kind}\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:100])
        return sockets

    def ask(address):
        visitor = Visitor(httpd, headers={"X-Forwarded-For": address})
        visitor.get("?kind=first")
        return visitor.post(FIRST, DOCUMENTS, action="look")

    slow = start("192.0.2.9")
    httpd.wait_for(lambda: ask("192.0.2.9").status == 503, "be busy for that address")
    assert ask("192.0.2.1").status == 200
    slow += start("192.0.2.8")
    httpd.wait_for(lambda: ask("192.0.2.1").status == 503, "be busy")
    answer = ask("192.0.2.1")
    assert answer.headers["Retry-After"] == "60" and "Go back" in answer.text
    assert Visitor(httpd).get("?kind=first").status == 200
    httpd.allow_log("AH10159:")
    for sock in slow:
        sock.close()
    httpd.wait_for(lambda: ask("192.0.2.9").status == 200, "take forms again")
    still_well(httpd)


def test_who_has_sent_all_holds_no_place(make_httpd):
    """A body's place is free before its answer begins: here the answers of more than one address may have are not read yet."""
    httpd = make_httpd(children=1)
    started(httpd, "ICPApplyLimit 0\nSendBufferSize 4096")
    visitor = Visitor(httpd)
    visitor.get("?kind=first")
    body, kind = multipart({**FIRST, "ticket": visitor.ticket, "do": "look"}, DOCUMENTS)
    waiting = []
    for _ in range(4):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(("127.0.0.1", httpd.port))
        sock.sendall(f"POST /apply HTTP/1.1\r\nHost: apply.example.cn\r\nCookie: {visitor.cookie}\r\nContent-Type: {kind}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert sock.recv(12) == b"HTTP/1.1 200"
        waiting.append(sock)
    for sock in waiting:
        sock.close()
    httpd.allow_log("AH0")
    still_well(httpd)


@pytest.mark.parametrize("options", [("--http2-prior-knowledge",), ("--http1.0",), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")])
def test_other_ways_to_send(httpd, tmp_path, options):
    httpd.load("http2")
    started(httpd)
    visitor = Visitor(httpd)
    visitor.get("?kind=first")
    forms = [f"-F{name}={value}" for name, value in {**FIRST, "ticket": visitor.ticket, "do": "submit"}.items()]
    for name, (filename, content) in DOCUMENTS.items():
        (tmp_path / filename).write_bytes(content)
        forms.append(f"-F{name}=@{tmp_path / filename}")
    answer = httpd.curl(URL, *options, "-b", visitor.cookie, *forms)
    assert answer.status == 303 and len(handed_in(httpd)) == 1
    large = tmp_path / "large"
    large.write_bytes(b"x" * 18 * 1024 * 1024)
    assert httpd.curl(URL, *options, "-b", visitor.cookie, *forms, f"-Fdocument.id=@{large}").status == 413


# -- whose form, and how often -----------------------------------------------------------------------------------

def test_only_the_visitor_who_has_it_open(server):
    visitor, other = Visitor(server), Visitor(server)
    visitor.get("?kind=first")
    other.get("?kind=first")
    mine, cookie = visitor.ticket, visitor.cookie
    time, nonce, mac = mine.split(".")
    for ticket in ("", "x", other.ticket, f"{int(time) + 1}.{nonce}.{mac}", f"{time}.{nonce}.{mac[:-1]}", mine + "x", "." * 66, "9" * 5000, f"{time}.{nonce[::-1]}.{mac}"):
        answer = visitor.post({**FIRST, "ticket": ticket}, DOCUMENTS)
        assert answer.status == 403 and answer.page.fields["holder.name"] == FIRST["holder.name"], ticket
    visitor.cookie = None
    assert visitor.post({**FIRST, "ticket": mine}, DOCUMENTS).status == 403
    assert nothing_left(server)
    token_of(visitor.post(FIRST, DOCUMENTS))  # the page that came had a new cookie and a new ticket
    visitor.cookie, visitor.ticket = cookie, mine
    token_of(visitor.post(FIRST, DOCUMENTS))


@pytest.mark.parametrize("headers,taken", [
    ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-site"}, False), ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
    ({"Origin": "https://evil.example"}, False), ({"Origin": "http://apply.example.cn.evil.example"}, False), ({"Origin": "http://apply.example.cn"}, True),
    ({"Origin": "null"}, True), ({}, True)])
def test_other_sites_pages(server, headers, taken):
    answer = Visitor(server).apply(headers=headers)
    assert answer.status == (303 if taken else 403) and nothing_left(server) != taken


def test_how_often_an_address_comes(httpd):
    httpd.load("remoteip")
    started(httpd, "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\nICPApplyLimit 3")

    def from_(address):
        return Visitor(httpd, headers={"X-Forwarded-For": address})

    for _ in range(3):
        token_of(from_("192.0.2.1").apply())
    visitor = from_("192.0.2.1")
    answer = visitor.apply()
    assert answer.status == 429 and answer.headers["Retry-After"] == "3600" and answer.page.fields["holder.name"] == FIRST["holder.name"]
    token_of(from_("192.0.2.2").apply())
    for _ in range(3):
        token_of(from_("2001:db8:1:2::1").apply())
    assert from_("2001:db8:1:2:ffff::9").apply().status == 429  # the same /64
    token_of(from_("2001:db8:1:3::1").apply())
    assert len(handed_in(httpd)) == 8
    attempts = [from_("192.0.2.3").apply(files={}).status for _ in range(32)]
    assert attempts[:30] == [422] * 30 and attempts[30:] == [429] * 2


def test_a_full_intake(server):
    """A page that says so and keeps what was typed; nothing half-written."""
    server.expect_log("an application was not taken: 2000 submissions wait")
    intake = server.state / "intake"
    for i in range(2000):
        (intake / f"{i:032x}.ready").mkdir()
    answer = Visitor(server).apply()
    assert answer.status == 503 and answer.headers["Retry-After"] == "3600" and "We cannot take applications just now" in answer.text
    assert answer.page.fields["holder.name"] == FIRST["holder.name"] and len(list(intake.iterdir())) == 2000
    (intake / f"{0:032x}.ready").rmdir()
    token_of(Visitor(server).apply())


@as_root
def test_a_full_disk(server):
    """Before it is full there is an end; the visitor has what he typed, and nothing half-written stays."""
    intake = server.state / "intake"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64m,mode=1730,gid={intake.stat().st_gid}", "none", intake], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        token_of(Visitor(server).apply())
        (intake / "filler").write_bytes(bytes(46 * 1024 * 1024))
        server.expect_log("an application was not taken: the disk of .*intake is nearly full")
        answer = Visitor(server).apply()
        assert answer.status == 503 and answer.page.fields["holder.name"] == FIRST["holder.name"]
        (intake / "filler").unlink()
        token_of(Visitor(server).apply())
        assert sorted(path.suffix for path in intake.iterdir()) == [".ready", ".ready"]
        server.icpadmin("application", "pull")
        assert nothing_left(server)
    finally:
        subprocess.run(["umount", intake], check=True)


@as_root
def test_an_intake_that_cannot_be_written(server):
    server.expect_log("an application was not taken: ")
    intake, certificate = server.state / "intake", server.state / "intake.crt"
    intake.chmod(0o700)
    assert Visitor(server).apply().status == 503
    intake.chmod(0o1730)
    os.chown(intake, 0, 0)
    assert Visitor(server).apply().status == 503
    server.icpadmin("doctor", "--repair", code=None)
    token_of(Visitor(server).apply())
    server.icpadmin("application", "pull")
    for moved in (certificate, intake):
        moved.rename(server.state / "elsewhere")
        assert Visitor(server).apply().status == 503
        (server.state / "elsewhere").rename(moved)
    certificate.rename(server.state / "elsewhere")
    certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert Visitor(server).apply().status == 503
    (server.state / "elsewhere").rename(certificate)
    still_well(server)


# -- the worker user -----------------------------------------------------------------------------------------------

def as_worker(command, cwd):
    done = subprocess.run(["setpriv", f"--reuid={WORKER}", f"--regid={WORKER}", "--init-groups", "sh", "-c", command], cwd=cwd, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


@as_root
def test_the_worker_user_cannot_look_at_what_was_handed_in(server):
    token = token_of(Visitor(server).apply())
    intake = server.state / "intake"
    before = handed_in(server)
    for command in ("ls intake", "cat intake/*/form", "find intake -name '*.ready' | grep .", "cat intake.key", "ls intake.refused", "ls progress", "cat private.db",
                    "mv intake.crt x", "echo x > intake.crt", "rm -rf intake", "mv intake x", "touch progress/x", "chmod 777 intake", "rmdir intake/*", "ln -s /etc progress/x"):
        code, out = as_worker(command, server.state)
        assert code != 0 and out == "", command
    assert handed_in(server) == before
    # Even who has the name finds nothing that can be read.
    name = next(intake.iterdir()).name
    code, out = as_worker(f"cat intake/{name}/*", server.state)
    assert token not in out and "示例" not in out and "%PDF" not in out


# -- many ----------------------------------------------------------------------------------------------------------

class Sender:
    """A visitor at an address of his own who sends one application after the other on one connection, each with a ticket of its own: of the page that
    said no, or of a new form."""

    def __init__(self, connection, number):
        self.connection, self.ticket = connection, ""
        self.headers = {"Host": "apply.example.cn", "Accept-Language": "en", "X-Forwarded-For": f"192.0.2.{number + 1}"}

    def ask(self, method, headers=None, body=None):
        answer = self.connection.request(method, "/apply?kind=first", {**self.headers, **(headers or {})}, body)
        if cookie := answer.headers["Set-Cookie"]:
            self.headers["Cookie"] = cookie.split(";")[0]
        ticket = re.search(rb'name="ticket" value="([^"]+)"', answer.body)
        self.ticket = ticket.group(1).decode() if ticket else ""
        return answer.status

    def send(self, number):
        if not self.ticket:
            assert self.ask("GET") == 200
        body, kind = multipart({**FIRST, "holder.name": f"示例{number}号", "ticket": self.ticket, "do": "submit"}, DOCUMENTS)
        return self.ask("POST", {"Content-Type": kind}, body)


def test_ten_thousand_submissions(make_httpd):
    """As many as there is room for are taken, each whole; the rest is told so, and nothing else is there."""
    httpd = make_httpd(children=2, threads=16)
    httpd.load("remoteip")
    started(httpd, "ICPApplyLimit 0\nRemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\nMaxKeepAliveRequests 0")
    httpd.expect_log("an application was not taken: 2000 submissions wait")
    httpd.allow_log("an application was not taken: 2000 submissions wait")
    count, room, senders = 1000 if SAN else 10000, 2000, 4
    for i in range(room - count // 20):
        (httpd.state / f"intake/{i:032x}.ready").mkdir()

    def send_all(first):
        with client.Connection("127.0.0.1", httpd.port) as connection:
            sender = Sender(connection, first)
            return [sender.send(number) for number in range(first, count, senders)]

    with ThreadPoolExecutor(senders) as pool:
        answers = [status for statuses in pool.map(send_all, range(senders)) for status in statuses]
    assert set(answers) == {303, 503} and len(answers) == count
    waiting = [path for path in (httpd.state / "intake").iterdir() if any(path.iterdir())]
    assert len(waiting) == answers.count(303) >= count // 20
    assert all(re.fullmatch(r"[0-9a-f]{32}\.ready", path.name) and len(list(path.iterdir())) == 4 for path in waiting)
