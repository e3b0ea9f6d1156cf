"""Names on AWS that are computed in more than one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs


def zone_name(location: LocationArgs) -> str:
    """The private DNS zone of a location: `core.SITE.internal`, `west.regions.SITE.internal`."""
    return ".".join((*reversed(location.location.split("/")), location.site, "internal"))


def device_names(stores: tuple[str, ...]) -> dict[str, str]:
    """The device that each of a host's stores is attached as, from the store's own name.

    Where two names meet, the one that sorts later takes the next free device.
    """
    letters = [f"/dev/xvd{first}{second}" for first in "bc" for second in "abcdefghijklmnopqrstuvwxyz"]
    taken: dict[str, str] = {}
    for store in sorted(stores):
        place = sum(ord(letter) * (position + 1) for position, letter in enumerate(store)) % len(letters)
        while letters[place] in taken.values():
            place = (place + 1) % len(letters)
        taken[store] = letters[place]
    return taken
