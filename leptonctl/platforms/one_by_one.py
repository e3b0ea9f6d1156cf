"""A look at a platform that is asked for each location by itself, at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms.base import PlatformLook

if TYPE_CHECKING:
    from leptonctl.planning.observed import ObservedLocation
    from leptonctl.platforms.base import Platform

LOCATIONS_AT_ONCE = 4


def look_one_by_one(platform: Platform, locations: tuple[str, ...], *, own: frozenset[str]) -> PlatformLook:
    """What is there of these locations. `own` are all that the site file has on the platform: the rest are strays."""
    found: dict[str, ObservedLocation | None] = {}
    unanswered: dict[str, str] = {}

    def ask(address: str) -> None:
        try:
            found[address] = platform.observe(address)
        except (PlatformFailed, PreflightFailed) as error:
            unanswered[address] = error.message

    with ThreadPoolExecutor(LOCATIONS_AT_ONCE) as pool:
        list(pool.map(ask, locations))
    if locations and not found:
        return PlatformLook(found, unanswered)
    return PlatformLook(found, unanswered, tuple(one for one in platform.leftovers() if one.location not in own))
