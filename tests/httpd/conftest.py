"""Fixtures of the httpd tests; env.py says how to write one."""
import pytest

from canned import Server
from env import BUILD, Httpd


def pytest_configure(config):
    if not (BUILD / "mod_icp.so").exists():
        raise pytest.UsageError(f"{BUILD / 'mod_icp.so'} is missing: run 'make' first (or set ICP_BUILD)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets a fixture's teardown know whether the test itself failed."""
    outcome = yield
    if call.when == "call":
        item.failed = outcome.get_result().failed


@pytest.fixture
def make_httpd(request):
    """make_httpd(mpm="event", children=2, threads=8): a server of its own for each call, all stopped and checked at the end."""
    servers = []

    def make(**options):
        servers.append(Httpd(**options))
        return servers[-1]

    yield make
    failed, problems = getattr(request.node, "failed", True), []
    for server in servers:
        try:
            if failed:
                print(f"--- log of {server.root}\n{server.log()}")
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
