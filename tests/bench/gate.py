"""What the gate adds to a request for an open site, with 100,000 sites of which 10,000 are suspended in the register; beside it
mod_rewrite with a dbm RewriteMap of the same hosts, which is how it is done without this module."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import instructions_per_request, table
from env import Httpd

SITES, SUSPENDED = 100_000, 10_000
HOST = "s50001.example.cn"


def names():
    return [f"s{number}.example.cn" for number in range(SITES)]


def make_register(folder):
    """A register with all sites, made once with icpadmin and copied to each server."""
    httpd = Httpd()
    try:
        httpd.init_register()
        httpd.icpadmin("license", "add", "沪ICP备05012345号", "--holder", "bench")
        lines = "name,hosts,license\n" + "".join(f"{name},www.{name},沪ICP备05012345号-1\n" for name in names())
        (folder / "sites.csv").write_text(lines)
        httpd.icpadmin("site", "import", folder / "sites.csv")
        httpd.icpadmin("suspend", "-", "--reason", "missing", "--yes", stdin="\n".join(names()[:SUSPENDED]))
        shutil.copytree(httpd.state, folder / "state")
    finally:
        httpd.discard()


def make_map(folder):
    text = folder / "map.txt"
    text.write_text("".join(f"{name} {'suspended' if n < SUSPENDED else 'open'}\n" for n, name in enumerate(names())))
    subprocess.run(["httxt2dbm", "-f", "sdbm", "-i", text, "-o", folder / "map"], check=True, capture_output=True)
    for path in folder.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)


def run():
    folder = Path(tempfile.mkdtemp(prefix="icp-bench-"))
    folder.chmod(0o755)
    try:
        make_register(folder)
        make_map(folder)

        def bare(httpd, config=""):
            httpd.load_icp = False
            httpd.vhost(HOST, {"index.html": "<p>hello\n"}, config)

        def with_icp(httpd):
            shutil.copytree(folder / "state", httpd.state)
            httpd.vhost(HOST, {"index.html": "<p>hello\n"}, "ICPInspect Off")

        def with_state(httpd):
            with_icp(httpd)
            httpd.log_format += " %{icp-state}n"

        def with_rewrite(httpd):
            httpd.load("rewrite")
            bare(httpd, f"""RewriteEngine On
                RewriteMap sites dbm=sdbm:{folder}/map
                RewriteCond "${{sites:%{{HTTP_HOST}}|open}}" "=suspended"
                RewriteRule "^" "-" [F]""")

        base = instructions_per_request(bare, HOST, "/index.html")
        rows = [["httpd alone", base, ""]]
        for name, configure in (("mod_icp", with_icp), ("mod_icp, its decision in the log", with_state), ("mod_rewrite, dbm map", with_rewrite)):
            cost = instructions_per_request(configure, HOST, "/index.html")
            rows.append([name, cost, f"{cost - base:+,.0f}"])
        table(f"The gate: instructions per request for a small static file of an open site ({SITES:,} sites, {SUSPENDED:,} suspended)",
              ["", "instructions", "added"], rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
