from __future__ import annotations

import re
from pathlib import Path

import pytest

import leptonctl.platforms
from leptonctl.planning.aws_state_permissions import OF_BUCKET, OF_KEY, OF_OBJECTS, state_statements
from leptonctl.sitefile.state import State

PLATFORMS = Path(leptonctl.platforms.__file__).parent
# Where the name of the permission is not that of the call.
ASKED_FOR = {
    "get_bucket_encryption": "s3:GetEncryptionConfiguration",
    "get_bucket_lifecycle_configuration": "s3:GetLifecycleConfiguration",
    "get_public_access_block": "s3:GetBucketPublicAccessBlock",
    "head_bucket": "s3:ListBucket",
    "list_objects_v2": "s3:ListBucket",
    "put_bucket_encryption": "s3:PutEncryptionConfiguration",
    "put_bucket_lifecycle_configuration": "s3:PutLifecycleConfiguration",
    "put_public_access_block": "s3:PutBucketPublicAccessBlock",
}
BUCKET = "arn:aws:s3:::example-state"


def called(name: str, service: str) -> set[str]:
    """The permissions that the calls in a module of the platforms need."""
    text = (PLATFORMS / name).read_text()
    calls = re.findall(r'"((?:get|put|head|list|create|delete|encrypt|decrypt|describe)(?:_[a-z0-9]+)*)"', text)
    camel = {one: f"{service}:" + "".join(word.capitalize() for word in one.split("_")) for one in calls}
    return {ASKED_FOR.get(one, named) for one, named in camel.items()}


def test_every_call_on_bucket_and_key_is_allowed() -> None:
    in_bucket = called("aws_bucket.py", "s3") | called("aws_state_bucket.py", "s3")
    key_calls = {"s3:DescribeKey"}
    assert in_bucket - key_calls - {*OF_BUCKET, *OF_OBJECTS} == set()
    assert called("key_sealing.py", "kms") - set(OF_KEY) == set()
    assert len(in_bucket) > len(key_calls) + len(OF_OBJECTS)


def test_states_in_files_need_nothing() -> None:
    assert state_statements(State()) == []


def test_only_the_named_bucket_and_what_lies_below_the_prefix_are_allowed() -> None:
    state = State(url="s3://example-state/vision", region="eu-central-1")
    assert [(one["Sid"], one["Resource"]) for one in state_statements(state)] == [
        ("StateBucket", BUCKET),
        ("StateObjects", f"{BUCKET}/vision/*"),
    ]
    whole = State(url="s3://example-state", region="cn-north-1")
    assert [one["Resource"] for one in state_statements(whole)] == [
        "arn:aws-cn:s3:::example-state",
        "arn:aws-cn:s3:::example-state/*",
    ]


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("alias/leptonctl-state", "arn:aws:kms:eu-central-1:*:key/*", "alias/leptonctl-state"),
        ("1234abcd-12ab", "arn:aws:kms:eu-central-1:*:key/1234abcd-12ab", None),
        ("arn:aws:kms:eu-west-1:123456789012:key/mrk-1", "arn:aws:kms:eu-west-1:123456789012:key/mrk-1", None),
        ("arn:aws:kms:eu-west-1:123456789012:alias/ours", "arn:aws:kms:eu-west-1:123456789012:key/*", "alias/ours"),
    ],
)
def test_a_key_is_allowed_by_its_name_and_an_alias_by_a_condition(key: str, resource: str, alias: str | None) -> None:
    (statement,) = state_statements(State(kms_key=key, region="eu-central-1"))
    condition = {} if alias is None else {"Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}}
    assert statement == {
        "Sid": "StateKey",
        "Effect": "Allow",
        "Action": list(OF_KEY),
        "Resource": resource,
        **condition,
    }
