"""Servers that answer as none should: nothing that they do is taken for a page that breaks the rule, and none holds a sweep up."""
import gzip
import itertools
import socket
import struct
import zlib

from test_cli_live import BAD, GOOD, data, response
from test_sweep import AT_ONCE, suspended

PAGE = BAD.encode()
CHALLENGE = b"<html><head><meta charset=utf-8></head><body><script>document.cookie='ok=1';location.reload()</script></body></html>"
META = b'<html><head><meta http-equiv="refresh" content="0; url=/home/"></head><body></body></html>'


def reset(connection):
    """Closes without a word: RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def bomb():
    """A few kilobytes that become 20 MB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b"<p>" + b" " * 999_997) for _ in range(20)) + packer.flush()


def drip(page):
    return ([b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"], *([page[n:n + 1], 0.05] for n in range(len(page))))


def redirect(target, body=b"", status="302 Found", *more):
    return response(body, f"Location: {target}", *more, status=status)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
# What each answers, as the server fixture takes it; what is judged of it, and why.
ODD = {
    "hangs": (60, "unreadable"),
    "hangs-in-headers": ((HEAD, 60), "unreadable"),
    "hangs-in-body": ((HEAD + b"Content-Length: 9999\r\n\r\n" + PAGE, 60), "unreadable"),
    "drips": (itertools.chain.from_iterable(drip(PAGE * 9)), "unreadable"),
    "resets": ((reset,), "unreadable"),
    "resets-in-body": ((HEAD + b"Content-Length: 9999\r\n\r\n" + PAGE, 0.2, reset), "unreadable"),
    "never-ends": (itertools.chain([HEAD + b"\r\n" + PAGE], itertools.repeat(b"<p>tea " * 9000)), "unreadable"),
    "bomb": (response(bomb(), "Content-Encoding: gzip"), "unreadable"),
    "bomb-twice": (response(gzip.compress(bomb()), "Content-Encoding: gzip, gzip"), "unreadable"),
    "many-codings": (response(PAGE, "Content-Encoding: " + ", ".join(["gzip"] * 40)), "unreadable"),
    "http-09": (PAGE, "unreadable"),
    "floods-1xx": (itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"), "unreadable"),
    "some-1xx": (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 20 + response(GOOD.encode()), "displayed"),
    "two-lengths": (HEAD + b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(GOOD.encode()), GOOD.encode().index(b"<footer")) + GOOD.encode(), "unreadable"),
    "negative-length": (HEAD + b"Content-Length: -1\r\n\r\n" + PAGE, "unreadable"),
    "bad-chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<html\r\nzz\r\n", "unreadable"),
    "giant-header": (HEAD + b"X-Giant: " + b"x" * 600_000 + b"\r\n\r\n" + PAGE, "unreadable"),
    "endless-headers": (itertools.chain([HEAD], itertools.repeat(b"X-More: " + b"x" * 1000 + b"\r\n")), "unreadable"),
    "wants-a-password": (response(PAGE, "WWW-Authenticate: Basic realm=x", status="401 Unauthorized"), "unreadable"),
    "forbids": (response(PAGE, status="403 Forbidden"), "unreadable"),
    "too-many": (response(PAGE, "Retry-After: 3600", status="429 Too Many Requests"), "unreadable"),
    "busy": (response(PAGE, "Retry-After: 3600", status="503 Service Unavailable"), "unreadable"),
    "no-content": (b"HTTP/1.1 204 No Content\r\n\r\n", "unreadable"),
    "partial": (response(PAGE, f"Content-Range: bytes 0-{len(PAGE) - 1}/9999", status="206 Partial Content"), "unreadable"),
    "challenge": (response(CHALLENGE), "unreadable"),
    "leads-on-by-meta": (response(META), "unreadable"),
    "no-target": (response(PAGE, status="302 Found"), "unreadable"),
    "loops": (redirect("/"), "unreadable"),
    "loops-growing": (redirect("?again&" + "x" * 2000), "unreadable"),
    "elsewhere": (redirect("http://elsewhere.example.com/"), "unreadable"),
    "to-nonsense": (redirect("http://[::1/%zz\x01"), "unreadable"),
    "to-another-scheme": (redirect("gopher://127.0.0.1/"), "unreadable"),
    "to-a-user": (redirect("http://shop:secret@127.0.0.1/"), "unreadable"),
    "to-silent-https": (redirect("https://to-silent-https.example.cn/"), "unreadable"),
    "bad": (response(PAGE), "missing"),
}
# What each answers to one request after the other.
STEPS = {
    "big-redirect": ((redirect("/home/", b"moved " * 200_000), response(GOOD.encode())), "displayed"),
    "endless-redirect": ((itertools.chain([b"HTTP/1.1 301 Moved\r\nLocation: home/?a=b c\r\n\r\n"], itertools.repeat(b"moved " * 9000)),
                          response(GOOD.encode())), "displayed"),
    "silent-redirect": (((b"HTTP/1.1 308 Moved\r\nLocation: //silent-redirect.example.cn/x\r\nContent-Length: 9\r\n\r\n1", 60),
                         response(GOOD.encode())), "displayed"),
    "to-the-other-host": ((redirect("http://WWW.to-the-other-host.example.cn:80"), response(GOOD.encode())), "displayed"),
}


def test_none_is_taken_for_a_page_that_fails(httpd, serve):
    httpd.register_sites(f"{name}.example.cn" for name in [*ODD, *STEPS])
    httpd.icpadmin("policy", "set", *AT_ONCE)
    asked = dict.fromkeys(STEPS, 0)

    def answer(host, _count):
        name = host.lower().removeprefix("www.").split(".")[0]
        if name in ODD:
            return ODD[name][0]
        asked[name] += 1
        return STEPS[name][0][asked[name] - 1]
    server = serve(answer)
    looks = data(httpd, "check", "--all", "--enforce", "--yes", "--timeout", "3", "--retries", "0", code=1,
                 ICP_CONNECT=f"http=127.0.0.1:{server.port} https=127.0.0.1:1")
    verdicts = {look["site"].split(".")[0]: look["verdict"] for look in looks}
    assert verdicts == {name: verdict for name, (_, verdict) in {**ODD, **STEPS}.items()}
    assert all(look["fault"] or look["reason"] for look in looks if look["verdict"] == "unreadable")
    assert suspended(httpd) == {"bad"}
    assert asked == dict.fromkeys(STEPS, 2)
