"""Operations that were begun and whose end nobody knows: what they made is looked for in the cloud, and adopted.

The engine itself would make such things a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import Refused
from leptonctl.planning import aws_tags
from leptonctl.platforms.aws_adopting import FINDERS, marks_of
from leptonctl.platforms.pulumi_pending import pending_operations, with_adopted
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.pulumi_pending import PendingOperation
    from leptonctl.platforms.pulumi_state import Deployment
    from leptonctl.progress import Report


def settle(state: Deployment, cloud: AwsCloud, location: str, report: Report) -> Deployment | None:
    """The state with its pending operations settled; None where there are none.

    What was made is adopted, what was not is forgotten. Changes and deletions that were begun are forgotten too: the
    cloud is read again before anything else is done. Raises `Refused` where a mark is found more than once.
    """
    pending = pending_operations(state)
    if not pending:
        return None
    found: dict[str, str] = {}
    for operation in pending:
        if operation.kind != "creating":
            _say(report, location, f"{operation.kind} {operation.name} was interrupted: it is read again")
            continue
        made = _made(operation, cloud, location)
        if made is None:
            _say(report, location, f"creating {operation.name} was interrupted before it was there: it is made now")
        else:
            _say(report, location, f"creating {operation.name} was interrupted: {made} was found and is adopted")
            found[operation.urn] = made
    return with_adopted(state, found)


def _made(operation: PendingOperation, cloud: AwsCloud, location: str) -> str | None:
    """The id of what an interrupted creation made; None where there is nothing, or where it may be made again."""
    find = FINDERS.get(operation.type)
    if find is None:
        return None
    # A route of the network that this one is peered with is made in that one's region.
    there = find(cloud.at(operation.inputs.get("region") or cloud.region), operation.inputs)
    if len(there) > 1:
        address = marks_of(operation.inputs).get(aws_tags.ADDRESS)
        raise Refused(
            f"{location}: {operation.name} was interrupted, and {len(there)} things carry its mark: {', '.join(there)}",
            hint=f"remove those that are not wanted (their {aws_tags.ADDRESS} is {address}), then run this again",
        )
    return there[0] if there else None


def _say(report: Report, location: str, message: str) -> None:
    report(Progress("platform", "warning", location, message))
