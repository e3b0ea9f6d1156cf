"""A whole site on AWS: a core with training machines, two regions at the same time, an edge, peered; and none of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import silent
from tests.engine.sites import open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine", "aws")]
REGIONS = ("eu-central-1", "eu-west-1")


def listed(region: str, call: str, items: str) -> list[Any]:
    found: list[Any] = getattr(boto3.client("ec2", region_name=region), call)()[items]
    return found


def test_a_site_goes_up_tier_by_tier_is_closed_and_goes_down_to_nothing(tmp_path: Path) -> None:
    session = open_site("full", tmp_path)
    platform = platform_of(session)
    core, west, south, shop = session.desired.locations
    platform.preflight(session.desired.locations)
    platform.ensure(core, silent)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda location: platform.ensure(location, silent), (west, south)))
    platform.ensure(shop, silent)

    for location in session.desired.locations:
        found = platform.observe(location.address)
        assert {one.action for one in resource_changes(location, found)} == {Action.KEEP}, location.address
    south_hosts = platform.observe("regions/south")
    assert south_hosts is not None
    assert all((endpoint.jump or "").startswith("root@") for endpoint in south_hosts.endpoints.values())
    assert {change.action for change in platform.preview(west)} == {Action.KEEP}

    for region in REGIONS:
        machines = [one for group in listed(region, "describe_instances", "Reservations") for one in group["Instances"]]
        assert machines
        assert {one["MetadataOptions"]["HttpTokens"] for one in machines} == {"required"}
        assert all(one["Encrypted"] for one in listed(region, "describe_volumes", "Volumes"))
        marked = [
            group
            for group in listed(region, "describe_security_groups", "SecurityGroups")
            if any(tag["Key"] == "leptonctl:site" for tag in group.get("Tags", ()))
        ]
        ranges = [
            one["CidrIp"] for group in marked for rule in group["IpPermissions"] for one in rule.get("IpRanges", ())
        ]
        assert ranges
        assert "0.0.0.0/0" not in ranges

    everything = frozenset({"all"})
    platform.destroy("edges/shop", delete_data=everything, report=silent)
    with ThreadPoolExecutor(2) as pool:
        regions = ("regions/west", "regions/south")
        list(pool.map(lambda name: platform.destroy(name, delete_data=everything, report=silent), regions))
    platform.destroy("core", delete_data=everything, report=silent)
    assert platform.leftovers() == ()
