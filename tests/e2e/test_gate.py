"""The gate on three real hosts with a fake GPU each: who does not pass stops the rollout, stays out, and comes back.

The tests run in their order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.fake_gpu import BUS, SERIAL, answer, plant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Answer, Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

HOSTS = ["core/gpu-1", "core/gpu-2", "core/gpu-3"]
SOFTWARE = """
software:
  base: {security_updates: false}
"""
TEXT = """
rollout: {batch: 1, max_failed: 0}
core:
  platform: local
  nodes:
    gpu:
      count: 3
      roles: []
"""
ACCELERATORS = """      roles: [base]
      accelerators:
        gpus: {count: 1, model: A100}
"""
ECC = (
    "<dram_uncorrectable>0</dram_uncorrectable>\n            </volatile>",
    "<dram_uncorrectable>2</dram_uncorrectable>\n            </volatile>",
)
FAULT = f"{BUS} (serial {SERIAL}): ecc: 2 uncorrectable since the driver was loaded (should be: at most 0)"


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    """Three machines with a fake GPU each, that of the second with an error; no role has run yet."""
    made = make_site("gate", TEXT)
    assert made.up().exit_code == 0
    for address in HOSTS:
        plant(made, address)
    fault(made, HOSTS[1])
    made.file.write_text(made.file.read_text().replace("      roles: []\n", ACCELERATORS) + SOFTWARE)
    return made


def fault(site: Site, address: str) -> None:
    answer(site, address, ECC)


@pytest.fixture(scope="module")
def stopped(site: Site) -> Answer:
    return site.up()


def problem(answer: Answer, where: str) -> dict[str, str]:
    return next(one for one in answer.result["problems"] if one["where"] == where)


def test_a_host_that_does_not_pass_stops_the_rollout_like_one_that_failed(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    assert [stopped.host(address)["status"] for address in HOSTS] == ["changed", "failed", "skipped"]
    assert stopped.host(HOSTS[1])["detail"] == f"its accelerators did not pass: {FAULT}; reset the GPU"
    found = problem(stopped, HOSTS[1])
    assert (found["rule"], found["message"]) == ("health-failed", FAULT)
    assert found["hint"].startswith("reset the GPU; DCGM")
    assert problem(stopped, "core")["message"] == (
        "stopped after batch 2 of 3: 1 of 3 hosts failed, at most 0 may; 1 done, 1 not begun"
    )
    site.on(HOSTS[2], "test", "!", "-e", "/var/lib/leptonctl/manifest.json")


def test_what_a_reset_would_take_away_is_in_the_run_folder(stopped: Answer) -> None:
    (told,) = [one for one in stopped.result["data"]["health"] if one["address"] == HOSTS[1]]
    assert (told["service"], told["verdict"], told["action"]) == ("out of service", "failed", "reset the GPU")
    logs = Path(told["logs"])
    assert logs.parent == Path(stopped.result["run"]) / "health"
    assert sorted(path.name for path in logs.iterdir()) == ["kernel.log", "nvidia-bug-report.log", "nvidia-smi.txt"]


def test_status_and_verify_say_who_is_out_of_service_and_why(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    seen = site.run("status").host(HOSTS[1])["in_service"]
    assert seen["value"] == "no"
    assert seen["detail"].endswith(f"{FAULT}; reset the GPU")
    proven = site.run("verify")
    assert proven.exit_code == 6
    assert (HOSTS[1], FAULT) in proven.problems()


def test_it_stays_out_of_the_next_wave_and_the_others_go_on(site: Site, stopped: Answer) -> None:
    before = json.loads(site.on(HOSTS[1], "cat", "/var/lib/leptonctl/gate.json"))
    assert stopped.exit_code == 5
    text = site.file.read_text()
    site.file.write_text(text.replace("security_updates: false", "security_updates: false, journal_max_mib: 256"))
    done = site.up()
    assert done.exit_code == 5
    assert [done.host(address)["status"] for address in HOSTS] == ["changed", "skipped", "changed"]
    assert done.host(HOSTS[1])["detail"] == f"out of service: {FAULT}; reset the GPU"
    assert [one["batches"] for one in done.result["data"]["rollouts"]] == [[[HOSTS[0]], [HOSTS[2]]]]
    after = json.loads(site.on(HOSTS[1], "cat", "/var/lib/leptonctl/gate.json"))
    assert (after["verdict"], after["manifest"]) == ("failed", before["manifest"])


def test_it_comes_back_after_the_same_suite_passed_and_its_roles_run_then(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    answer(site, HOSTS[1])
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    assert [done.host(address)["status"] for address in HOSTS] == ["in_order", "changed", "in_order"]
    assert site.run("status").host(HOSTS[1])["in_service"]["value"] == "yes"
    assert site.run("verify").exit_code == 0
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"


def test_a_drill_shows_that_gate_and_rollout_react_and_leaves_nothing(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    done = site.run("drill xid 79", "--host", HOSTS[0])
    assert done.exit_code == 0, done.stdout
    steps = {step["name"]: step for step in done.result["data"]["steps"]}
    assert list(steps) == ["before", "fault", "reader and policy", "gate", "alert", "rollout", "taken away", "after"]
    assert steps["before"]["seen"] == steps["after"]["seen"] == "healthy: healthy"
    assert steps["reader and policy"]["seen"] == (
        f"{BUS} (serial {SERIAL}): Xid: Xid 79 (the GPU has fallen off the bus) (should be: none); failed;"
        " reboot the host"
    )
    assert steps["gate"]["seen"] == f"{HOSTS[0]} would be out of service"
    assert steps["alert"]["seen"] == (
        "GpuHealthFailed would be raised, but the host has no role gpu_health: nobody collects its verdict"
    )
    assert steps["rollout"]["seen"] == "core: it would stop: 1 of 3 hosts failed, at most 0 may"
    site.on(HOSTS[0], "test", "!", "-e", "/run/leptonctl/drill")
    assert site.run("health").exit_code == 0


def test_a_drill_that_was_killed_is_named_by_health_and_can_be_ended(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    site.on(HOSTS[0], "mkdir", "-p", "/run/leptonctl/drill")
    found = site.run("health", HOSTS[0])
    assert found.exit_code == 6
    (problem,) = found.result["problems"]
    assert problem["message"].startswith("drill: a drill is in force: unknown, laid by somebody; `leptonctl drill end`")
    assert site.run("drill xid 79", "--host", HOSTS[0]).exit_code == 7
    assert site.run("drill end", "--host", HOSTS[0]).exit_code == 0
    assert site.run("health", HOSTS[0]).exit_code == 0


def test_the_doctor_tells_of_one_host_what_it_has_and_what_to_do(site: Site, stopped: Answer) -> None:
    assert stopped.exit_code == 5
    found = site.run("doctor", HOSTS[0])
    findings = {one["name"]: (one["is_ok"], one["found"]) for one in found.result["data"]["findings"]}
    assert findings["accelerators on the PCI bus"] == (True, f"{BUS} NVIDIA ? (no driver)")
    assert findings["driver nvidia"] == (False, "no kernel module is installed")
    assert findings["health"] == (True, "healthy: 1 GPUs")
    assert found.exit_code == 6
