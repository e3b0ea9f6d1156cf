"""Whether a state is what this very program made of these very arguments: then only the cloud can differ from the plan.

After a good end of `up` a fingerprint of all three lies beside the state. It is data for a comparison and never a stamp
that is believed: whatever has touched one of them since, by any hand, the fingerprint made anew is another one.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from leptonctl.assets import asset, digest_of_source
from leptonctl.planning.plan import digest_of

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.pulumi_state import Deployment

_SDKS = ("pulumi", "pulumi-aws", "pulumi-kubernetes")


def fingerprint(args: LocationArgs, state: Deployment) -> str:
    """SHA-256 over the program, its arguments, and the inputs of all that the state has, secrets as they are sealed."""
    resources = [(one["urn"], one.get("id"), one.get("inputs")) for one in state["deployment"].get("resources") or ()]
    unfinished = state["deployment"].get("pending_operations") or ()
    return digest_of([_program(), asdict(args), resources, unfinished])


@cache
def _program() -> str:
    """SHA-256 over the stacks' sources and the versions of the SDKs, whose providers fill in what is left out."""
    return digest_of_source(sorted(asset("stacks").rglob("*.py")), *(f"{name}=={version(name)}" for name in _SDKS))
