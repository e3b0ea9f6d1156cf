"""What is asked before a location on AWS is made, against moto; Service Quotas beyond VPC is a named fake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import PlatformFailed
from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_quotas import NETWORKS, Demand
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_preflight import aws_checks
from leptonctl.platforms.aws_quotas import own_tags, quota_checks
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.planning.checks import Check

SITE = Path(__file__).parent.parent / "engine" / "sites" / "thin.yaml"
# Moto answers slowly here: these are no quick tests.
pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("ec2")]


class CloudWithQuotas(AwsCloud):
    """Moto's AWS, but for the limits of the account and the simulation of rights, which moto does not have.

    A fake: every limit is 100 unless `limits` says otherwise, `denied` are actions that are not allowed, and of an
    operation in `refused` it says that AWS denied it.
    """

    limits: dict[str, float] = {}  # noqa: RUF012 - set by a test
    denied: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def call(self, service: str, operation: str, **arguments: object) -> Any:
        if operation in self.refused:
            raise PlatformFailed(f"AWS denied {service} {operation}", hint="ask for it")
        if operation == "get_service_quota":
            return {"Quota": {"Value": self.limits.get(str(arguments["QuotaCode"]), 100.0)}}
        return super().call(service, operation, **arguments)

    def pages(self, service: str, operation: str, **arguments: Any) -> Any:
        if operation in self.refused:
            raise PlatformFailed(f"AWS denied {service} {operation}", hint="ask for it")
        if operation == "simulate_principal_policy":
            names = arguments["ActionNames"]
            results = [
                {"EvalActionName": name, "EvalDecision": "implicitDeny" if name in self.denied else "allowed"}
                for name in names
            ]
            return iter([{"EvaluationResults": results}])
        return super().pages(service, operation, **arguments)


def fake(
    *, limits: dict[str, float] | None = None, denied: tuple[str, ...] = (), refused: tuple[str, ...] = ()
) -> type[CloudWithQuotas]:
    changes = {"limits": limits or {}, "denied": frozenset(denied), "refused": frozenset(refused)}
    return type("Fake", (CloudWithQuotas,), changes)


def core() -> LocationArgs:
    found = location_args(load_site(SITE, environ={}).site, "core")
    assert found is not None
    # Moto has no image of Debian 13 here.
    image = boto3.client("ec2", region_name="eu-central-1").describe_images()["Images"][0]["ImageId"]
    return replace(found, groups=tuple(replace(one, image=replace(one.image, image_id=image)) for one in found.groups))


def asked(cloud: type[AwsCloud], *locations: LocationArgs) -> tuple[Check, ...]:
    return aws_checks(locations or (core(),), cloud, {"PATH": "/nowhere", "XDG_DATA_HOME": "/nowhere"})


def told(checks: tuple[Check, ...], *, is_ok: bool | None, rule: str = "") -> list[str]:
    """The messages of checks with this answer; the engine, which is not here, is left out."""
    return [one.message for one in checks if one.is_ok is is_ok and one.rule != "engine" and rule in {"", one.rule}]


def quota(checks: tuple[Check, ...], code: str) -> Check:
    return next(one for one in checks if one.code == code)


def test_where_all_is_well_it_is_said_with_the_numbers() -> None:
    checks = asked(fake())
    assert told(checks, is_ok=False) == []
    assert told(checks, is_ok=None) == []
    assert told(checks, is_ok=True, rule="aws_identity") == ["AWS knows you as arn:aws:sts::123456789012:user/moto"]
    vcpus = quota(checks, "ec2/L-1216C47A")
    assert (vcpus.asked, vcpus.used, vcpus.limit) == (4.0, 0.0, 100.0)
    assert vcpus.message == (
        "eu-central-1: Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances: 4 vCPU asked, "
        "0 used by others, limit 100"
    )
    # Moto's account begins with one network of its own.
    networks = quota(checks, "vpc/L-F678F1CE")
    assert (networks.asked, networks.used) == (1, 1)


def test_a_quota_that_is_too_small_says_what_to_ask_for(ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, InstanceType="m5.xlarge", MinCount=1, MaxCount=1)
    check = quota(asked(fake(limits={"L-1216C47A": 7})), "ec2/L-1216C47A")
    assert (check.is_ok, check.asked, check.used, check.limit) == (False, 4, 4, 7)
    assert check.hint == (
        "ask for 8 or more: `aws service-quotas request-service-quota-increase --region eu-central-1 "
        "--service-code ec2 --quota-code L-1216C47A --desired-value 8`"
    )


def test_what_the_site_has_already_is_not_counted_twice(ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    marks = [{"Key": "leptonctl:site", "Value": "thin"}, {"Key": "leptonctl:location", "Value": "core"}]
    tags = [{"ResourceType": "instance", "Tags": marks}]
    ec2.run_instances(ImageId=image, InstanceType="m5.large", MinCount=2, MaxCount=2, TagSpecifications=tags)
    assert quota(asked(fake()), "ec2/L-1216C47A").used == 0


def test_all_locations_of_a_region_are_asked_for_together() -> None:
    other = replace(core(), location="regions/west")
    check = quota(asked(fake(limits={"L-1216C47A": 7}), core(), other), "ec2/L-1216C47A")
    assert (check.is_ok, check.asked) == (False, 8)


def test_spot_has_a_quota_of_its_own() -> None:
    spot = replace(core(), groups=tuple(replace(one, capacity="spot") for one in core().groups))
    checks = asked(fake(), spot)
    assert quota(checks, "ec2/L-34B43A08").asked == 4
    assert [one for one in checks if one.code == "ec2/L-1216C47A"] == []


def test_every_thing_in_the_way_is_told_at_once() -> None:
    unknown = replace(core(), groups=(replace(core().groups[0], machine_type="m9.huge"),))
    elsewhere = replace(core(), location="regions/west", region="mars-west-1")
    found = [(one.rule, one.message, one.where) for one in asked(fake(), unknown, elsewhere) if one.is_ok is False]
    assert found == [
        (
            "engine",
            "the engine `pulumi` is missing (looked on PATH and for /nowhere/leptonctl/engine/bin/pulumi)",
            None,
        ),
        ("aws_machine_type", "machine type m9.huge is not offered in eu-central-1", "core"),
        ("aws_region", "region mars-west-1 is not one of this account's", None),
    ]


def test_a_zone_that_the_account_does_not_have_is_told_with_those_that_it_has() -> None:
    network = replace(core().network, zones=("eu-central-1a", "eu-central-1z"))
    found = [one for one in asked(fake(), replace(core(), network=network)) if one.rule == "aws_zone"]
    assert [(one.message, one.is_ok) for one in found] == [
        ("zone eu-central-1z is not one of this account's in eu-central-1", False)
    ]
    assert (found[0].hint or "").startswith("write some of eu-central-1a, eu-central-1b, eu-central-1c")


def test_an_image_that_is_not_there_is_told() -> None:
    group = core().groups[0]
    nothing = replace(group, image=replace(group.image, name="no-such-image-*", image_id=None))
    assert told(asked(fake(), replace(core(), groups=(nothing,))), is_ok=False) == [
        "no machine image fits 136693071363/no-such-image-*/x86_64 in eu-central-1"
    ]


def test_what_may_not_be_asked_is_unknown_and_stops_nothing() -> None:
    refused = ("get_service_quota", "simulate_principal_policy", "describe_instance_type_offerings")
    checks = asked(fake(refused=refused))
    assert told(checks, is_ok=False) == []
    unknown = told(checks, is_ok=None)
    assert unknown[0] == (
        "eu-central-1: machine types could not be asked: AWS denied ec2 describe_instance_type_offerings"
    )
    assert unknown[1] == (
        "eu-central-1: Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances: 4 vCPU asked; what is left "
        "could not be asked: AWS denied service-quotas get_service_quota"
    )
    assert unknown[-1].startswith("whether you may do the ")


def test_actions_that_are_denied_are_named() -> None:
    checks = asked(fake(denied=("ec2:RunInstances", "ec2:CreateVpc")))
    found = [one for one in checks if one.rule == "aws_permissions"]
    assert [(one.is_ok, one.hint) for one in found] == [
        (False, "`leptonctl permissions SITE` prints the policy to ask for")
    ]
    assert found[0].message.endswith("actions that are needed: ec2:CreateVpc, ec2:RunInstances")


def test_missing_credentials_are_one_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert told(asked(AwsCloud), is_ok=False) == [
        "AWS cannot be asked, there are no usable credentials: Unable to locate credentials"
    ]


def test_the_limits_of_networks_come_from_the_service_itself() -> None:
    # Of the service moto knows the quotas of VPC only: 5 networks.
    check = quota_checks(AwsCloud("eu-central-1"), (Demand(NETWORKS, 5),), own_tags("thin", frozenset({"core"})))[0]
    assert (check.limit, check.used, check.is_ok) == (5, 1, False)
