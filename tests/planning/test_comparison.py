"""Plan, state and cloud as tables: what is said of each way in which they can differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.planning.comparison import (
    DELETED,
    LEFT,
    NEW,
    SECRET,
    UNKNOWN,
    Previewed,
    Recorded,
    Thing,
    presence,
    properties,
)
from leptonctl.planning.observed import Disagreement
from leptonctl.planning.plan import Action

if TYPE_CHECKING:
    from leptonctl.planning.desired import ResourceKind

BEHIND = "(changed behind our back)"
BOX = Thing("host", "core/box-1")


def thing(id_: str) -> Thing:
    return replace(BOX, id=id_)


@pytest.mark.parametrize(
    ("planned", "recorded", "found", "said"),
    [
        pytest.param([BOX], [thing("i-1")], [thing("i-1")], [], id="all agree"),
        pytest.param([BOX], [], [], [], id="new in the plan"),
        pytest.param([BOX], [thing("i-1")], [], [(Action.CREATE, DELETED)], id="not on AWS"),
        pytest.param([], [thing("i-1")], [thing("i-1")], [(Action.DELETE, LEFT)], id="left the site file"),
        pytest.param([], [thing("i-1")], [], [], id="only in the state: nothing is to be done"),
        pytest.param(
            [BOX], [], [thing("i-1")], [(Action.UPDATE, "on AWS (i-1) and not in the state")], id="not in the state"
        ),
        pytest.param(
            [BOX], None, [thing("i-1")], [(Action.UPDATE, "on AWS (i-1) and not in the state")], id="no state at all"
        ),
        pytest.param(
            [BOX],
            [thing("i-1")],
            [thing("i-1"), thing("i-2")],
            [(Action.UPDATE, "on AWS (i-2) and not in the state")],
            id="there twice",
        ),
        pytest.param(
            [BOX],
            [thing("i-1")],
            [thing("i-2")],
            [(Action.UPDATE, "on AWS (i-2) and not in the state")],
            id="another one in its place",
        ),
    ],
)
def test_what_is_only_in_some_of_the_three_is_said_with_which(
    planned: list[Thing], recorded: list[Thing] | None, found: list[Thing], said: list[tuple[Action, str]]
) -> None:
    assert presence(planned, recorded, found) == tuple(Disagreement("host", "core/box-1", *one) for one in said)


def recorded(type_: str, name: str, *, needs: tuple[str, ...] = (), **inputs: object) -> Recorded:
    return Recorded(f"urn::{name}", type_, name, f"id-{name}", "network", "core", inputs, needs)


def previewed(type_: str, name: str, action: Action, **more: Any) -> Previewed:
    kind: ResourceKind = "network"
    return Previewed(f"urn::{name}", type_, name, kind, "core", action, **more)


def texts(state: list[Recorded], steps: list[Previewed]) -> list[tuple[Action, str]]:
    return [(one.action, one.text) for one in properties(state, steps)]


@pytest.mark.parametrize(
    ("last", "found", "said"),
    [
        (10, 20, "size is 20 on AWS, 10 in the plan and in the state (changed behind our back)"),
        (20, 20, "size is 10 in the plan, 20 in the state and on AWS (the site file changed)"),
        (5, 20, "size is 10 in the plan, 5 in the state, 20 on AWS"),
        (10, None, "size is nothing on AWS, 10 in the plan and in the state (changed behind our back)"),
        (10, UNKNOWN, None),
        (10, SECRET, "size differs (it is secret)"),
    ],
)
def test_a_property_is_told_with_its_value_in_each_of_the_three(last: int, found: object, said: str | None) -> None:
    step = previewed("Volume", "data", Action.UPDATE, names=("size",), planned={"size": 10}, found={"size": found})
    expected = [(Action.UPDATE, said)] if said else []
    assert texts([recorded("Volume", "data", size=last)], [step]) == expected


def test_of_a_nested_property_only_the_parts_that_differ_are_told() -> None:
    wanted = {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}}
    found = {"metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 1}}
    step = previewed("Instance", "box", Action.UPDATE, names=("metadataOptions",), planned=wanted, found=found)
    state = recorded("Instance", "box", metadataOptions=wanted["metadataOptions"])
    assert texts([state], [step]) == [
        (
            Action.UPDATE,
            "metadataOptions.httpTokens is optional on AWS, required in the plan and in the state " + BEHIND,
        )
    ]


def test_a_part_of_a_thing_is_named_and_only_changes_the_thing() -> None:
    assert texts([recorded("Route", "out")], [previewed("Route", "out", Action.CREATE)]) == [
        (Action.UPDATE, f"Route out: {DELETED}")
    ]
    assert texts([], [previewed("Route", "out", Action.CREATE)]) == [(Action.UPDATE, f"Route out: {NEW}")]
    assert texts([recorded("Route", "out")], [previewed("Route", "out", Action.DELETE)]) == [
        (Action.UPDATE, f"Route out: {LEFT}")
    ]


def test_what_only_follows_from_something_else_is_left_out() -> None:
    state = [
        recorded("Instance", "box"),
        recorded("VolumeAttachment", "data", needs=("urn::box",)),
        recorded("Record", "name", needs=("urn::box",)),
    ]
    record = previewed("Record", "name", Action.UPDATE, names=("records",), planned={"records": [UNKNOWN]},
                       found={"records": ["10.0.0.4"]})  # fmt: skip
    steps = [
        previewed("Instance", "box", Action.CREATE), previewed("VolumeAttachment", "data", Action.CREATE), record
    ]  # fmt: skip
    assert texts(state, steps) == [(Action.CREATE, DELETED)]
