"""Counts what a request costs: instructions by callgrind on an httpd of one process with one worker thread, so that a run gives the
same number on any machine. Twice as many requests minus as many, divided by their number, leaves start and end of the server out.
The MPM is a threaded one because the C library's system calls cost more once a process has threads, and a watchdog is one."""
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "httpd"))

import client  # noqa: E402 (the harness of the httpd tests)
from env import Httpd  # noqa: E402

REQUESTS = 1000
client.TIMEOUT = 600  # callgrind is slow to read a large register
PAUSE = 0.003  # seconds: a request that came before the server asked for it would cost it less


def server(configure, **options):
    """A single-process httpd, under callgrind where options say so; configure(httpd) adds to it."""
    httpd = Httpd(mpm="worker", children=1, threads=1, **options)
    httpd.log_format = '%h \\"%r\\" %>s %b'
    httpd.config("LogLevel warn\nKeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 600\nTimeout 600")
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
                time.sleep(PAUSE)
        httpd.stop()
        return max(map(int, re.findall(r"Collected : (\d+)", httpd.log())))
    finally:
        httpd.discard()


def instructions_per_request(configure, host, path="/", requests=REQUESTS):
    """Instructions that one kept-alive request for http://host/path costs on a server set up by configure(httpd)."""
    once = _collected(configure, host, path, requests)
    twice = _collected(configure, host, path, 2 * requests)
    return (twice - once) / requests


def table(title, head, rows):
    """Prints rows of cells, the first column to the left, numbers to the right."""
    cells = [head] + [[f"{cell:,.2f}" if isinstance(cell, float) and cell < 100 else f"{cell:,.0f}" if isinstance(cell, (int, float))
                       else cell for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}\n")
    for row in cells:
        print("  " + row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:])))
