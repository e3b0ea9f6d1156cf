"""`leptonctl up` gets SIGINT, SIGTERM or SIGKILL at a named point; the next `up` ends with exactly the plan.

The point is a call that the proxy holds, so that the signal comes exactly there. SIGKILL takes all that leptonctl has
started with it, as when the machine loses its power. Only the real engine can show this.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore
from tests.e2e.local_site import LEPTONCTL, Site
from tests.engine.cloud_hosts import CloudHosts
from tests.engine.disturbances import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.hosts, pytest.mark.usefixtures("real_engine")]
REGION, NAME = "eu-central-1", "killed"
LIMIT_S = 300
TEXT = """
site: killed
owner: tests@example.com
core:
  platform: aws
  aws: {{region: eu-central-1, zones: [eu-central-1a], internet: none}}
  network: {{cidr: {core}}}
  nodes:
    box: {{count: 1, machine: {{type: m5.large}}, aws: {{public: true}}, roles: [{roles}]}}
  storage:
    data: {{size_gib: 10, nodes: [box]}}
regions:
  west:
    platform: aws
    aws: {{region: eu-central-1, zones: [eu-central-1a], internet: none}}
    network: {{cidr: {west}}}
"""


def made(action: str) -> Gate:
    """A call was made in the cloud, and the provider does not know it yet."""
    return Gate(action, is_made=True)


# Where the signal comes; the last is told by the run itself and not by a call.
CONFIGURING = "while a host is configured"
POINTS: dict[str, Callable[[], Gate]] = {
    "before the first creation": lambda: Gate("CreateVpc", is_made=False),
    "while the VPC is made": lambda: made("CreateVpc"),
    "while a subnet is made": lambda: made("CreateSubnet"),
    "while a security group is made": lambda: made("CreateSecurityGroup"),
    "while a launch template is made": lambda: made("CreateLaunchTemplate"),
    "between RunInstances and its entry in the state": lambda: made("RunInstances"),
    "while a volume is made": lambda: made("CreateVolume"),
    "while a volume is attached": lambda: made("AttachVolume"),
    "while a route is made": lambda: made("CreateRoute"),
    "while two networks are peered": lambda: made("CreateVpcPeeringConnection"),
    "at the end, before what was made is read": lambda: Gate(
        "DescribeSecurityGroupRules", is_made=False, fits=lambda call: any("Filter" in name for name in call.form)
    ),
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@dataclass(frozen=True)
class World:
    """A site that is to be made in an account of its own, with hosts behind its machines."""

    hosts: CloudHosts
    proxy: Proxy
    folder: Path

    def site(self, roles: str) -> Site:
        file = self.folder / "site.yaml"
        file.write_text(TEXT.format(core=next(self.hosts.ranges), west=next(self.hosts.ranges), roles=roles))
        return Site(NAME, file)


@pytest.fixture
def world(moto_url: str, aws_proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hosts = CloudHosts(f"killed-{os.getpid()}-{tmp_path.name[-8:].strip('_').lower()}", moto_url)
    hosts.stand_in(aws_proxy)
    monkeypatch.setattr("moto.ec2.models.elastic_network_interfaces.random_public_ip", hosts.public_address)
    try:
        yield World(hosts, aws_proxy, tmp_path)
    finally:
        for gate in aws_proxy.disturbances:
            gate.end()
        hosts.remove()


def wait_for(what: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LIMIT_S
    while not what():
        assert process.poll() is None, "up ended before the point was reached"
        assert time.monotonic() < end, "the point was not reached"
        threading.Event().wait(0.05)


def events_of(site: Site) -> str:
    runs = site.file.parent / ".leptonctl" / site.name / "runs"
    return "".join(path.read_text() for path in runs.glob("*-up-*/events.jsonl"))


def started_by(pid: int) -> list[int]:
    """Every process below this one."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(folder.name))
    below, found = [pid], []
    while below:
        children = parents.get(below.pop(), [])
        found += children
        below += children
    return found


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send the signal; SIGKILL to everything at once."""
    below = started_by(process.pid) if number is signal.SIGKILL else []
    for pid in (process.pid, *below):
        os.kill(pid, number)


def is_gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def up_until(site: Site, proxy: Proxy, point: Callable[[], Gate] | None, number: signal.Signals) -> int:
    """Start `up`, send the signal once at the point, and give how it ended."""
    gate = point() if point else None
    if gate is not None:
        proxy.add(gate)
    process = subprocess.Popen(
        [str(LEPTONCTL), "up", str(site.file), "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        reached = gate.reached.is_set if gate is not None else lambda: '"stage": "configure"' in events_of(site)
        wait_for(reached, process)
        below = started_by(process.pid)
        end(process, number)
    finally:
        if gate is not None:
            gate.release()
    ended = process.wait(timeout=LIMIT_S)
    limit = time.monotonic() + 60
    while not all(map(is_gone, below)):
        assert time.monotonic() < limit, "something that was started outlives the run"
        threading.Event().wait(0.05)
    return ended


def everything() -> Counter[tuple[str, str]]:
    """All that carries the mark, and what connects it, in words that do not change from one account to another."""
    cloud: Any = AwsCloud(REGION)
    found = Counter((one.type, one.tags.get("Name", one.address)) for one in (*cloud.marked(NAME), *cloud.roles(NAME)))
    found.update(("zone", one.details["Name"]) for one in cloud.zones(NAME))
    ec2: Any = boto3.client("ec2", region_name=REGION)
    for table in ec2.describe_route_tables()["RouteTables"]:
        name = next((tag["Value"] for tag in table["Tags"] if tag["Key"] == "Name"), None)
        if name is not None:
            found.update(("association", name) for one in table["Associations"] if one.get("SubnetId"))
            found[("routes", name)] = len(table["Routes"])
    found.update(("attached", one["Device"]) for v in ec2.describe_volumes()["Volumes"] for one in v["Attachments"])
    found.update(
        ("rule", next((tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name"), "foreign"))
        for one in ec2.describe_security_group_rules()["SecurityGroupRules"]
        if one["Tags"]
    )
    return found


def in_the_state(site: Site) -> Counter[str]:
    """The resources that the states of all locations know; none is pending."""
    states = States(FolderStore(site.file.parent / ".leptonctl" / NAME / "pulumi"), NAME)
    found: Counter[str] = Counter()
    for stack in states.kept():
        kept = states.read(stack)
        assert kept is not None
        assert pending_operations(kept) == ()
        found.update(f"{stack} {one['urn'].split('::', 2)[2]}" for one in kept["deployment"]["resources"])
    return found


REFERENCE: dict[str, tuple[Counter[tuple[str, str]], Counter[str]]] = {}
"""What an undisturbed `up` comes to; made by the first test."""


def reference(world: World) -> None:
    site = world.site("")
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, []), done.stderr
    REFERENCE["up"] = (everything(), in_the_state(site))


def test_an_undisturbed_up_is_what_the_others_are_compared_with(world: World) -> None:
    reference(world)
    marked, known = REFERENCE["up"]
    assert marked["instance", "killed.core.box-1"] == 1
    assert set(known.values()) == {1}


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("point", [*POINTS, CONFIGURING])
def test_the_next_up_ends_with_exactly_the_plan(world: World, point: str, number: signal.Signals) -> None:
    assert REFERENCE, "run the file as a whole: its first test says what to compare with"
    site = world.site("base" if point == CONFIGURING else "")
    ended = up_until(site, world.proxy, POINTS.get(point), number)
    assert ended == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, []), done.stderr
    assert everything() == REFERENCE["up"][0]
    assert in_the_state(site) == REFERENCE["up"][1]
    assert world.hosts.running() == ["core/box-1"]
