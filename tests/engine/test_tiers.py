"""A whole site on AWS: core with EFA, bucket and Lustre, two regions and an edge, from nothing to nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.progress import Progress, silent
from tests.engine.sites import open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.desired import DesiredLocation
    from tests.engine.proxy import Proxy

pytestmark = pytest.mark.engine
WORLD = {"0.0.0.0/0", "::/0"}


@pytest.mark.usefixtures("engine")
def test_a_site_of_all_tiers_is_made_exactly_as_planned_closed_kept_the_same_and_removed(
    aws_proxy: Proxy, tmp_path: Path
) -> None:
    session = open_site("full", tmp_path)
    platform, locations = platform_of(session), session.desired.locations

    for location in locations:
        told: list[Progress] = []
        platform.ensure(location, told.append)
        assert created(told) == planned(location), location.address

    for region in sorted({location.aws.region for location in locations if location.aws}):
        assert ways_in_from_the_world(region) == []
        assert machines_with_old_metadata(region) == []
        assert volumes_in_clear(region) == []
    assert policies_that_allow_everything() == []

    aws_proxy.forget()
    for location in locations:
        platform.ensure(location, silent)
    assert aws_proxy.changing == {}

    stores = frozenset({"core/data", "core/models", "core/scratch"})
    for location in reversed(locations):
        platform.destroy(location.address, delete_data=stores, report=silent)
    assert platform.leftovers() == ()


def created(told: list[Progress]) -> set[str]:
    return {progress.message.partition(" created in")[0] for progress in told if "created in" in progress.message}


def planned(location: DesiredLocation) -> set[str]:
    assert location.aws is not None
    return {f"{one.type.rpartition(':')[2]} {one.name}" for one in planned_resources(location.aws)}


def pages(region: str, operation: str, key: str) -> list[dict[str, Any]]:
    client: Any = boto3.client("ec2", region_name=region)
    return [one for page in client.get_paginator(operation).paginate() for one in page[key]]


def ours(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what AWS puts into every account."""
    return [one for one in things if any(tag["Key"] == "leptonctl:site" for tag in one.get("Tags", []))]


def ways_in_from_the_world(region: str) -> list[str]:
    return [
        f"{group['GroupId']}: {rule}"
        for group in ours(pages(region, "describe_security_groups", "SecurityGroups"))
        for rule in group["IpPermissions"]
        if WORLD & {one["CidrIp"] for one in rule["IpRanges"]} or rule["Ipv6Ranges"]
    ]


def machines_with_old_metadata(region: str) -> list[str]:
    return [
        one["InstanceId"]
        for reservation in pages(region, "describe_instances", "Reservations")
        for one in reservation["Instances"]
        if one["MetadataOptions"]["HttpTokens"] != "required" or one["MetadataOptions"]["HttpPutResponseHopLimit"] != 1
    ]


def volumes_in_clear(region: str) -> list[str]:
    return [one["VolumeId"] for one in pages(region, "describe_volumes", "Volumes") if not one["Encrypted"]]


def policies_that_allow_everything() -> list[str]:
    client: Any = boto3.client("iam", region_name="us-east-1")
    found = []
    for role in client.list_roles()["Roles"]:
        for name in client.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = client.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            text = document if isinstance(document, dict) else json.loads(document)
            for statement in text["Statement"]:
                actions, resources = listed(statement["Action"]), listed(statement["Resource"])
                if statement["Effect"] == "Allow" and ("*" in resources or any(one.endswith("*") for one in actions)):
                    found.append(f"{role['RoleName']}/{name}")
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
