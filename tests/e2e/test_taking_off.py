"""Roles that leave the site file, and machines that leave it: what goes from a real host, and what stays."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.local_site import Site
from tests.e2e.test_existing_hosts import label

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLES = "[base, monitoring_agent, monitoring_server]"
MACHINES = f"""
core:
  platform: local
  nodes:
    box: {{count: 1, roles: {ROLES}}}
"""
HOST = "core/box-1"
SAMPLES = "/var/lib/prometheus/metrics2"
MANIFEST = "/var/lib/leptonctl/manifest.json"


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    made = make_site("leaving", MACHINES)
    done = made.up()
    assert done.exit_code == 0, done.stdout
    return made


def give(site: Site, roles: str) -> None:
    head, _, rest = site.file.read_text().partition("roles: [")
    site.file.write_text(f"{head}roles: {roles}" + rest.partition("]")[2])


def test_a_role_that_left_the_site_file_is_taken_off_and_its_data_kept(site: Site) -> None:
    give(site, "[base, monitoring_agent]")
    plan = site.run("plan", "--diff", output="text").stdout
    assert (
        "      - monitoring_server  not in the site file any more: `up` takes it off the host; keeps"
        " /var/lib/prometheus/metrics2, /var/lib/prometheus/alertmanager"
        " (--delete-data core/box-1:monitoring_server deletes it)"
    ) in plan
    assert "0 roles to run, 1 to take off, on 1 hosts" in plan
    verify = site.run("verify")
    assert (verify.exit_code, verify.problems()) == (
        6,
        [(HOST, "the role left the site file and is still on the host")],
    )
    # Interrupted in the middle: the packages are gone, and nobody wrote that down.
    site.on(HOST, "apt-get", "remove", "--yes", "prometheus")
    up = site.up()
    assert (up.exit_code, up.problems()) == (0, [])
    assert up.host(HOST)["gone_roles"] == [{"name": "monitoring_server", "state": "removed", "reasons": []}]
    assert (
        site.on(HOST, "dpkg-query", "--show", "--showformat=${db:Status-Status} ", "prometheus*")
        .split()
        .count("installed")
        == 1
    )  # the exporter
    left = site.on(
        HOST,
        "find",
        "/etc/prometheus",
        "/etc/default",
        "-type",
        "f",
        "-newer",
        "/etc/hostname",
        "-name",
        "*prometheus*",
    )
    assert left.split() == ["/etc/default/prometheus-node-exporter"]
    assert site.on(HOST, "ls", "-A", SAMPLES) != ""
    assert set(json.loads(site.on(HOST, "cat", MANIFEST))["roles"]) == {"base", "monitoring_agent"}
    assert site.up().result["data"]["message"] == "nothing to do: all is as the site file says"
    assert site.run("verify").exit_code == 0


def test_a_role_that_comes_back_finds_its_data_and_loses_it_only_by_name(site: Site) -> None:
    give(site, ROLES)
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, [])
    assert site.run("verify").exit_code == 0
    give(site, "[base, monitoring_agent]")
    slip = site.up("--delete-data", "core/box-2:monitoring_server")
    assert slip.exit_code == 2
    assert "--delete-data core/box-2:monitoring_server: no role with data of that name is taken off a host" in (
        slip.stdout + slip.stderr
    )
    done = site.up("--delete-data", f"{HOST}:monitoring_server")
    assert (done.exit_code, done.problems()) == (0, [])
    site.on(HOST, "test", "!", "-e", SAMPLES)


def test_a_machine_that_was_there_before_stays_and_its_roles_go(site: Site, tmp_path: Path) -> None:
    key = site.file.parent / ".leptonctl" / site.name / "ssh" / "id_ed25519"
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: metal\nowner: tests@example.com\ncore:\n  platform: ssh\n"
        f"  ssh: {{user: root, key: {key}}}\n  nodes:\n    box:\n      hosts:\n"
        f"        - {{name: one, address: {label(site, HOST, 'address')}, host_key: {label(site, HOST, 'host-key')}}}\n"
        "      roles: [base, monitoring_agent]\n"
    )
    metal = Site("metal", file)
    assert metal.up().exit_code == 0
    down = metal.run("down", "--yes")
    assert (down.exit_code, down.result["locations"][0]["detail"]) == (
        0,
        "its hosts were there before, and stay; taken off them: monitoring_agent",
    )
    assert set(json.loads(site.on(HOST, "cat", MANIFEST))["roles"]) == {"base"}
    again = metal.run("down", "--yes")
    assert (again.exit_code, again.result["locations"][0]["detail"]) == (
        0,
        "its hosts were there before, and are left as they are",
    )
