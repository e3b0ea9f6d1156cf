"""The local platform: a location is a podman network, a host a systemd container in it, storage podman volumes.

Labels are the only state. Nothing that lacks this site's labels is ever changed.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms.local_make import make_location
from leptonctl.platforms.local_observe import find, observed_location, resources
from leptonctl.platforms.local_preflight import problems_of
from leptonctl.platforms.local_remove import remove_location
from leptonctl.platforms.one_by_one import look_one_by_one
from leptonctl.platforms.podman import Podman, find_podman

if TYPE_CHECKING:
    from leptonctl.planning.checks import Check
    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.planning.plan import Change
    from leptonctl.platforms.base import Context, PlatformLook
    from leptonctl.progress import Report


class LocalPlatform:
    """Hosts in containers of this machine. `podman` is looked for on PATH when it is first needed."""

    def __init__(self, context: Context, podman: Podman | None = None) -> None:
        self._context = context
        self._found_podman = podman
        self._lock = Lock()

    def preflight(self, locations: tuple[DesiredLocation, ...]) -> tuple[Check, ...]:
        """Raise `PreflightFailed` with every problem that would stop `ensure`; touch nothing."""
        problems = problems_of(self._podman, self._context.site, locations)
        if problems:
            message = problems[0].message if len(problems) == 1 else f"{len(problems)} things are in the way"
            raise PreflightFailed(message, hint=problems[0].hint if len(problems) == 1 else None, problems=problems)
        return ()

    def preview(self, location: DesiredLocation) -> tuple[Change, ...]:
        """What `ensure` would create, change, replace or delete. Nothing is touched."""
        return resource_changes(location, self.observe(location.address))

    def ensure(self, location: DesiredLocation, report: Report) -> ObservedLocation:
        """Make it so: key, image, network, volumes, hosts; hosts that are too many go last. Data is never removed."""
        make_location(self._podman, self._context, location, report)
        there = self.observe(location.address)
        if there is None:
            raise PlatformFailed(f"{location.address}: podman has nothing of it right after it was made")
        return there

    def look(self, locations: tuple[str, ...], *, closely: frozenset[str]) -> PlatformLook:
        """What is there now of these locations, and what has the site's mark besides; every look is as close."""
        del closely
        own = frozenset(one.address for one in self._context.locations if one.platform == "local")
        return look_one_by_one(self, locations, own=own)

    def observe(self, location: str) -> ObservedLocation | None:
        """What is there now, asked from podman; None where it was read that nothing is."""
        return observed_location(
            self._podman, self._context, location, find(self._podman, self._context.site, location)
        )

    def destroy(self, location: str, *, delete_data: frozenset[str], report: Report) -> tuple[ObservedResource, ...]:
        """Remove it and return what was removed. Volumes go only where `delete_data` has `LOCATION/STORE`, or `all`."""
        return remove_location(self._podman, self._context.site, location, delete_data=delete_data, report=report)

    def leftovers(self) -> tuple[ObservedResource, ...]:
        """Everything that carries the site's mark, whether recorded or not."""
        return resources(find(self._podman, self._context.site))

    def interrupt(self) -> None:
        """Nothing to do: a location is made in seconds, and what is half-made is found by the next run."""

    @property
    def _podman(self) -> Podman:
        with self._lock:
            if self._found_podman is None:
                self._found_podman = find_podman()
            return self._found_podman
