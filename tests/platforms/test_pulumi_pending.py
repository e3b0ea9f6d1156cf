from __future__ import annotations

from typing import Any

import pytest

from leptonctl.platforms.pulumi_pending import pending_operations, with_adopted

URN = "urn:pulumi:core::thin::leptonctl:nodegroup:NodeGroup$aws:ec2/instance:Instance::box-1"


def interrupted(*kinds: str) -> dict[str, Any]:
    """A state with operations that were begun, in the form in which the real engine (3.260) leaves it."""
    resource = {"urn": URN, "custom": True, "type": "aws:ec2/instance:Instance", "inputs": {"ami": "ami-1"}}
    vpc = {"urn": "urn:pulumi:core::thin::aws:ec2/vpc:Vpc::v", "custom": True, "type": "aws:ec2/vpc:Vpc", "id": "vpc-1"}
    pending = [{"resource": resource, "type": kind} for kind in kinds]
    return {"version": 3, "deployment": {"resources": [vpc], "pending_operations": pending}}


def test_what_an_interrupted_creation_made_is_adopted_behind_everything_else() -> None:
    state = interrupted("creating")
    assert [one.name for one in pending_operations(state)] == ["box-1"]
    adopted = with_adopted(state, {URN: "i-1"})
    assert pending_operations(adopted) == ()
    assert [(one["id"], one.get("outputs")) for one in adopted["deployment"]["resources"]] == [
        ("vpc-1", None),
        ("i-1", {"ami": "ami-1"}),
    ]
    assert "pending_operations" in state["deployment"]


@pytest.mark.parametrize("kind", ["updating", "deleting", "creating"])
def test_other_operations_and_what_was_not_found_are_only_forgotten(kind: str) -> None:
    adopted = with_adopted(interrupted(kind), {} if kind == "creating" else {URN: "i-1"})
    assert [one["id"] for one in adopted["deployment"]["resources"]] == ["vpc-1"]
    assert pending_operations(adopted) == ()
