"""Removes a local location, then asks podman again what is left of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, Problem
from leptonctl.platforms.local_host import remove_container
from leptonctl.platforms.local_observe import find, resources
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leptonctl.planning.observed import ObservedResource
    from leptonctl.platforms.podman import Podman
    from leptonctl.progress import Report

ALL_DATA = "all"
_AT_ONCE = 8


def remove_location(
    podman: Podman, site: str, location: str, *, delete_data: frozenset[str], report: Report
) -> tuple[ObservedResource, ...]:
    """Hosts, named volumes, the network; returns what is gone.

    A volume goes only where its store address (`LOCATION/STORE`) or `all` is in `delete_data`. Raises `PlatformFailed`
    with podman's reasons where something stays that should not.
    """
    before = resources(find(podman, site, location))
    goes = [one for one in before if not one.is_data or is_named(one.address, delete_data)]
    if goes:
        report(Progress("down", "step", location, f"removing {len(goes)} of {len(before)} resources"))
    problems = [
        problem
        for kind, remove in (
            ("host", partial(remove_container, podman)),
            ("volume", partial(podman.text, "volume", "rm")),
            ("network", partial(podman.text, "network", "rm")),
        )
        for problem in _each([one for one in goes if one.kind == kind], remove)
    ]
    after = {(one.kind, one.id): one for one in resources(find(podman, site, location))}
    left = [one for one in after.values() if not one.is_data or is_named(one.address, delete_data)]
    if left:
        raise PlatformFailed(
            f"{location}: could not be removed: {', '.join(sorted(f'{one.kind} {one.address}' for one in left))}",
            hint="run `leptonctl down` again; podman's reasons are listed",
            problems=tuple(problems),
        )
    for one in goes:
        report(Progress("down", "step", one.address, f"removed {one.kind}", is_changed=True))
    return tuple(one for one in before if (one.kind, one.id) not in after)


def is_named(volume_address: str, delete_data: frozenset[str]) -> bool:
    """Whether the operator named the store of this volume (`LOCATION/STORE/HOST`)."""
    return ALL_DATA in delete_data or volume_address.rpartition("/")[0] in delete_data


def _each(items: Iterable[ObservedResource], remove: Callable[[str], object]) -> list[Problem]:
    def attempt(one: ObservedResource) -> Problem | None:
        # What podman could not do is judged by what is left, not here: it also fails for what is gone already.
        try:
            remove(one.id)
        except PlatformFailed as failed:
            return Problem("local.remove", failed.message, failed.hint, where=one.address)
        return None

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return [problem for problem in pool.map(attempt, items) if problem is not None]
