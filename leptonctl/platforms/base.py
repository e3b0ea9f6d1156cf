"""The platform protocol: five questions about one location. Each platform is otherwise alone in its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from leptonctl.sitefile.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leptonctl.planning.checks import Check
    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.planning.plan import Change
    from leptonctl.progress import Report


@dataclass(frozen=True, slots=True)
class Context:
    """What every platform is given: whose site it is and where its own files may lie (`state_dir`, 0700).

    `locations` are all of the site file, whatever their platform; `state` says where states of stacks are kept.
    """

    site: str
    owner: str
    site_dir: Path
    state_dir: Path
    locations: tuple[DesiredLocation, ...] = ()
    state: State = field(default_factory=State)


@dataclass(frozen=True, slots=True)
class PlatformLook:
    """One look at a platform.

    `locations` are those that were asked for (None: read as absent), `unanswered` has the reason for each that could
    not be told, or not as closely as was asked; `strays` carry the site's mark and belong to none of its locations.
    """

    locations: Mapping[str, ObservedLocation | None]
    unanswered: Mapping[str, str] = field(default_factory=dict)
    strays: tuple[ObservedResource, ...] = ()


class Platform(Protocol):
    """Where machines come from."""

    def preflight(self, locations: tuple[DesiredLocation, ...]) -> tuple[Check, ...]:
        """What was asked about all that would stop `ensure`, of all locations together; touch nothing.

        May also raise `PreflightFailed` with every problem, where there is nothing else to tell.
        """

    def preview(self, location: DesiredLocation) -> tuple[Change, ...]:
        """What `ensure` would create, change, replace or delete. Nothing is touched."""

    def ensure(self, location: DesiredLocation, report: Report) -> ObservedLocation:
        """Make it so. Safe to repeat and to interrupt. Never deletes or replaces data."""

    def look(self, locations: tuple[str, ...], *, closely: frozenset[str]) -> PlatformLook:
        """What is there now of these locations, and what has the site's mark besides; few calls, whatever the size.

        Of those in `closely` every property is compared, where the platform can: what somebody changed is seen.
        """

    def observe(self, location: str) -> ObservedLocation | None:
        """What is there now, asked from the platform; None where it was read that nothing is."""

    def destroy(self, location: str, *, delete_data: frozenset[str], report: Report) -> tuple[ObservedResource, ...]:
        """Remove it and return what was removed. Volumes go only where their store address is in `delete_data`."""

    def leftovers(self) -> tuple[ObservedResource, ...]:
        """Everything that carries the site's mark, whether recorded or not."""

    def interrupt(self) -> None:
        """Ask whatever works for this platform to come to a safe end soon; nothing new is begun. Safe in a signal."""
