"""Fixtures of the httpd tests; env.py says how to write one."""
import shutil

import pytest

from canned import Server
from env import BUILD, FAILED, Httpd


def pytest_configure(config):
    # Not in the processes that share the tests, but in the one that starts them; nor in one that only lists them.
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        shutil.rmtree(FAILED, ignore_errors=True)
    if not (BUILD / "mod_icp.so").exists():
        raise pytest.UsageError(f"{BUILD / 'mod_icp.so'} is missing: run 'make' first (or set ICP_BUILD)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keeps the logs of all servers there are when a test fails, also of those that it shares with others, and shows the last lines."""
    report = (yield).get_result()
    if report.failed:
        for server in Httpd.all:
            last = "".join(server.log().splitlines(keepends=True)[-300:])
            report.sections.append((f"httpd: {server.keep_logs()}", last))


def pytest_terminal_summary(terminalreporter):
    if FAILED.exists():
        terminalreporter.write_line(f"logs and configuration of each httpd under a failed test: {FAILED}")


@pytest.fixture
def make_httpd():
    """make_httpd(mpm="event", children=2, threads=8): a server of its own for each call, all stopped and checked at the end."""
    servers, problems = [], []

    def make(**options):
        servers.append(Httpd(**options))
        return servers[-1]

    yield make
    for server in servers:
        try:
            server.close()
        except AssertionError as problem:
            problems.append(str(problem))
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def httpd(make_httpd):
    """One private httpd with mod_icp, event MPM; not started yet."""
    return make_httpd()


@pytest.fixture
def serve():
    """serve(answer, keep=False): a Server, which see."""
    servers = []

    def make(answer, keep=False):
        servers.append(Server(answer, keep))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def register(httpd):
    """A register with one site whose holder has a mailbox; httpd itself is not started."""
    httpd.init_register()
    httpd.icpadmin("license", "add", "沪ICP备05012345号", "--holder", "上海示例商贸有限公司")
    httpd.icpadmin("holder", "edit", "上海示例商贸有限公司", "--email", "owner@shop.example.cn")
    httpd.icpadmin("site", "add", "shop.example.cn", "--host", "www.shop.example.cn", "--license", "沪ICP备05012345号-3")
    return httpd
