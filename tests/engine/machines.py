"""What came of a location of the AWS suite: is it as planned, and which machines run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3

from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from tests.engine.sites import core_of

if TYPE_CHECKING:
    from leptonctl.planning.observed import ObservedLocation
    from leptonctl.session import Session

REGION = "eu-central-1"
EACH_ONCE = Counter({"core/box-1": 1, "core/box-2": 1})
"""The machines of the site `thin`."""


def is_as_planned(session: Session, found: ObservedLocation | None) -> bool:
    """Whether there is nothing to change in the core."""
    return {change.action for change in resource_changes(core_of(session), found)} == {Action.KEEP}


def machines() -> Counter[str]:
    """How many machines of each address run."""
    ec2: Any = boto3.client("ec2", region_name=REGION)
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    return Counter(
        tag["Value"]
        for group in ec2.describe_instances(Filters=running)["Reservations"]
        for one in group["Instances"]
        for tag in one["Tags"]
        if tag["Key"] == "leptonctl:address"
    )
