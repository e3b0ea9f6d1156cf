"""The role `gpu_health` on a real host with a fake GPU: what the exporter serves, what a fault changes, what goes.

The tests run in their order.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.fake_gpu import plant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

HOST = "core/gpu-1"
ROLES = "[base, monitoring_agent, gpu_health]"
TEXT = """
core:
  platform: local
  nodes:
    gpu:
      count: 1
      roles: []
"""
ACCELERATORS = f"""      roles: {ROLES}
      accelerators:
        gpus: {{count: 1, model: A100}}
"""
SOFTWARE = """
software:
  base: {security_updates: false}
  gpu_health: {interval_s: 10}
"""
METRICS = "/var/lib/prometheus/node-exporter/leptonctl_gpu_health.prom"


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    made = make_site("gpuhealth", TEXT)
    assert made.up().exit_code == 0
    plant(made, HOST)
    made.file.write_text(made.file.read_text().replace("      roles: []\n", ACCELERATORS) + SOFTWARE)
    done = made.up()
    assert done.exit_code == 0, done.stdout
    return made


def served(site: Site) -> str:
    """What the exporter gives to a server."""
    program = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
    return site.on(HOST, "python3", "-c", program)


def wait_for(site: Site, line: str) -> None:
    end = time.monotonic() + 60
    while line not in served(site):
        assert time.monotonic() < end, f"{line} is not served"
        time.sleep(1)


def test_the_exporter_serves_the_verdict_and_nothing_is_left_to_do(site: Site) -> None:
    wait_for(site, 'lepton_gpu_health_verdict{verdict="healthy"} 1\n')
    verify = site.run("verify")
    assert (verify.exit_code, verify.problems()) == (0, [])
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"


def test_a_fault_is_served_while_it_is_there(site: Site) -> None:
    site.on(HOST, "mkdir", "-p", "/run/leptonctl/drill")
    try:
        wait_for(site, 'lepton_gpu_health_verdict{verdict="unknown"} 1\n')
    finally:
        assert site.run("drill end", "--host", HOST).exit_code == 0
    wait_for(site, 'lepton_gpu_health_verdict{verdict="healthy"} 1\n')


def test_a_changed_setting_and_what_others_changed_are_put_right(site: Site) -> None:
    site.file.write_text(site.file.read_text().replace("interval_s: 10", "interval_s: 20"))
    site.on(HOST, "sh", "-c", "echo >/usr/local/lib/leptonctl/gpu_health.modules")
    found = site.run("drift")
    assert found.exit_code == 6
    assert any("gpu_health.modules" in message for _, message in found.problems()), found.problems()
    assert site.up().exit_code == 0
    assert "OnUnitActiveSec=20s" in site.on(HOST, "systemctl", "cat", "leptonctl-gpu-health.timer")
    assert site.run("verify").exit_code == 0


def test_the_role_goes_with_all_that_it_left(site: Site) -> None:
    text = site.file.read_text().replace(ROLES, "[base, monitoring_agent]")
    site.file.write_text(text.replace("  gpu_health: {interval_s: 20}\n", ""))
    assert site.up().exit_code == 0
    for path in (METRICS, "/usr/local/lib/leptonctl/gpu_health", "/etc/systemd/system/leptonctl-gpu-health.timer"):
        site.on(HOST, "test", "!", "-e", path)
    assert "lepton_gpu" not in served(site)
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"
