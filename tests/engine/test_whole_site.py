"""A whole site on AWS, tier by tier: exactly the plan, closed, kept, mended, and gone again, as moto's end state says.

Core with training machines (EFA), bucket and Lustre; two regions at the same time; an edge.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import Progress, silent
from tests.engine.account import (
    client,
    ours,
    pages,
    policies_that_allow_everything,
    volumes_in_clear,
    ways_in_from_the_world,
    with_old_metadata,
)
from tests.engine.sites import open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.platforms.aws import AwsPlatform
    from leptonctl.session import Session
    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]
REGIONS = ("eu-central-1", "eu-west-1")


def test_a_site_of_all_tiers_is_made_exactly_closed_kept_mended_and_removed(aws_proxy: Proxy, tmp_path: Path) -> None:
    session = open_site("full", tmp_path)
    platform, locations = platform_of(session), session.desired.locations
    platform.preflight(locations)
    assert created(session, platform) == {location.address: planned(location) for location in locations}

    for region in REGIONS:
        assert ways_in_from_the_world(region) == []
        assert with_old_metadata(region) == []
        assert volumes_in_clear(region) == []
    assert policies_that_allow_everything() == []
    south = platform.observe("regions/south")
    assert south is not None
    assert all((endpoint.jump or "").startswith("root@") for endpoint in south.endpoints.values())

    aws_proxy.forget()
    assert created(session, platform) == {location.address: set() for location in locations}
    assert aws_proxy.changing == {}

    lost, opened = do_harm(session, platform)
    assert differences(session, platform) == {
        ("create", "host", "regions/west/serve-2"): (
            "in the plan and in the state, not on AWS (deleted behind our back)",
        ),
        ("update", "network", "core"): (
            (
                f"security group {opened} lets 0.0.0.0/0 in on port 22, which leptonctl did not ask for: `up` "
                "takes that rule away"
            ),
        ),
    }
    aws_proxy.forget()
    mended = created(session, platform)
    assert {address: names for address, names in mended.items() if names} == {"regions/west": {"Instance serve-2"}}
    assert differences(session, platform) == {}
    assert aws_proxy.calls["ec2:RunInstances"] == aws_proxy.calls["ec2:RevokeSecurityGroupIngress"] == 1
    again = platform.observe("regions/west")
    assert again is not None
    assert lost not in {one.id for one in again.resources}

    # Without their names the stores stay, with what the file system stands on in AWS, and nothing else does.
    tier_by_tier(session, lambda address: platform.destroy(address, delete_data=frozenset(), report=silent), up=False)
    left = platform.leftovers()
    assert {one.address for one in left if one.is_data} == {
        "core/data/train-1", "core/data/train-2", "core/models", "core/scratch",
    }  # fmt: skip
    assert {one.address for one in left if not one.is_data} == {
        "core vpc", "core subnet", "core security-group", "core/scratch security-group",
    }  # fmt: skip
    everything = frozenset({"all"})
    tier_by_tier(session, lambda address: platform.destroy(address, delete_data=everything, report=silent), up=False)
    assert platform.leftovers() == ()
    assert [ours(pages(region, "describe_vpcs", "Vpcs")) for region in REGIONS] == [[], []]


def created(session: Session, platform: AwsPlatform) -> dict[str, set[str]]:
    """What making each location has created: Pulumi's types and names."""
    told: dict[str, list[Progress]] = {location.address: [] for location in session.desired.locations}
    locations = {location.address: location for location in session.desired.locations}
    tier_by_tier(session, lambda address: platform.ensure(locations[address], told[address].append), up=True)
    return {
        address: {one.message.partition(" created in")[0] for one in found if "created in" in one.message}
        for address, found in told.items()
    }


def tier_by_tier(session: Session, act: Callable[[str], object], *, up: bool) -> None:
    """The locations of a tier at the same time; the core first, or last."""
    tiers: dict[str, list[str]] = {}
    for location in session.desired.locations:
        tiers.setdefault(location.tier, []).append(location.address)
    for addresses in tiers.values() if up else reversed(tiers.values()):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, addresses))


def planned(location: DesiredLocation) -> set[str]:
    assert location.aws is not None
    return {f"{one.type.rpartition(':')[2]} {one.name}" for one in planned_resources(location.aws)}


def do_harm(session: Session, platform: AwsPlatform) -> tuple[str, str]:
    """End a machine of a region and open a group of the core to the world; gives the ids of both."""
    west = platform.observe("regions/west")
    assert west is not None
    lost = next(one.id for one in west.resources if one.address == "regions/west/serve-2")
    client("ec2", "eu-west-1").terminate_instances(InstanceIds=[lost])
    filters = [
        {"Name": "tag:leptonctl:location", "Values": ["core"]},
        {"Name": "tag:leptonctl:group", "Values": ["train"]},
    ]
    ec2 = client("ec2", "eu-central-1")
    group: str = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    everybody = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everybody])
    assert session.desired.site == "full"
    return lost, group


def differences(session: Session, platform: AwsPlatform) -> dict[tuple[str, str, str], tuple[str, ...]]:
    return {
        (change.action.value, change.kind, change.address): change.reasons
        for location in session.desired.locations
        for change in resource_changes(location, platform.observe(location.address))
        if change.action is not Action.KEEP
    }
