"""A client who applies: what a good application says, its documents, and a visitor who fills the form in without a browser. Staff's view of
what was handed in is by `openssl cms`, so that it owes nothing to the code under test."""
import json
import re
import subprocess
import zlib
from html.parser import HTMLParser

import client

URL = "http://apply.example.cn/apply"
CONFIG = "<Location /apply>\nSetHandler icp-apply\n</Location>"

PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n9\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\4ab\xff\xda\0\4ab0123\xff\xd9"


def png(width=1, height=1):
    """A picture that browsers show."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * width) * height)) + chunk(b"IEND", b"")


FIRST = {
    "kind": "first", "holder.kind": "business", "holder.name": "上海示例商贸有限公司", "holder.uscc": "91310000775785552L", "holder.province": "沪",
    "holder.address": "上海市黄浦区示例路1号101室", "holder.representative": "张三", "contact.name": "李四", "contact.email": "li.si@example.cn",
    "contact.mobile": "13800138000", "websites": "1", "websites.0.name": "示例茶具", "websites.0.hosts": "www.example.cn\r\nexample.cn",
    "websites.0.category": "commerce", "websites.0.person": "李四",
}
DOCUMENTS = {"document.license": ("执照.pdf", PDF), "document.id": ("id.png", png()), "document.domain-certificate": ("c.jpg", JPEG)}


def multipart(fields, files, boundary="----WebKitFormBoundaryABCDEFGHIJKLMNOP"):
    """The body as browsers write it; `fields` is a mapping or a list of pairs, `files` maps a field to (name, bytes)."""
    parts = []
    for name, value in fields.items() if isinstance(fields, dict) else fields:
        value = value if isinstance(value, bytes) else value.encode()
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value)
    for name, (filename, content) in files.items():
        filename = filename if isinstance(filename, bytes) else filename.encode()
        parts.append(f'Content-Disposition: form-data; name="{name}"; filename="'.encode() + filename
                     + b'"\r\nContent-Type: application/octet-stream\r\n\r\n' + content)
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


class Page(HTMLParser):
    """What a form's page holds: fields (name: value), checked boxes, errors (field: text), summary links, the visible text."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.errors, self.links, self.ids, self.text = {}, {}, [], set(), ""
        self._area = self._select = self._error = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.ids.add(a.get("id"))
        if tag == "a":
            self.links.append(a.get("href", ""))
        if tag == "input" and (a.get("type") not in ("radio", "checkbox", "file") or "checked" in a):
            self.fields[a.get("name")] = a.get("value", "")
        if tag == "textarea":
            self._area, self.fields[a["name"]] = a["name"], ""
        if tag == "select":
            self._select = a["name"]
        if tag == "option" and "selected" in a:
            self.fields[self._select] = a["value"]
        if tag == "p" and a.get("id", "").endswith("-error"):
            self._error = a["id"].removesuffix("-error")

    def handle_endtag(self, tag):
        self._area = None if tag == "textarea" else self._area
        self._error = None if tag == "p" else self._error

    def handle_data(self, data):
        if self._area:
            self.fields[self._area] += data if self.fields[self._area] else data.removeprefix("\n")
        elif self._error:
            self.errors[self._error] = self.errors.get(self._error, "") + data
        self.text += data


class Visitor:
    """One visitor: keeps the cookie, takes the ticket of the page he has open."""

    def __init__(self, httpd, language="en", headers=None):
        self.httpd, self.headers, self.cookie, self.ticket = httpd, {"Accept-Language": language, **(headers or {})}, None, None

    def _seen(self, response):
        for cookie in response.headers.get_all("Set-Cookie") or ():
            self.cookie = cookie.split(";")[0]
        response.page = Page(response.text)
        self.ticket = response.page.fields.get("ticket", self.ticket)
        return response

    def _headers(self, more):
        return {**self.headers, **({"Cookie": self.cookie} if self.cookie else {}), **(more or {})}

    def get(self, query="", headers=None):
        return self._seen(self.httpd.get(URL + query, self._headers(headers)))

    def post(self, fields, files=None, headers=None, action="submit", query=""):
        """`fields` without ticket and action; a pair's value None leaves a field out."""
        given = {"ticket": self.ticket or "", "do": action, **fields}
        body, kind = multipart({name: value for name, value in given.items() if value is not None}, files or {})
        return self.post_body(body, kind, headers, query)

    def post_body(self, body, kind, headers=None, query=""):
        return self._seen(self.httpd.get(URL + query, self._headers({"Content-Type": kind, **(headers or {})}), "POST", body))

    def apply(self, changes=None, files=None, **options):
        """Opens the form and sends a good application, changed."""
        self.get("?kind=" + (changes or {}).get("kind", "first"))
        return self.post({**FIRST, **(changes or {})}, DOCUMENTS if files is None else files, **options)


def token_of(response):
    """Of the link that a submission leads to."""
    assert response.status == 303, response.page.errors or response
    return re.fullmatch(r"/apply\?application=([\w-]{32})&sent=\d+(&lang=\w\w)?", response.headers["Location"]).group(1)


def handed_in(httpd):
    """What waits in the intake: [(form's envelope, {file: bytes})], as staff's key opens it."""
    found = []
    for folder in sorted((httpd.state / "intake").glob("*.ready"), key=lambda path: path.stat().st_mtime_ns):
        opened = {path.name: unseal(httpd, path) for path in folder.iterdir()}
        found.append((json.loads(opened.pop("form")), opened))
    return found


def unseal(httpd, path):
    done = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path, "-inkey", httpd.state / "intake.key",
                           "-recip", httpd.state / "intake.crt"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def send_raw(httpd, head, chunks):
    """A request whose body is sent piece by piece as long as the server reads it; all that came back."""
    with client.connect("127.0.0.1", httpd.port) as sock:
        try:
            sock.sendall(head)
            for chunk in chunks:
                sock.sendall(chunk)
        except OSError:
            pass
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
        except OSError:
            pass
        return answer
