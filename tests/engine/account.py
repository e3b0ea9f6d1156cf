"""What an account on moto has, and what of it would be open, in clear or allowed to everyone."""

from __future__ import annotations

import json
from typing import Any

import boto3

WORLD = {"0.0.0.0/0", "::/0"}


def client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region)


def pages(region: str, operation: str, key: str) -> list[dict[str, Any]]:
    return [one for page in client("ec2", region).get_paginator(operation).paginate() for one in page[key]]


def ours(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what AWS puts into every account."""
    return [one for one in things if any(tag["Key"] == "leptonctl:site" for tag in one.get("Tags", []))]


def ways_in_from_the_world(region: str) -> list[str]:
    groups = ours(pages(region, "describe_security_groups", "SecurityGroups"))
    assert groups
    return [
        f"{group['GroupId']}: {rule}"
        for group in groups
        for rule in group["IpPermissions"]
        if WORLD & {one["CidrIp"] for one in rule["IpRanges"]} or rule["Ipv6Ranges"]
    ]


def with_old_metadata(region: str) -> list[str]:
    """Machines, and templates from which machines of a cluster are made."""
    machines = [one for group in pages(region, "describe_instances", "Reservations") for one in group["Instances"]]
    assert machines
    options = {one["InstanceId"]: one["MetadataOptions"] for one in machines}
    for one in ours(pages(region, "describe_launch_templates", "LaunchTemplates")):
        id_ = one["LaunchTemplateId"]
        found = client("ec2", region).describe_launch_template_versions(LaunchTemplateId=id_, Versions=["$Latest"])
        options[id_] = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["MetadataOptions"]
    return [
        id_
        for id_, found in options.items()
        if found["HttpTokens"] != "required" or found["HttpPutResponseHopLimit"] != 1
    ]


def volumes_in_clear(region: str) -> list[str]:
    return [one["VolumeId"] for one in pages(region, "describe_volumes", "Volumes") if not one["Encrypted"]]


def policies_that_allow_everything() -> list[str]:
    iam, found = client("iam", "us-east-1"), []
    for role in iam.list_roles()["Roles"]:
        for attached in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]:
            assert (
                attached["PolicyName"].startswith("AmazonEKS")
                or "/service-role/" in attached["PolicyArn"]
                or (attached["PolicyName"].startswith("AmazonEC2ContainerRegistry"))
            ), attached
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            text = document if isinstance(document, dict) else json.loads(document)
            for statement in text["Statement"]:
                actions, resources = listed(statement["Action"]), listed(statement["Resource"])
                if statement["Effect"] == "Allow" and ("*" in resources or any(one.endswith("*") for one in actions)):
                    found.append(f"{role['RoleName']}/{name}")
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
