"""A whole site on AWS by the verbs that a user types: exactly the plan, closed, kept, mended, and gone again.

Core with three control and two training machines (EFA), bucket, Lustre and a cluster; two regions at the same time; an
edge. Every machine is a real host that is reached over SSH, through the core's where it has no public address. It runs
its SSH server and nothing else, and has no role: what configuring hosts does is shown in `test_real_hosts`. AWS is
moto, the providers are doubles, the cluster's API is a fake: nothing in the cluster ever runs. The tests share the site
and run in their order.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.session import open_session
from tests.engine.account import (
    WORLD,
    client,
    ours,
    pages,
    policies_that_allow_everything,
    volumes_in_clear,
    ways_in_from_the_world,
    with_old_metadata,
)
from tests.engine.cloud_hosts import CloudHosts
from tests.engine.cloud_site import CloudSite, cloud_site
from tests.engine.double.kubernetes import SERVER_VARIABLE
from tests.engine.kubernetes_api import FakeKubernetes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.local_site import Answer

pytestmark = [pytest.mark.engine, pytest.mark.hosts, pytest.mark.matrix]
TEXT = (Path(__file__).parent / "sites" / "whole.yaml").read_text()
# Of the file, core first; those that the hosts have are free on this machine.
RANGES = ("10.20.0.0/22", "10.20.4.0/22", "10.20.8.0/22", "10.20.12.0/22")
HOME, WEST = "eu-central-1", "eu-west-1"
REGIONS = (HOME, WEST)
STORES = {"core/data/train-1", "core/data/train-2", "core/models", "core/scratch"}
LOST = "regions/west/serve-2"
MADE_AND_UNMADE = {
    "ec2:CreateVpc": "ec2:DeleteVpc",
    "ec2:CreateSubnet": "ec2:DeleteSubnet",
    "ec2:CreateRouteTable": "ec2:DeleteRouteTable",
    "ec2:CreateNatGateway": "ec2:DeleteNatGateway",
    "ec2:AllocateAddress": "ec2:ReleaseAddress",
    "ec2:CreateLaunchTemplate": "ec2:DeleteLaunchTemplate",
    "ec2:CreateSecurityGroup": "ec2:DeleteSecurityGroup",
    "ec2:CreateVpcPeeringConnection": "ec2:DeleteVpcPeeringConnection",
    "ec2:CreateVolume": "ec2:DeleteVolume",
    "ec2:CreateVpcEndpoint": "ec2:DeleteVpcEndpoints",
    "fsx:CreateFileSystem": "fsx:DeleteFileSystem",
    "iam:CreateRole": "iam:DeleteRole",
    "iam:CreateInstanceProfile": "iam:DeleteInstanceProfile",
    "logs:CreateLogGroup": "logs:DeleteLogGroup",
}


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[FakeKubernetes]:
    fake = FakeKubernetes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERVER_VARIABLE, fake.start())
        yield fake
    fake.stop()


@pytest.fixture(scope="module")
def world(moto_url: str, kubernetes: FakeKubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudSite]:
    assert kubernetes
    # A cluster's pods have addresses of the network.
    hosts = CloudHosts(f"whole-{os.getpid()}", moto_url, host_count=900, is_bare=True)

    cidrs = dict.fromkeys(RANGES, "")

    def text(ranges: Iterator[str]) -> str:
        found = TEXT.replace("site: whole", f"site: {hosts.name}")
        for cidr in RANGES:
            cidrs[cidr] = next(ranges)
            found = found.replace(cidr, cidrs[cidr])
        return found

    with (
        cloud_site(hosts, tmp_path_factory.mktemp("whole"), text) as made,
        pytest.MonkeyPatch.context() as patch,
    ):
        # moto gives a machine with network cards of its own an address from anywhere.
        last = reversed(list(IPv4Network(cidrs[RANGES[0]]).hosts()))
        patch.setattr("moto.ec2.models.instances.random_private_ip", lambda: str(next(last)))
        yield made


@pytest.fixture(scope="module")
def first_up(world: CloudSite) -> Answer:
    return world.site.up()


def test_the_plan_creates_everything(world: CloudSite) -> None:
    shown = world.site.run("plan", "--diff", "--exit-code")
    assert (shown.exit_code, shown.problems()) == (6, []), shown.stdout
    assert {one["action"] for one in shown.result["changes"]} == {"create"}


def test_up_created_what_the_plan_says_and_nothing_else(world: CloudSite, first_up: Answer) -> None:
    assert (first_up.exit_code, first_up.problems()) == (0, []), first_up.stdout + first_up.stderr
    assert first_up.result["data"]["message"] == "done: 9 hosts are as the site file says"
    locations = open_session(world.site.file, environ={}).desired.locations
    planned = {
        location.address: {f"{one.type.rpartition(':')[2]} {one.name}" for one in planned_resources(location.aws)}
        for location in locations
        if location.aws is not None
    }
    assert len(planned) == 4
    assert world.created(first_up) == planned
    again = world.site.run("plan", "--diff", "--exit-code")
    assert (again.exit_code, again.problems()) == (0, []), again.stdout
    assert {one["action"] for one in again.result["changes"]} == {"keep"}


def test_nothing_is_open_to_the_world_or_in_clear_or_may_do_everything(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    for region in REGIONS:
        assert ways_in_from_the_world(region) == []
        assert with_old_metadata(region) == []
        assert volumes_in_clear(region) == []
    for bucket in client("s3", HOME).list_buckets()["Buckets"]:
        closed = client("s3", HOME).get_public_access_block(Bucket=bucket["Name"])["PublicAccessBlockConfiguration"]
        assert all(closed.values())
        rules = client("s3", HOME).get_bucket_encryption(Bucket=bucket["Name"])["ServerSideEncryptionConfiguration"]
        assert rules["Rules"]
    cluster = client("eks", HOME).describe_cluster(name=f"{world.site.name}_core")["cluster"]
    assert [one["resources"] for one in cluster["encryptionConfig"]] == [["secrets"]]
    assert not WORLD & set(cluster["resourcesVpcConfig"]["publicAccessCidrs"])
    assert {kind for one in cluster["logging"]["clusterLogging"] if one["enabled"] for kind in one["types"]} == {
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    }  # fmt: skip
    assert policies_that_allow_everything() == []


def test_a_second_up_changes_nothing(world: CloudSite, kubernetes: FakeKubernetes, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    world.forget()
    kubernetes.forget()
    second = world.site.up()
    message = second.result["data"]["message"]
    assert (second.exit_code, message) == (0, "nothing to do: all is as the site file says"), second.stdout
    assert world.proxy.changing == {}
    assert set(kubernetes.calls) == {"GET"}


def test_drift_names_exactly_what_was_done_behind_our_back_and_up_mends_exactly_that(
    world: CloudSite, first_up: Answer
) -> None:
    assert first_up.exit_code == 0
    lost, opened = end_a_machine(), open_a_group()
    drift = world.site.run("drift")
    assert drift.exit_code == 6
    rule = (
        f"security group {opened} lets 0.0.0.0/0 in on port 22, which leptonctl did not ask for: `up` takes that "
        "rule away"
    )
    gone = "in the plan and in the state, not on AWS (deleted behind our back)"
    assert {where for where, _ in drift.problems()} == {"core", LOST}, drift.stdout
    changed = [one for one in drift.result["changes"] if one["action"] != "keep"]
    assert [(one["action"], one["kind"], one["address"], one["reasons"]) for one in changed] == [
        ("update", "network", "core", [rule]),
        ("create", "host", LOST, [gone]),
    ]

    world.forget()
    mended = world.site.up()
    assert (mended.exit_code, mended.problems()) == (0, []), mended.stdout
    assert world.created(mended) == {"regions/west": {"Instance serve-2"}}
    assert world.proxy.calls["ec2:RunInstances"] == world.proxy.calls["ec2:RevokeSecurityGroupIngress"] == 1
    assert not [name for name in world.proxy.changing if ":Delete" in name or ":Terminate" in name]
    assert LOST in world.hosts.running()
    after = world.site.run("drift")
    assert (after.exit_code, after.problems()) == (0, [])
    machines = [one for group in pages(WEST, "describe_instances", "Reservations") for one in group["Instances"]]
    assert lost not in {one["InstanceId"] for one in machines if one["State"]["Name"] == "running"}


def test_down_keeps_the_data_and_what_it_stands_on_until_it_is_named(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    down = world.site.run("down", "--yes")
    assert (down.exit_code, down.problems()) == (0, []), down.stdout
    kept = [one for one in down.result["changes"] if one["action"] == "keep"]
    assert {one["address"] for one in kept if one["is_data"]} == STORES
    assert {one["address"] for one in kept if not one["is_data"]} == {
        "core vpc", "core subnet", "core security-group", "core/scratch security-group",
    }  # fmt: skip
    assert {reason for one in kept if not one["is_data"] for reason in one["reasons"]} == {
        "kept with core/scratch, which stands on it; it costs nothing by itself"
    }
    assert world.hosts.running() == []


def test_down_with_the_data_leaves_nothing_as_the_proxy_and_the_tags_agree(world: CloudSite, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    down = world.site.run("down", "--yes", "--delete-data", "all")
    assert (down.exit_code, down.problems()) == (0, []), down.stdout
    assert f"nothing carries the mark of site {world.site.name}" in down.result["data"]["message"]
    asked = world.asked_in_all()
    assert {made: asked[made] for made in MADE_AND_UNMADE} == {
        made: asked[unmade] for made, unmade in MADE_AND_UNMADE.items()
    }
    assert [left_by_tag(region) for region in REGIONS] == [[], []]
    for region in REGIONS:
        assert ours(pages(region, "describe_vpcs", "Vpcs")) == []
        assert ours(pages(region, "describe_volumes", "Volumes")) == []
        groups = pages(region, "describe_instances", "Reservations")
        assert {one["State"]["Name"] for group in groups for one in group["Instances"]} <= {"terminated"}
    assert client("eks", HOME).list_clusters()["clusters"] == []
    assert client("s3", HOME).list_buckets()["Buckets"] == []
    assert client("route53", HOME).list_hosted_zones()["HostedZones"] == []
    assert client("iam", "us-east-1").list_roles()["Roles"] == []


def end_a_machine() -> str:
    """End a machine of a region; gives its id."""
    ec2 = client("ec2", WEST)
    there = ec2.describe_instances(Filters=[{"Name": "tag:leptonctl:address", "Values": [LOST]}])["Reservations"]
    (lost,) = [one["InstanceId"] for group in there for one in group["Instances"]]
    ec2.terminate_instances(InstanceIds=[lost])
    return str(lost)


def open_a_group() -> str:
    """Open a group of the core to the world; gives its id."""
    filters = [
        {"Name": "tag:leptonctl:location", "Values": ["core"]},
        {"Name": "tag:leptonctl:group", "Values": ["train"]},
    ]
    ec2 = client("ec2", HOME)
    group: str = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    everybody = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everybody])
    return group


def left_by_tag(region: str) -> list[str]:
    """What the tagging service has, without what its own service says is gone: both go on listing that for a while."""
    machines = [one for group in pages(region, "describe_instances", "Reservations") for one in group["Instances"]]
    gateways = pages(region, "describe_nat_gateways", "NatGateways")
    peerings = pages(region, "describe_vpc_peering_connections", "VpcPeeringConnections")
    gone = {
        *(one["InstanceId"] for one in machines if one["State"]["Name"] == "terminated"),
        *(one["NatGatewayId"] for one in gateways if one["State"] == "deleted"),
        *(one["VpcPeeringConnectionId"] for one in peerings if one["Status"]["Code"] == "deleted"),
    }
    pager = client("resourcegroupstaggingapi", region).get_paginator("get_resources")
    filters = [{"Key": "leptonctl:managed-by", "Values": ["leptonctl"]}]
    found = [
        one["ResourceARN"] for page in pager.paginate(TagFilters=filters) for one in page["ResourceTagMappingList"]
    ]
    # A key is deleted a week later at the earliest.
    return [arn for arn in found if arn.rpartition("/")[2] not in gone and ":kms:" not in arn]
