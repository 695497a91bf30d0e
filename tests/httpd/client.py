"""What the tests say to a private httpd: requests by http.client, raw bytes, and HTTP/2 by curl.

Host names in URLs are only names: every connection goes to the loopback address given. TLS certificates are not verified
here (the test server's are self-signed); what is tested is who answers, not whether it can be trusted.
"""
import http.client
import io
import json
import re
import socket
import ssl
import subprocess
from urllib.parse import urlsplit

TIMEOUT = 30  # seconds; a bound, never an expectation


class Response:
    """One answer: status, reason, version ("1.1", "2"), headers (case-insensitive; get_all for repeated ones), body (bytes)."""

    def __init__(self, status, reason, version, headers, body):
        self.status, self.reason, self.version, self.headers, self.body = status, reason, version, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} HTTP/{self.version} {self.headers.items()} {self.body[:300]!r}>"


def _tls_context(http2=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"] if http2 else ["http/1.1"])
    return context


def connect(address, port, tls_name=None):
    """A connected socket, over TLS with tls_name as SNI if that is given."""
    sock = socket.create_connection((address, port), timeout=TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are sent apart
    return _tls_context().wrap_socket(sock, server_hostname=tls_name) if tls_name else sock


class Connection:
    """A kept-alive HTTP/1.1 connection; as a context manager it closes itself."""

    def __init__(self, address, port, tls_name=None):
        self._http = http.client.HTTPConnection(address, port, timeout=TIMEOUT)
        self._http.sock = connect(address, port, tls_name)

    def request(self, method, target, headers=None, body=None):
        """`headers` may hold Host (None: send none); nothing is added but Content-Length for a body."""
        self._http.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            if value is not None:
                self._http.putheader(name, value)
        if body is not None:
            self._http.putheader("Content-Length", str(len(body)))
        self._http.endheaders(body)
        answer = self._http.getresponse()
        version = {10: "1.0", 11: "1.1"}[answer.version]
        return Response(answer.status, answer.reason, version, answer.headers, answer.read())

    def close(self):
        self._http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fetch(address, port, url, method="GET", headers=None, body=None):
    """One request for `url` on a connection of its own to address:port."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with Connection(address, port, parts.hostname if parts.scheme == "https" else None) as connection:
        return connection.request(method, target, {"Host": parts.netloc, **(headers or {})}, body)


def raw(address, port, request, tls_name=None):
    """Sends bytes as they are and returns all bytes until the server closes."""
    with connect(address, port, tls_name) as sock:
        sock.sendall(request if isinstance(request, bytes) else request.encode())
        chunks = []
        while chunk := sock.recv(65536):
            chunks.append(chunk)
        return b"".join(chunks)


def curl(address, port, url, *options):
    """One request by curl, for HTTP/2 (options --http2 or --http2-prior-knowledge) and whatever else it can do."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    command = ["curl", "--silent", "--show-error", "--insecure", "--include", "--max-time", str(TIMEOUT), "--connect-to",
               f"{parts.hostname}:{parts.port or default}:{address}:{port}", *options, url]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode()}"
    head, body = re.match(rb"(?s)(.*?)\r\n\r\n(.*)", done.stdout).groups()
    while head.startswith(b"HTTP/") and head.split(b" ", 2)[1].startswith(b"1"):  # 101 on the way to h2c, 103
        head, body = re.match(rb"(?s)(.*?)\r\n\r\n(.*)", body).groups()
    status_line, _, fields = head.partition(b"\r\n")
    version, status, reason = (status_line.decode().removeprefix("HTTP/").split(" ", 2) + [""])[:3]
    message = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
    return Response(int(status), reason, version, message, body)

