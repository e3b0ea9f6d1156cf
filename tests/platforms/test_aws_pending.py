"""What an interrupted run left half-done is settled: found in the cloud as moto plays it, or made again."""

from __future__ import annotations

from typing import Any

import pytest

from leptonctl.errors import Refused
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_pending import settle
from leptonctl.progress import Progress, silent
from tests.platforms.marks import REGION, start, tags


def pending(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    resource = {"urn": f"urn:pulumi:core::thin::{type_}::{name}", "custom": True, "type": type_, "inputs": inputs}
    operations = [{"resource": resource, "type": "creating"}]
    return {"version": 3, "deployment": {"resources": [], "pending_operations": operations}}


def test_what_an_interrupted_creation_made_is_found_by_its_mark(ec2: Any) -> None:
    marks = tags("host", "core/box-1", host_key="ssh-ed25519 AAAA")
    made = start(ec2, marks)
    start(ec2, tags("host", "core/box-2"))
    told: list[Progress] = []
    state = pending("aws:ec2/instance:Instance", "box-1", {"tags": marks})
    settled = settle(state, AwsCloud(REGION), "core", told.append)
    assert settled is not None
    assert [one["id"] for one in settled["deployment"]["resources"]] == [made]
    assert [one.message for one in told] == [f"creating box-1 was interrupted: {made} was found and is adopted"]


def test_what_was_not_made_yet_is_forgotten(ec2: Any) -> None:
    state = pending("aws:s3/bucket:Bucket", "models-bucket", {"bucket": "models-bucket-1"})
    settled = settle(state, AwsCloud(REGION), "core", silent)
    assert settled is not None
    assert settled["deployment"]["resources"] == []
    assert ec2


def test_a_mark_that_is_found_twice_is_left_to_the_operator(ec2: Any) -> None:
    marks = tags("host", "core/box-1")
    both = sorted((start(ec2, marks), start(ec2, marks)))
    with pytest.raises(Refused) as caught:
        settle(pending("aws:ec2/instance:Instance", "box-1", {"tags": marks}), AwsCloud(REGION), "core", silent)
    assert caught.value.message.startswith("core: box-1 was interrupted, and 2 things carry its mark: ")
    assert all(one in caught.value.message for one in both)


def test_a_state_without_pending_operations_is_left_alone() -> None:
    assert settle({"version": 3, "deployment": {"resources": []}}, AwsCloud(REGION), "core", silent) is None
