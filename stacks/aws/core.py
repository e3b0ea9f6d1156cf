"""The core on AWS: training, storage, control. It stands on no other location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.aws.location import LocationStack

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs, LocationSecrets


def program(args: LocationArgs, secrets: LocationSecrets) -> None:
    """Make the core and export the fields of `LocationOutputs`."""
    stack = LocationStack(args, secrets)
    stack.export()
