"""Counts what a request costs: instructions by callgrind on a single-process httpd, so that a run gives the same number on any
machine. Twice as many requests minus as many, divided by their number, leaves start and end of the server out."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "httpd"))

import client  # noqa: E402 (the harness of the httpd tests)
from env import Httpd  # noqa: E402

client.TIMEOUT = 600  # callgrind is slow, and slower beside other work
REQUESTS = 2000


def server(configure, **options):
    """A single-process httpd, under callgrind where options say so; configure(httpd) adds to it."""
    httpd = Httpd(mpm="prefork", children=1, threads=1, **options)
    # A second thread, as event has many: without one the C library takes short cuts of some hundred instructions a request.
    httpd.load("heartbeat")
    httpd.log_format = '%v %h \\"%r\\" %>s'  # the same for all: the note in it would cost as much again as the gate
    httpd.config("HeartbeatAddress 127.0.0.1:9\nLogLevel warn\nKeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60")
    configure(httpd)
    return httpd


def _collected(configure, host, path, requests):
    httpd = server(configure, under=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
    try:
        httpd.start()
        with httpd.connection() as connection:
            for _ in range(requests):
                answer = connection.request("GET", path, {"Host": host, "User-Agent": "bench", "Accept": "*/*"})
                assert answer.status == 200, answer
        httpd.stop()
        return max(map(int, re.findall(r"Collected : (\d+)", httpd.log()))), len(answer.body)
    finally:
        httpd.discard()


def instructions_per_request(configure, host, path="/", requests=REQUESTS):
    """Instructions that one kept-alive request for http://host/path costs on a server set up by configure(httpd)."""
    once, _ = _collected(configure, host, path, requests)
    twice, _ = _collected(configure, host, path, 2 * requests)
    return (twice - once) / requests


def table(title, head, rows):
    """Prints rows of cells, the first column to the left, numbers to the right."""
    cells = [head] + [[f"{cell:,.2f}" if isinstance(cell, float) and cell < 100 else f"{cell:,.0f}" if isinstance(cell, (int, float))
                       else cell for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}\n")
    for row in cells:
        print("  " + row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:])))
