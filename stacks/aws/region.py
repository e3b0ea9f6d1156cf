"""A region on AWS: it serves, and its network is peered with the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.aws.location import LocationStack

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs, LocationSecrets


def program(args: LocationArgs, secrets: LocationSecrets) -> None:
    """Make the region and export the fields of `LocationOutputs`."""
    stack = LocationStack(args, secrets)
    stack.peer()
    stack.export()
