"""`leptonctl up` gets SIGINT, SIGTERM or SIGKILL at a named point; the next `up` ends with exactly the plan.

The point is a call that the proxy holds, so that the signal comes exactly there. SIGKILL takes all that leptonctl has
started with it, as when the machine loses its power. Only the real engine can show this.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_sweep import marked, without_region
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore
from tests.e2e.local_site import LEPTONCTL, Site
from tests.engine.cloud_hosts import CloudHosts
from tests.engine.conftest import account_on, engine_on_path
from tests.engine.disturbances import Gate
from tests.engine.proxy import Proxy
from tests.engine.sites import an_hour_passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextmanager
def a_world(moto_url: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[World]:
    account_on(moto_url, patch, folder)
    engine_on_path(patch, folder)
    hosts, proxy = CloudHosts(f"killed-{secrets.token_hex(4)}", moto_url), Proxy(moto_url)
    hosts.stand_in(proxy)
    patch.setenv("AWS_ENDPOINT_URL", proxy.start())
    patch.setattr("moto.ec2.models.elastic_network_interfaces.random_public_ip", hosts.public_address)
    try:
        yield World(hosts, proxy, folder)
    finally:
        proxy.stop()
        hosts.remove()


@pytest.fixture
def world(moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(moto_url, tmp_path, monkeypatch) as made:
        yield made


@dataclass(frozen=True)
class End:
    """What a site comes to: in the cloud, and in the states of its stacks."""

    cloud: Counter[tuple[str, str]]
    states: Counter[str]


@pytest.fixture(scope="module")
def undisturbed(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> End:
    """What an `up` comes to that nobody disturbs."""
    with pytest.MonkeyPatch.context() as patch, a_world(moto_url, tmp_path_factory.mktemp("whole"), patch) as world:
        site = world.site("")
        done = site.up()
        assert (done.exit_code, done.problems()) == (0, []), done.stderr
        found = End(everything(), in_the_state(site))
    assert found.cloud["instance", "killed.core.box-1"] == 1
    assert set(found.states.values()) == {1}
    return found


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
    cloud = AwsCloud(REGION)
    things = (*marked(cloud, NAME), *without_region(cloud, NAME))
    found = Counter((one.type, one.tags.get("Name", one.address)) for one in things)
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


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("point", [*POINTS, CONFIGURING])
def test_the_next_up_ends_with_exactly_the_plan(
    world: World, undisturbed: End, point: str, number: signal.Signals
) -> None:
    site = world.site("base" if point == CONFIGURING else "")
    ended = up_until(site, world.proxy, POINTS.get(point), number)
    assert ended == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    # At once it would wait for what AWS does not list yet, which test_crashed shows.
    an_hour_passes(site.file.parent / ".leptonctl")
    done = site.up()
    assert (done.exit_code, done.problems()) == (0, []), done.stderr
    assert End(everything(), in_the_state(site)) == undisturbed
    assert world.hosts.running() == ["core/box-1"]
