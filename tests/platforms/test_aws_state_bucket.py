"""The bucket of the states, as moto plays it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from leptonctl.errors import ExitCode, PlatformFailed, PreflightFailed, Refused
from leptonctl.platforms.aws_bucket import BucketStore
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_state_bucket import StateBucket
from tests.moto_account import make_bucket

pytestmark = pytest.mark.usefixtures("ec2")
REGION = "eu-central-1"
BUCKET = "example-state"
ALL_DONE = (
    "made the bucket example-state in eu-central-1",
    "blocked public access",
    "switched versions on",
    "set encryption with keys of S3",
    "set a policy that refuses everything but TLS",
    "set that old versions go after 90 days",
    "tagged it",
)


def s3() -> Any:
    return boto3.client("s3", region_name=REGION)


def made(region: str = REGION) -> None:
    make_bucket(BUCKET, region)


def bucket(kms_key: str | None = None) -> StateBucket:
    return StateBucket(BucketStore(AwsCloud(REGION), BUCKET, "vision/"), owner="ops, 24/7!", kms_key=kms_key)


def test_a_bucket_is_made_closed_versioned_and_encrypted_and_a_second_time_there_is_nothing_to_do() -> None:
    assert bucket().make() == ALL_DONE
    client = s3()
    closed = client.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert all(closed.values())
    assert client.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rules = client.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    statement = json.loads(client.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"][0]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert statement["Resource"] == ["arn:aws:s3:::example-state", "arn:aws:s3:::example-state/*"]
    rule = client.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    tags = {one["Key"]: one["Value"] for one in client.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    # No site's mark is on it: `down` of a site would count it as left behind.
    assert tags == {"leptonctl:managed-by": "leptonctl", "leptonctl:owner": "ops_ 24/7_"}
    assert bucket().make() == ()


def test_a_bucket_with_a_kms_key_is_encrypted_with_it() -> None:
    key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
    assert f"set encryption with {key}" in bucket(key).make()
    rule = s3().get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    assert bucket(key).make() == ()


def test_a_key_that_is_not_there_stops_it_before_anything_is_made() -> None:
    with pytest.raises(PreflightFailed) as caught:
        bucket("alias/nothing").make()
    assert caught.value.message == "there is no KMS key alias/nothing in eu-central-1"
    assert s3().list_buckets()["Buckets"] == []


def test_what_others_have_set_on_a_bucket_stays() -> None:
    made()
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl", "Resource": "*"}
    s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    s3().put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "cost", "Value": "42"}]})
    assert bucket().make() == ALL_DONE[1:]
    statements = json.loads(s3().get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [one["Sid"] for one in statements] == ["Theirs", "LeptonctlTlsOnly"]
    tags = {one["Key"]: one["Value"] for one in s3().get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags["cost"] == "42"


def test_a_bucket_that_is_open_to_the_public_is_refused_and_left_as_it_is() -> None:
    made()
    s3().put_bucket_acl(Bucket=BUCKET, ACL="public-read")
    with pytest.raises(Refused) as caught:
        bucket().make()
    assert caught.value.exit_code == ExitCode.REFUSED
    assert caught.value.message == (
        "the bucket example-state is open to the public (its access list): it may hold what others read"
    )
    assert "Status" not in s3().get_bucket_versioning(Bucket=BUCKET)


def test_a_bucket_in_another_region_is_refused() -> None:
    made("eu-west-1")
    with pytest.raises(Refused) as caught:
        bucket().make()
    assert caught.value.message == "the bucket example-state is in eu-west-1, and the site file says eu-central-1"


class OwnedCloud(AwsCloud):
    """AWS as moto plays it, whose buckets all belong to one account: moto does not read ExpectedBucketOwner."""

    OWNER = "999999999999"

    def call(self, service: str, operation: str, **arguments: object) -> Any:
        if arguments.get("ExpectedBucketOwner", self.OWNER) != self.OWNER:
            denied = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, operation)
            raise PlatformFailed("denied") from denied
        return super().call(service, operation, **arguments)


def test_a_bucket_of_another_account_is_refused_and_left_as_it_is() -> None:
    made()
    store = BucketStore(OwnedCloud(REGION), BUCKET, "vision/")
    for call in (StateBucket(store, owner="ops", kms_key=None).make, lambda: store.read("a"), lambda: store.listed("")):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.exit_code == ExitCode.REFUSED
        assert caught.value.message == "the state's bucket example-state does not belong to account 123456789012"
        assert caught.value.hint == (
            "write its owner as `state.account` if that is meant, or name another bucket in `state.url`"
        )
    assert "Status" not in s3().get_bucket_versioning(Bucket=BUCKET)
    named = BucketStore(OwnedCloud(REGION), BUCKET, "vision/", account=OwnedCloud.OWNER)
    assert named.listed("") == ()


def test_a_bucket_that_denies_every_look_is_not_taken_for_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = boto3.client("sts", region_name=REGION)
    other = sts.assume_role(RoleArn="arn:aws:iam::999999999999:role/x", RoleSessionName="tests")["Credentials"]
    client = boto3.client(
        "s3",
        region_name=REGION,
        aws_access_key_id=other["AccessKeyId"],
        aws_secret_access_key=other["SecretAccessKey"],
        aws_session_token=other["SessionToken"],
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    monkeypatch.setenv("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")
    with pytest.raises(Refused) as caught:
        bucket().make()
    assert caught.value.message == (
        "the state's bucket example-state is not shown to belong to account 123456789012: AWS denied every look"
    )
    assert caught.value.hint == "it belongs to another account, or the credentials lack the permission s3:ListBucket"
