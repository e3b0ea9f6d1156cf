"""AWS as moto plays it, in this process."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, NoCredentialsError

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.planning.observed import Endpoint
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_listing import Found
from leptonctl.platforms.aws_look import leftover, observed_location
from leptonctl.platforms.aws_region import look_at
from leptonctl.platforms.aws_sweep import marked, without_region
from tests.platforms.marks import REGION, specified, start, tags

if TYPE_CHECKING:
    from pathlib import Path


def test_a_location_is_observed_by_its_tags_alone(ec2: Any, tmp_path: Path) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=specified("vpc", tags("network", "core")))
    mine = start(ec2, tags("host", "core/box-1", host_key="ssh-ed25519 AAAA"))
    start(ec2, tags("host", "core/box-1", site="other"))
    gone = start(ec2, tags("host", "core/box-2"))
    ec2.terminate_instances(InstanceIds=[gone])
    found = look_at(AwsCloud(REGION), "thin", "core").found
    there = observed_location("core", found, key=tmp_path)
    assert there is not None
    assert [(one.kind, one.address, one.id, one.status) for one in there.resources] == [
        ("network", "core", vpc["Vpc"]["VpcId"], "available"),
        ("host", "core/box-1", mine, "running"),
    ]
    assert there.resources[0].properties["cidr"] == "10.1.0.0/16"
    assert there.endpoints["core/box-1"].host_keys == ("ssh-ed25519 AAAA",)
    assert observed_location("core", (), key=tmp_path) is None


def test_a_host_without_a_public_address_is_reached_through_one_that_has_it_with_both_keys_pinned(
    tmp_path: Path,
) -> None:
    launched = datetime(2026, 1, 1, tzinfo=UTC)
    gate = {"PublicIpAddress": "203.0.113.7", "PrivateIpAddress": "10.1.0.4", "LaunchTime": launched}
    box = {"PrivateIpAddress": "10.1.0.5", "LaunchTime": launched}
    there = observed_location(
        "core",
        [
            Found("instance", f"i-{name}", REGION, "running", tags("host", f"core/{name}", host_key=key), details)
            for name, key, details in (("box", "ssh-ed25519 BBBB", box), ("gate", "ssh-ed25519 AAAA", gate))
        ],
        key=tmp_path,
    )
    assert there is not None
    assert there.endpoints == {
        "core/box": Endpoint(
            "10.1.0.5",
            key=tmp_path,
            jump="root@203.0.113.7",
            host_keys=("ssh-ed25519 BBBB",),
            jump_host_keys=("ssh-ed25519 AAAA",),
            site_hostname="10.1.0.5",
            started_at=launched,
        ),
        # Other hosts reach it inside the network, where its public address is closed to them.
        "core/gate": Endpoint(
            "203.0.113.7",
            key=tmp_path,
            host_keys=("ssh-ed25519 AAAA",),
            site_hostname="10.1.0.4",
            started_at=launched,
        ),
    }


def test_everything_with_the_mark_is_listed_and_what_is_gone_is_not(ec2: Any) -> None:
    kept = ec2.create_volume(
        AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=specified("volume", tags("volume", "core/data/box-1"))
    )
    gone = start(ec2, tags("host", "core/box-2"))
    ec2.terminate_instances(InstanceIds=[gone])
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="models-1", CreateBucketConfiguration={"LocationConstraint": REGION})
    marks = [{"Key": key, "Value": value} for key, value in tags("store", "core/models").items()]
    s3.put_bucket_tagging(Bucket="models-1", Tagging={"TagSet": marks})
    boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Tags=marks)
    cloud = AwsCloud(REGION)
    found = [leftover(one) for one in (*marked(cloud, "thin"), *without_region(cloud, "thin"))]
    assert [(one.kind, one.address, one.id, one.is_data) for one in found] == [
        ("volume", "core/data/box-1", kept["VolumeId"], True),
        ("store", "core/models", "models-1", True),
        ("store", "core/models role", "r", False),
    ]


def test_what_is_going_is_still_there() -> None:
    one = Found("instance", "i-1", REGION, "shutting-down", tags("host", "core/box-1"))
    assert leftover(one).status == "shutting-down"


def test_the_number_of_list_calls_does_not_depend_on_the_size(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    start(ec2, tags("host", "core/box-1"), count=30)
    calls = Counter[str]()
    make = BaseClient.__dict__["_make_api_call"]

    def count(client: BaseClient, operation: str, arguments: Any) -> Any:
        calls[operation] += 1
        return make(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    assert len(marked(AwsCloud(REGION), "thin")) == 30
    assert max(calls.values()) <= 3


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            "UnauthorizedOperation",
            PlatformFailed,
            "AWS denied ec2 describe_vpcs in eu-central-1 (UnauthorizedOperation)",
        ),
        (
            "RequestLimitExceeded",
            PlatformFailed,
            "AWS failed at ec2 describe_vpcs in eu-central-1: RequestLimitExceeded",
        ),
        (
            "ExpiredToken",
            PreflightFailed,
            "AWS refused the credentials at ec2 describe_vpcs in eu-central-1: ExpiredToken",
        ),
    ],
)
@pytest.mark.usefixtures("ec2")
def test_a_call_that_fails_is_never_an_empty_answer(
    code: str, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeVpcs")

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)
    with pytest.raises(kind) as caught:
        look_at(AwsCloud(REGION), "thin", "core")
    assert str(caught.value).startswith(message)


@pytest.mark.usefixtures("ec2")
def test_missing_credentials_are_told_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)
    with pytest.raises(PreflightFailed) as caught:
        AwsCloud(REGION).identity()
    assert caught.value.hint == (
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` must answer"
    )
