"""The systemd units: what they start works with no more rights than they leave it."""
import os
import re
import shutil
import subprocess

import pytest

from env import BUILD, SOURCE, WORKER
from mailserver import MailServer

SERVICES = sorted((SOURCE / "conf/systemd").glob("*.service"))


def settings(service, name):
    return re.findall(rf"^{name}=(.*)$", service.read_text(), re.MULTILINE)


def commands(service):
    return [line.replace("@SBINDIR@/icpadmin", str(BUILD / "icpadmin")).split() for line in settings(service, "ExecStart")]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="rights can be taken from root alone")
@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_commands_of_a_unit_need_no_more_rights_than_it_has(httpd, service):
    httpd.site("shop.example.cn", {"index.html": "<p>nothing"})
    httpd.icpadmin("holder", "edit", "holder of 沪ICP备05012345号", "--email", "owner@shop.example.cn")
    httpd.start()
    httpd.get("http://shop.example.cn/")  # a sighting: a file of the worker user's
    httpd.wait_for(httpd.sightings.exists)
    (capabilities,) = settings(service, "CapabilityBoundingSet")
    bounding = ",".join(["-all", *("+" + name[4:].lower() for name in capabilities.split())])
    good = {0, *map(int, settings(service, "SuccessExitStatus"))}
    with MailServer() as server:
        httpd.icpadmin("policy", "set", "mail=smtp", f"mail-server={server.url}", "mail-from=a@example.cn", "checks=1", "hours=0", "brake-share=0",
                       "brake-sites=5")
        httpd.icpadmin("suspend", "shop.example.cn", "--reason", "missing")
        environment = {**httpd.environment, "ICP_REGISTER": str(httpd.register), "ICP_CONNECT": f"http=127.0.0.1:{httpd.port}"}
        environment.pop("LD_PRELOAD", None)
        for command in commands(service):
            done = subprocess.run(["setpriv", f"--bounding-set={bounding}", f"--inh-caps={bounding}", "--no-new-privs", *command],
                                  env=environment, capture_output=True, text=True, check=False)
            assert done.returncode in good and "not permitted" not in done.stderr and "denied" not in done.stderr, (command, done)
        if service.stem == "icp-outbox":
            assert len(server.mails) == 1
    assert WORKER == "www-data" and httpd.sightings.stat().st_uid != 0
    assert "icp-" not in httpd.icpadmin("log", "--verify").err


def test_every_service_has_what_starts_it_and_a_sandbox():
    folder = SOURCE / "conf/systemd"
    assert len(SERVICES) >= 4
    for service in SERVICES:
        assert any(service.with_suffix(suffix).exists() for suffix in (".timer", ".path"))
        for name in ("ReadWritePaths", "CapabilityBoundingSet", "RestrictAddressFamilies"):
            assert settings(service, name), f"{service.name} does not say {name}"
    assert "NoNewPrivileges=yes" in (folder / "icp-sandbox.conf").read_text()
