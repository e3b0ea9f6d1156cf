from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from leptonctl.planning.aws_types import PlannedResource
from leptonctl.planning.comparison import UNKNOWN
from leptonctl.planning.plan import Action, Change
from leptonctl.platforms.pulumi_events import Steps, has_unknown
from leptonctl.platforms.pulumi_failures import plain
from leptonctl.progress import Progress, silent

TAGS = {"leptonctl:address": "core/box-1", "leptonctl:kind": "host"}


def metadata(operation: str, type_: str, name: str, **more: Any) -> Any:
    """What the SDK tells of a step, as far as it is read."""
    inputs = more.pop("inputs", {})
    outputs = more.pop("outputs", None)
    urn = f"urn:pulumi:core::thin::{type_}::{name}"
    state = SimpleNamespace(inputs=inputs, outputs=outputs)
    return SimpleNamespace(
        op=operation, type=type_, urn=urn, new=state, old=None, diffs=more.pop("diffs", None), **more
    )


def event(**part: Any) -> Any:
    names = ("resource_pre_event", "res_outputs_event", "res_op_failed_event", "diagnostic_event")
    return SimpleNamespace(**{name: part.get(name) for name in names})


def began(told: Any) -> Any:
    return event(resource_pre_event=SimpleNamespace(metadata=told))


def ended(told: Any) -> Any:
    return event(res_outputs_event=SimpleNamespace(metadata=told))


INSTANCE = "aws:ec2/instance:Instance"


def test_a_thing_of_the_site_is_told_once_from_the_resources_that_it_is_made_of() -> None:
    steps = Steps(
        "core", silent, {("aws:route53/record:Record", "box-1"): PlannedResource("", "", "host", "core/box-1")}
    )
    steps(began(metadata("same", INSTANCE, "box-1", inputs={"tags": TAGS})))
    steps(began(metadata("update", "aws:route53/record:Record", "box-1", diffs=["records"])))
    steps(began(metadata("create", "leptonctl:network:Network", "network")))
    assert steps.changes() == (Change(Action.UPDATE, "host", "core/box-1", "core", ("update Record box-1 (records)",)),)


def test_a_replaced_machine_makes_the_host_replaced() -> None:
    steps = Steps("core", silent)
    for operation in ("create-replacement", "replace", "delete-replaced"):
        steps(began(metadata(operation, INSTANCE, "box-1", inputs={"tags": TAGS}, diffs=["ami"])))
    assert steps.changes() == (Change(Action.REPLACE, "host", "core/box-1", "core", ("replace Instance box-1 (ami)",)),)


def test_a_volume_is_data() -> None:
    steps = Steps("core", silent)
    tags = {"leptonctl:address": "core/data/box-1", "leptonctl:kind": "volume"}
    steps(began(metadata("delete", "aws:ebs/volume:Volume", "data.box-1", inputs={"tags": tags})))
    assert steps.changes() == (Change(Action.DELETE, "volume", "core/data/box-1", "core", is_data=True),)


def test_what_was_only_read_is_kept_where_it_is_the_same_and_told_where_it_is_not() -> None:
    steps = Steps("core", silent)
    for name, came_to in (("box-1", "same"), ("box-2", "update"), ("box-3", "delete")):
        steps(began(metadata("refresh", INSTANCE, name)))
        steps(ended(metadata(came_to, INSTANCE, name, diffs=["tags"] if came_to == "update" else [])))
    assert [(one.name, one.action, one.diffs) for one in steps.steps.values()] == [
        ("box-1", Action.KEEP, ()),
        ("box-2", Action.UPDATE, ("tags",)),
        ("box-3", Action.DELETE, ()),
    ]


def test_what_a_preview_reads_first_is_told_as_the_program_wants_it() -> None:
    steps = Steps("core", silent)
    for operation in ("refresh", "update"):
        steps(began(metadata(operation, INSTANCE, "box-1", diffs=["tags"] if operation == "update" else [])))
        steps(ended(metadata(operation, INSTANCE, "box-1")))
    assert [(one.name, one.action, one.diffs) for one in steps.steps.values()] == [
        ("box-1", Action.UPDATE, ("tags",)),
    ]


def test_outputs_that_are_known_only_later_are_named() -> None:
    steps = Steps("core", silent)
    outputs = {"cidr": "10.0.0.0/16", "vpc_id": UNKNOWN, "hosts": {"core/box-1": {"private_ip": UNKNOWN}}}
    steps(ended(metadata("create", "pulumi:pulumi:Stack", "thin-core", outputs=outputs)))
    assert steps.unknown_outputs == ("hosts", "vpc_id")
    assert has_unknown([{"a": UNKNOWN}])
    assert not has_unknown({"a": ["b", 1, None]})


def test_progress_is_a_line_a_resource_with_its_time_and_the_slow_ones_are_kept() -> None:
    clock = iter([0.0, 61.5, 100.0, 100.2])
    told: list[Progress] = []
    steps = Steps("core", told.append, now=lambda: next(clock))
    for name in ("slow", "quick"):
        steps(began(metadata("create", INSTANCE, name)))
        steps(ended(metadata("create", INSTANCE, name)))
    assert [(one.state, one.address, one.message) for one in told] == [
        ("step", "core", "Instance slow created in 61.5 s"),
        ("step", "core", "Instance quick created in 0.2 s"),
    ]
    assert steps.slowest == (("slow", 61.5),)


def test_errors_are_kept_on_one_line_without_colour_and_traceback() -> None:
    steps = Steps("core", silent)
    message = "<{%reset%}>creating box-1:\n  no capacity<{%reset%}>\n"
    urn = f"urn:pulumi:core::thin::{INSTANCE}::box-1"
    steps(event(diagnostic_event=SimpleNamespace(severity="error", message=message, urn=urn)))
    assert steps.errors == [("box-1", "creating box-1: no capacity")]
    assert plain("it broke\nTraceback (most recent call last):\n  File x") == "it broke"
