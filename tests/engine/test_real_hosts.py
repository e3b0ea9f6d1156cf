"""`leptonctl` as a user runs it, on a site on AWS whose machines are real hosts: from nothing to proven to nothing.

The stacks, the inventory, SSH through a jump host, Ansible and Prometheus are real; AWS is moto, and the provider a
double. The tests of this file share the site and run in their order.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.engine.cloud_hosts import CloudHosts
from tests.engine.cloud_site import CloudSite, cloud_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.local_site import Answer

pytestmark = [pytest.mark.engine, pytest.mark.hosts]
REGION = "eu-central-1"
GATE, INSIDE, AWAY = "core/control-1", "core/box-1", "regions/west/serve-1"
WAITS = f"{AWAY}: waits for its first answer by SSH, up to 10 min from its start"
TEXT = """
site: {name}
owner: tests@example.com
software:
  monitoring_server: {{scrape_interval_s: 2}}
core:
  platform: aws
  aws: {{region: eu-central-1, zones: [eu-central-1a], internet: none}}
  network: {{cidr: {core}}}
  nodes:
    control:
      count: 1
      machine: {{type: m5.large}}
      aws: {{public: true}}
      roles: [base, monitoring_agent, monitoring_server]
    box: {{count: 1, machine: {{type: m5.large}}, roles: [base, monitoring_agent]}}
  storage:
    data: {{size_gib: 10, nodes: [box]}}
regions:
  west:
    platform: aws
    aws: {{region: eu-west-1, zones: [eu-west-1a], internet: none}}
    network: {{cidr: {west}}}
    nodes:
      serve: {{count: 1, machine: {{type: m5.large}}, roles: [base, monitoring_agent]}}
"""


@pytest.fixture(scope="module")
def world(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudSite]:
    hosts = CloudHosts(f"cloud-{os.getpid()}", moto_url)

    def text(ranges: Iterator[str]) -> str:
        return TEXT.format(name=hosts.name, core=next(ranges), west=next(ranges))

    with cloud_site(hosts, tmp_path_factory.mktemp("cloud"), text) as made:
        yield made


@pytest.fixture(scope="module")
def first_up(world: CloudSite) -> Answer:
    """The first `up`; one machine begins to boot only when `up` waits for it."""
    late = world.hosts.hold(AWAY)

    def react(line: str) -> None:
        if WAITS in line:
            late.set()

    try:
        return world.site.run_and_react("up", "--yes", react=react)
    finally:
        late.set()


def test_a_site_on_aws_is_made_and_its_hosts_configured(world: CloudSite, first_up: Answer) -> None:
    assert (first_up.exit_code, first_up.problems()) == (0, []), first_up.stderr
    assert first_up.result["data"]["message"] == "done: 3 hosts are as the site file says"
    assert world.hosts.running() == [INSIDE, GATE, AWAY]
    for address in (GATE, INSIDE, AWAY):
        assert {role["state"] for role in first_up.host(address)["roles"]} == {"done"}, address
    assert world.proxy.calls["ec2:RunInstances"] == 3


def test_a_machine_that_boots_slowly_is_waited_for_and_configured_when_it_answers(first_up: Answer) -> None:
    said = [line for line in first_up.stderr.splitlines() if AWAY in line]
    waits = next(number for number, line in enumerate(said) if WAITS in line)
    answers = next(number for number, line in enumerate(said) if f"{AWAY}: answers by SSH" in line)
    configured = next(number for number, line in enumerate(said) if "tasks changed something" in line)
    assert waits < answers < configured


def test_a_private_host_was_reached_through_the_public_one_alone(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    networks = json.loads(world.hosts.on(GATE, "ip", "-json", "-4", "address"))
    own = {one["local"] for network in networks for one in network["addr_info"]}
    log = world.hosts.on(INSIDE, "journalctl", "--unit", "ssh", "--output", "cat")
    came_from = {line.split(" from ")[1].split()[0] for line in log.splitlines() if "Accepted publickey" in line}
    assert came_from
    assert came_from <= own


def test_verify_proves_it_and_prometheus_scrapes_every_host(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    verified = world.site.run("verify")
    assert (verified.exit_code, verified.problems()) == (0, [])
    targets = json.loads(world.hosts.on(GATE, "cat", "/etc/prometheus/targets/leptonctl.json"))
    assert {one["labels"]["host"] for one in targets} == {GATE, INSIDE, AWAY}


def test_a_second_up_changes_nothing_in_the_cloud_and_starts_no_ansible(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    before = world.site.configured_runs()
    world.proxy.forget()
    second = world.site.up()
    message = second.result["data"]["message"]
    assert (second.exit_code, message) == (0, "nothing to do: all is as the site file says"), second.stdout
    assert world.proxy.changing == {}
    assert world.site.configured_runs() == before


@pytest.mark.matrix
def test_drift_names_exactly_what_was_done_behind_our_back_and_up_mends_it(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    ec2: Any = boto3.client("ec2", region_name=REGION, endpoint_url=world.hosts.moto_url)
    there = ec2.describe_instances(Filters=[{"Name": "tag:leptonctl:address", "Values": [INSIDE]}])
    (lost,) = [one["InstanceId"] for group in there["Reservations"] for one in group["Instances"]]
    terminate: Any = boto3.client("ec2", region_name=REGION)
    terminate.terminate_instances(InstanceIds=[lost])
    assert world.hosts.running() == [GATE, AWAY]
    world.hosts.on(AWAY, "systemctl", "stop", "prometheus-node-exporter.service")

    drift = world.site.run("drift")
    assert drift.exit_code == 6
    told = drift.problems()
    assert {where for where, _ in told} == {INSIDE, AWAY}, drift.stdout
    assert (AWAY, "unit prometheus-node-exporter.service is stopped, should be running") in told

    mended = world.site.up()
    assert (mended.exit_code, mended.problems()) == (0, []), mended.stderr
    assert world.hosts.running() == [INSIDE, GATE, AWAY]
    # Its address is another one now: the monitoring server is told, and nothing else is touched.
    touched = {host for host in (GATE, INSIDE, AWAY) if mended.host(host)["changed_count"]}
    assert touched == {GATE, INSIDE, AWAY}
    assert world.site.run("drift").exit_code == 0


def test_down_leaves_the_data_until_it_is_named_and_then_nothing(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    down = world.site.run("down", "--yes")
    assert (down.exit_code, down.problems()) == (0, [])
    kept = [(one["address"], one["is_data"]) for one in down.result["changes"] if one["action"] == "keep"]
    assert kept == [("core/data/box-1", True)]
    assert world.hosts.running() == []
    gone = world.site.run("down", "--yes", "--delete-data", "core/data")
    assert (gone.exit_code, gone.problems()) == (0, [])
    assert f"nothing carries the mark of site {world.site.name}" in gone.result["data"]["message"]
