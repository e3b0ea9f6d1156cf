"""What a stack's last run did not come to, as its state says: it was cut off, or something of the plan was never made.

Machines, volumes and networks are seen in AWS itself. A route, a rule or an attachment between them is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.comparison import MAIN_TYPES
from leptonctl.platforms.aws_state import outputs_of
from leptonctl.platforms.pulumi_pending import pending_operations

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs
    from leptonctl.platforms.pulumi_state import Deployment

_SHOWN = 3


def left_undone(state: Deployment, args: LocationArgs) -> tuple[str, ...]:
    """The reasons, in words, for which the location is not in order; () where its last run came to its end.

    What an edit of the site file adds is no such reason: it is told as the edit that it is.
    """
    cut_off = tuple(dict.fromkeys(one.name for one in pending_operations(state)))
    found = [f"the last run was cut off at {_some(cut_off)}"] if cut_off else []
    outputs = outputs_of(state)
    if outputs is None or outputs.section == args.section:
        there = {(one["type"], one["urn"].rpartition("::")[2]) for one in state["deployment"].get("resources") or ()}
        planned = planned_resources(args)
        absent = [one for one in planned if (one.type, one.name) not in there and one.name not in cut_off]
        # A host, volume or store that is not there is told by itself, and with it all that belongs to it.
        told = {(one.role, one.address) for one in absent if one.type.rpartition(":")[2] in MAIN_TYPES}
        missing = tuple(
            f"{one.type.rpartition(':')[2]} {one.name}" for one in absent if (one.role, one.address) not in told
        )
        found += [f"not made yet: {_some(missing)}"] if missing else []
    if outputs is None and not found:
        found.append("the last run did not come to its end")
    return tuple(found)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
