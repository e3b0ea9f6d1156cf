from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.typed_json import to_json
from leptonctl.platforms.aws_undone import left_undone
from tests.stacks.samples import ROOT, ran_of_file

if TYPE_CHECKING:
    from tests.stacks.samples import Ran


def core() -> Ran:
    return ran_of_file(ROOT / "tests" / "engine" / "sites" / "thin.yaml")["core"]


def state(*left_out: str, is_complete: bool = True, section: str | None = None, **more: Any) -> dict[str, Any]:
    """A state with everything of the plan but these names."""
    ran = core()
    outputs = to_json(ran.outputs) | {"section": ran.args.section if section is None else section}
    stack = {"type": "pulumi:pulumi:Stack", "urn": "urn::stack", "outputs": outputs if is_complete else {}}
    resources = [
        {"type": one.type, "urn": f"urn:pulumi:core::thin::{one.type}::{one.name}"}
        for one in planned_resources(ran.args)
        if one.name not in left_out
    ]
    return {"version": 3, "deployment": {"resources": [stack, *resources], **more}}


def pending(name: str) -> dict[str, Any]:
    resource = {"urn": f"urn:pulumi:core::thin::aws:ec2/instance:Instance::{name}", "type": "aws:ec2/instance:Instance"}
    return {"type": "creating", "resource": resource}


def test_a_run_that_came_to_its_end_left_nothing() -> None:
    assert left_undone(state(), core().args) == ()


def test_what_was_never_made_is_named() -> None:
    found = left_undone(state("box-out", "network-public-internet", is_complete=False), core().args)
    assert found == ("not made yet: Route network-public-internet, SecurityGroupEgressRule box-out",)
    many = left_undone(state("box-out", "network-public-internet", "network-private-1", "models-closed"), core().args)
    assert many == (
        (
            "not made yet: Subnet network-private-1, RouteTable network-private-1, "
            "RouteTableAssociation network-private-1 and 3 more"
        ),
    )


def test_a_host_that_is_missing_is_told_by_itself() -> None:
    assert left_undone(state("box-1"), core().args) == ()


def test_what_was_cut_off_is_named_once() -> None:
    found = left_undone(state("box-1", pending_operations=[pending("box-1")]), core().args)
    assert found == ("the last run was cut off at box-1",)


def test_a_run_that_did_not_say_what_it_made_is_not_at_its_end() -> None:
    assert left_undone(state(is_complete=False), core().args) == ("the last run did not come to its end",)


def test_what_an_edit_adds_is_told_as_the_edit() -> None:
    assert left_undone(state("box-2", section="another"), core().args) == ()
