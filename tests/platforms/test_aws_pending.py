"""What an interrupted run left half-done is settled: found in the cloud as moto plays it, or made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.errors import Refused
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_pending import LISTED_WITHIN_S, Look, settle
from leptonctl.progress import Progress, silent
from tests.platforms.marks import REGION, start, tags

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_AGO = Look(None)


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
    settled = settle(state, AwsCloud(REGION), "core", LONG_AGO, told.append)
    assert settled is not None
    assert [one["id"] for one in settled["deployment"]["resources"]] == [made]
    assert [one.message for one in told] == [f"creating box-1 was interrupted: {made} was found and is adopted"]


def test_what_was_not_made_yet_is_forgotten(ec2: Any) -> None:
    state = pending("aws:s3/bucket:Bucket", "models-bucket", {"bucket": "models-bucket-1"})
    settled = settle(state, AwsCloud(REGION), "core", LONG_AGO, silent)
    assert settled is not None
    assert settled["deployment"]["resources"] == []
    assert ec2


def test_a_mark_that_is_found_twice_is_left_to_the_operator(ec2: Any) -> None:
    marks = tags("host", "core/box-1")
    both = sorted((start(ec2, marks), start(ec2, marks)))
    with pytest.raises(Refused) as caught:
        settle(
            pending("aws:ec2/instance:Instance", "box-1", {"tags": marks}), AwsCloud(REGION), "core", LONG_AGO, silent
        )
    assert caught.value.message.startswith("core: box-1 was interrupted, and 2 things carry its mark: ")
    assert all(one in caught.value.message for one in both)


def test_a_state_without_pending_operations_is_left_alone() -> None:
    assert settle({"version": 3, "deployment": {"resources": []}}, AwsCloud(REGION), "core", LONG_AGO, silent) is None


class Waiting:
    """A clock that only goes on while somebody waits, and what happens then."""

    def __init__(self, happens: Callable[[float], None] = lambda _: None) -> None:
        self.waited_s, self._happens = 0.0, happens

    def look(self) -> Look:
        begun = datetime.now(UTC)
        return Look(begun, now=lambda: begun + timedelta(seconds=self.waited_s), pause=self._pause)

    def _pause(self, seconds: float) -> None:
        self.waited_s += seconds
        self._happens(self.waited_s)


def test_what_aws_lists_late_is_waited_for(ec2: Any) -> None:
    marks = tags("host", "core/box-1")
    made: list[str] = []

    def listed(waited_s: float) -> None:
        if waited_s == 60:
            made.append(start(ec2, marks))

    waiting, told = Waiting(listed), list[Progress]()
    state = pending("aws:ec2/instance:Instance", "box-1", {"tags": marks})
    settled = settle(state, AwsCloud(REGION), "core", waiting.look(), told.append)
    assert settled is not None
    assert [one["id"] for one in settled["deployment"]["resources"]] == made
    assert waiting.waited_s == 60
    assert [one.message for one in told] == [
        "AWS may not list yet what the last run made: looks again, for up to 300 s, for box-1",
        f"creating box-1 was interrupted: {made[0]} was found and is adopted",
    ]


def test_what_is_not_listed_after_five_minutes_was_not_made(ec2: Any) -> None:
    assert ec2
    waiting = Waiting()
    state = pending("aws:ec2/vpc:Vpc", "network-vpc", {"tags": tags("network", "core")})
    settled = settle(state, AwsCloud(REGION), "core", waiting.look(), silent)
    assert settled is not None
    assert settled["deployment"]["resources"] == []
    assert waiting.waited_s == LISTED_WITHIN_S


def test_what_may_be_made_again_is_not_waited_for() -> None:
    waiting = Waiting()
    state = pending("aws:iam/rolePolicy:RolePolicy", "box-identity-buckets", {"role": "box"})
    assert settle(state, AwsCloud(REGION), "core", waiting.look(), silent) is not None
    assert waiting.waited_s == 0
