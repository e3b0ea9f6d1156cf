"""Rules on capacity: how many machines a scaling group has, and what may be bought and taken instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.aws import architecture_of, zone_count
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_machine_type
from leptonctl.sitefile.rules.parts import groups
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.aws_model import Aws, AwsGroup, Scaling
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import NodeGroup, Site


def check_capacity(site: Site) -> Iterator[Finding]:
    """Every node group on AWS."""
    for path, location, _, group in groups(site):
        if location.platform != "aws" or location.aws is None:
            continue
        if group.scaling is not None:
            yield from _check_scaling(group.scaling, (*path, "scaling"))
        yield from _check_fallback_types(group, (*path, "aws", "fallback_types"))
        yield from _check_reservation(group.aws, location.aws, (*path, "aws"))


def _check_scaling(scaling: Scaling, place: Path) -> Iterator[Finding]:
    if scaling.min > scaling.max:
        message = f"min {scaling.min} is more than max {scaling.max}"
        yield Finding("bad-scaling", (*place, "min"), message, "write them in this order: min, desired, max")
    elif scaling.desired is not None and not scaling.min <= scaling.desired <= scaling.max:
        message = f"desired {scaling.desired} is not from min {scaling.min} to max {scaling.max}"
        yield Finding("bad-scaling", (*place, "desired"), message, "write one in between, or leave it out")


def _check_fallback_types(group: NodeGroup, place: Path) -> Iterator[Finding]:
    first = group.machine.type or ""
    for index, machine_type in enumerate(group.aws.fallback_types):
        where = (*place, index)
        if not is_machine_type(machine_type):
            message = f"{quoted(machine_type)} is not a machine type"
            yield Finding("bad-value", where, message, "write one such as g6.xlarge")
        elif machine_type in (first, *group.aws.fallback_types[:index]):
            message = f"the machine type {quoted(machine_type)} is named twice"
            yield Finding("bad-value", where, message, "remove one of the two")
        elif is_machine_type(first) and architecture_of(machine_type) != architecture_of(first):
            message = (
                f"{machine_type} is {architecture_of(machine_type)} and {first} is {architecture_of(first)}: "
                "the group's machines start from one image"
            )
            yield Finding("cannot-combine", where, message, "name types of one architecture")


def _check_reservation(own: AwsGroup, aws: Aws, place: Path) -> Iterator[Finding]:
    if own.reservation is not None and own.capacity == "spot":
        message = "spot machines are not taken from a reservation"
        yield Finding("cannot-combine", (*place, "reservation"), message, "remove one of the two", at="key")
    elif own.reservation is not None and own.fallback_types:
        message = "a reservation is for one machine type"
        hint = "remove `fallback_types`, or the reservation"
        yield Finding("cannot-combine", (*place, "fallback_types"), message, hint, at="key")
    if own.capacity != "block":
        return
    if own.reservation is None:
        message, hint = "a capacity block has to be named", "write its id as `reservation: cr-0123456789abcdef0`"
        yield Finding("missing-reservation", (*place, "capacity"), message, hint, at="key")
    if own.zone is None and zone_count(aws) > 1:
        message, hint = "a capacity block is in one zone", "write the block's `zone`"
        yield Finding("bad-zone", (*place, "capacity"), message, hint, at="key")
