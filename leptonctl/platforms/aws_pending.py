"""Operations that were begun and whose end nobody knows: what they made is looked for in the cloud, and adopted.

The engine itself would make such things a second time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leptonctl.errors import Refused
from leptonctl.planning import aws_tags
from leptonctl.platforms.aws_adopting import FINDERS, marks_of
from leptonctl.platforms.pulumi_pending import pending_operations, with_adopted
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.pulumi_pending import PendingOperation
    from leptonctl.platforms.pulumi_state import Deployment
    from leptonctl.progress import Report


LISTED_WITHIN_S = 300
"""After how long AWS surely lists what was made: docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html."""
_PAUSE_S = 5


@dataclass(frozen=True, slots=True)
class Look:
    """How it is looked for: since when nothing more can have been asked of AWS, the time, and how a pause is made."""

    since: datetime | None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep

    @property
    def left_s(self) -> float:
        """For how long AWS may still not list what was made."""
        return 0 if self.since is None else LISTED_WITHIN_S - (self.now() - self.since).total_seconds()


def settle(state: Deployment, cloud: AwsCloud, location: str, look: Look, report: Report) -> Deployment | None:
    """The state with its pending operations settled; None where there are none.

    What was made is adopted, what was not is forgotten. Changes and deletions that were begun are forgotten too: the
    cloud is read again before anything else is done. As long as AWS may not list yet what was made, what is missing is
    looked for again. Raises `Refused` where a mark is found more than once.
    """
    pending = pending_operations(state)
    if not pending:
        return None
    for operation in pending:
        if operation.kind != "creating":
            _say(report, location, f"{operation.kind} {operation.name} was interrupted: it is read again")
    found = _found(tuple(one for one in pending if one.kind == "creating"), cloud, location, look, report)
    return with_adopted(state, found)


def _found(
    creating: tuple[PendingOperation, ...], cloud: AwsCloud, location: str, look: Look, report: Report
) -> dict[str, str]:
    """What was made, by URN; each is told once."""
    found: dict[str, str] = {}
    missing, is_told = creating, False
    while missing:
        for operation in missing:
            made = _made(operation, cloud, location)
            if made is not None:
                _say(report, location, f"creating {operation.name} was interrupted: {made} was found and is adopted")
                found[operation.urn] = made
        missing = tuple(one for one in missing if one.urn not in found)
        late, left_s = [one.name for one in missing if one.type in FINDERS], look.left_s
        if not late or left_s <= 0:
            break
        if not is_told:
            message = f"AWS may not list yet what the last run made: looks again, for up to {left_s:.0f} s, for "
            _say(report, location, message + ", ".join(late))
            is_told = True
        look.pause(min(_PAUSE_S, left_s))
    for operation in missing:
        _say(report, location, f"creating {operation.name} was interrupted before it was there: it is made now")
    return found


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
