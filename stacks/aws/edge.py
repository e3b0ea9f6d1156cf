"""An edge on AWS: close to the data; its network is peered with its region's and the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.aws.location import LocationStack

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs, LocationSecrets


def program(args: LocationArgs, secrets: LocationSecrets) -> None:
    """Make the edge and export the fields of `LocationOutputs`."""
    stack = LocationStack(args, secrets)
    stack.peer()
    stack.export()
