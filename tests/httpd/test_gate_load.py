"""Instant effect (rule 1): from the moment the command returns nothing is served, by any child, under load, while the register goes on changing."""
import threading
import time

import pytest

from env import SAN

SECRET = b"what only the site may show"
PAGE = SECRET.decode()


def test_the_very_next_request_of_every_child(make_httpd):
    """Kept-alive connections spread over four children; after each change 200 requests over all of them."""
    httpd = make_httpd(children=4, threads=16)  # idle threads enough that none of the kept connections is closed for room
    httpd.site("a.example.cn", {"index.html": PAGE}, "KeepAliveTimeout 30")
    httpd.site("b.example.cn", {"index.html": PAGE})
    httpd.start()
    connections = [httpd.connection() for _ in range(10)]
    try:
        for connection in connections:
            assert connection.request("GET", "/", {"Host": "a.example.cn"}).status == 200
        for reason in ("missing", "order", "invalid"):
            httpd.icpadmin("suspend", "a.example.cn", "--reason", reason)
            answers = [connections[i % 10].request("GET", "/", {"Host": "a.example.cn"}) for i in range(200)]
            assert {(answer.status, answer.headers["ICP-Notice"]) for answer in answers} == {(451, reason)}
            assert connections[0].request("GET", "/", {"Host": "b.example.cn"}).status == 200
            enable(httpd, "a.example.cn")
            assert {connections[i % 10].request("GET", "/", {"Host": "a.example.cn"}).status for i in range(40)} == {200}
    finally:
        for connection in connections:
            connection.close()


def enable(httpd, site):
    """The page has no number: a person attests it, as the tests here are about the gate."""
    httpd.icpadmin("enable", site, "--attest", "沪ICP备05012345号-1", "--note", "seen")


class Client(threading.Thread):
    """Asks on and on. `closed` holds the times from the suspend's return to the enable's call, in which no content may be sent."""

    def __init__(self, httpd, site, stop):
        super().__init__(daemon=True)
        self.httpd, self.site, self.stop, self.seen, self.error = httpd, site, stop, [], None

    def run(self):
        try:
            while not self.stop.is_set():
                with self.httpd.connection() as connection:
                    for _ in range(50):
                        began = time.monotonic()
                        answer = connection.request("GET", "/", {"Host": self.site})
                        self.seen.append((began, answer.status, SECRET in answer.body))
                        if self.stop.is_set():
                            break
        except Exception as error:  # a thread's own failure must reach the test
            self.error = error


def test_nothing_leaks_while_sites_come_and_go(make_httpd):
    httpd = make_httpd(children=3, threads=8)
    sites = ["a.example.cn", "b.example.cn"]
    for site in sites + ["open.example.cn"]:
        httpd.site(site, {"index.html": PAGE})
    httpd.start()
    stop = threading.Event()
    clients = [Client(httpd, site, stop) for site in sites * 2 + ["open.example.cn"]]
    for client in clients:
        client.start()
    closed = {site: [] for site in sites}
    for _ in range(12):
        for site in sites:
            httpd.icpadmin("suspend", site, "--reason", "missing")
            returned = time.monotonic()
            time.sleep(0.05)
            closed[site].append((returned, time.monotonic()))
            enable(httpd, site)
    stop.set()
    for client in clients:
        client.join(60)
        assert client.error is None, client.error
    gated = 0
    for client in clients:
        assert len(client.seen) > 20
        for began, status, content in client.seen:
            assert (status, content) in ((200, True), (451, False))
            if client.site == "open.example.cn":
                assert content
            elif any(start <= began <= end for start, end in closed[client.site]):
                assert not content, "content after the suspend had returned"
                gated += 1
    assert gated > 20, "the clients must have asked while the sites were suspended"


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


@pytest.mark.skipif(bool(SAN), reason="a sanitizer keeps memory of its own")
def test_many_changes_leave_nothing_behind(make_httpd):
    """A child's memory after some hundred changes is what it was after the first ones."""
    httpd = make_httpd(children=1, threads=4)
    httpd.allow_log("AH10159: server is within MinSpareThreads")
    httpd.site("a.example.cn", {"index.html": PAGE}, "MaxKeepAliveRequests 0")
    httpd.start()

    def changes(count):
        with httpd.connection() as connection:
            for _ in range(count):
                httpd.icpadmin("suspend", "a.example.cn", "--reason", "missing")
                assert connection.request("GET", "/", {"Host": "a.example.cn"}).status == 451
                enable(httpd, "a.example.cn")
                assert connection.request("GET", "/", {"Host": "a.example.cn"}).status == 200

    changes(20)
    [pid] = httpd.child_pids()
    before = rss(pid)
    changes(100)
    assert [pid] == httpd.child_pids()
    assert rss(pid) - before < 1_000_000
