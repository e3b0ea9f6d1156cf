"""AWS's lists are some seconds behind what it has done: what was just made is waited for until they show it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.planning.aws_types import LocationOutputs
    from leptonctl.planning.observed import ObservedLocation

SEEN_LIMIT_S = 60.0
_PAUSE_S = 1.0


def wait_until_seen(
    location: str, made: LocationOutputs | None, observe: Callable[[], ObservedLocation | None]
) -> ObservedLocation:
    """The location as `observe` gives it once it has the network and every host that the stack has made.

    Raises `PlatformFailed` where that is not so after a minute.
    """
    deadline = time.monotonic() + SEEN_LIMIT_S
    wanted = {("network", location), *(("host", host) for host in (made.hosts if made else ()))}
    while True:
        found = observe()
        missing = wanted - {(one.kind, one.address) for one in (found.resources if found else ())}
        if found is not None and not missing:
            return found
        if time.monotonic() >= deadline:
            names = ", ".join(sorted(f"{kind} {name}" for kind, name in missing))
            raise PlatformFailed(
                f"{location}: {SEEN_LIMIT_S:g} s after it was made, AWS does not list {names}",
                hint="`leptonctl drift` shows whether that has changed; `leptonctl up` goes on from here",
            )
        time.sleep(_PAUSE_S)
