"""Wait: a machine that was started a moment ago still boots. It is asked again until it answers or its time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from leptonctl.planning.observed import Reach
from leptonctl.progress import Progress
from leptonctl.session import scope
from leptonctl.stages.looking import look_at_hosts

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from leptonctl.planning.desired import Desired
    from leptonctl.planning.observed import Observed
    from leptonctl.session import Session
    from leptonctl.stages.looking import Looked

BOOT_LIMIT = timedelta(minutes=10)
"""How long a machine may take from its start to its first answer; large GPU machines need most of it."""
_PAUSE_S = 2.0


def wait_for_young_hosts(
    session: Session, looked: Looked, want: Desired, *, secrets: Mapping[str, str], stop: threading.Event
) -> Looked:
    """The look, with the answers of hosts that were still booting when it was taken.

    Only hosts whose platform says when they were started are waited for. Ends early when `stop` is set.
    """
    waited: set[str] = set()
    while booting := booting_hosts(looked.observed, datetime.now(UTC)):
        for address in sorted(set(booting) - waited):
            limit_min = int(BOOT_LIMIT.total_seconds() // 60)
            message = f"waits for its first answer by SSH, up to {limit_min} min from its start"
            session.report(Progress("connect", "started", address, message))
        waited.update(booting)
        if stop.wait(_PAUSE_S):
            return looked
        looked = look_at_hosts(session, looked, scope(want, booting), secrets=secrets)
        for address in sorted(set(booting) - set(booting_hosts(looked.observed, datetime.now(UTC)))):
            look = looked.observed.looks[address]
            is_there = look.reach == Reach.OK
            message = "answers by SSH" if is_there else look.detail
            session.report(Progress("connect", "done" if is_there else "failed", address, message))
    return looked


def booting_hosts(observed: Observed, now: datetime) -> tuple[str, ...]:
    """The hosts that did not answer and are so young that they may only be booting."""
    endpoints = {
        address: endpoint
        for location in observed.locations.values()
        if location is not None
        for address, endpoint in location.endpoints.items()
    }
    return tuple(
        address
        for address, look in observed.looks.items()
        if look.reach == Reach.UNREACHABLE
        and address in endpoints
        and (started := endpoints[address].started_at) is not None
        and now - started < BOOT_LIMIT
    )
