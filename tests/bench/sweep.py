"""How long a sweep of 2,000 virtual hosts takes from start to end, judging and recording every page, beside `curl --parallel` that only
fetches them, from the same httpd and as many at a time. Rounds alternate; what is compared are the medians of whole-process times."""
import os
import statistics
import subprocess
import time

from inspection import home_page
from measure import table
from env import BUILD, Httpd

SITES, PARALLEL, ROUNDS = 2_000, 32, 9
NUMBER = "沪ICP备05012345号-1"


def names():
    return [f"s{number}.example.cn" for number in range(SITES)]


def timed(command, environment=None):
    """Seconds of wall-clock time, and of CPU time of this process alone."""
    before, start = os.times(), time.monotonic()
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    seconds, after = time.monotonic() - start, os.times()
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, cpu, done.stdout


def serve(httpd):
    """One httpd with all virtual hosts, all on file; the module stands aside, for what is measured is the client."""
    httpd.config("LogLevel warn")
    httpd.write("all", {"index.html": home_page(20_000)})
    lines = [f'<VirtualHost *:{httpd.port}>\nServerName {name}\nDocumentRoot "{httpd.docroot("all")}"\n</VirtualHost>' for name in names()]
    httpd.config("\n".join(lines))
    httpd.init_register()
    httpd.icpadmin("license", "add", NUMBER.split("-", maxsplit=1)[0], "--holder", "bench")
    sites = httpd.root / "sites.csv"
    sites.write_text("name,hosts,license\n" + "".join(f"{name},{name},{NUMBER}\n" for name in names()))
    httpd.icpadmin("site", "import", sites)
    httpd.start()


def run():
    httpd = Httpd(threads=25)
    httpd.load_icp = False
    try:
        serve(httpd)
        urls = httpd.root / "urls"
        urls.write_text("".join(f'url = "http://{name}/"\noutput = "/dev/null"\n' for name in names()))
        curl = ["curl", "--silent", "--show-error", "--parallel", "--parallel-max", str(PARALLEL), "--connect-to",
                f"::127.0.0.1:{httpd.port}", "--config", str(urls)]
        sweep = [BUILD / "icpadmin", "check", "--all", "--fresh", "--json", "--parallel", str(PARALLEL), "--per-address", str(PARALLEL)]
        environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register), "ICP_CONNECT": f"http=127.0.0.1:{httpd.port}"}
        timed(curl)
        first, cpu, out = timed(sweep, environment)
        assert out.count(b'"displayed"') >= SITES
        theirs, ours = [], []
        for _ in range(ROUNDS):
            theirs.append(timed(curl)[:2])
            ours.append(timed(sweep, environment)[:2])
        medians = [[statistics.median(column) for column in zip(*times)] for times in (theirs, ours)]
        table(f"A sweep of {SITES:,} virtual hosts, {PARALLEL} at a time, pages of 20 KB: seconds (medians of {ROUNDS} rounds)",
              ["", "whole process", "of that CPU"],
              [["curl --parallel, nothing inspected", *medians[0]], ["icpadmin check --all", *medians[1]],
               ["  the first one, with all to record", first, cpu]])
        print(f"\n  icpadmin : curl = {medians[1][0] / medians[0][0]:.2f} (at most 1.00)")
    finally:
        httpd.discard()
