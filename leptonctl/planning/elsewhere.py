"""Elsewhere: locations whose `platform` was edited while the former one still has something of them. Pure.

To make them on the new platform would orphan what is on the former one: machines that go on costing, roles that go on
running. It is refused until the former platform has been taken down.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leptonctl.planning.edits import edit_of
from leptonctl.planning.observed import Elsewhere
from leptonctl.planning.plan import Action, Change
from leptonctl.sitefile.model import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.planning.observed import ObservedResource
    from leptonctl.sitefile.model import PlatformName


def elsewhere(
    locations: Iterable[DesiredLocation],
    *,
    strays: Collection[ObservedResource],
    unanswered: Mapping[PlatformName, Mapping[str, str]],
    configured: Mapping[str, Sequence[str]],
) -> tuple[Elsewhere, ...]:
    """The locations that are not where the site file says, in its order.

    `unanswered` has, by platform, the locations that could not be asked about, with the reason. `configured` are hosts,
    by location, that were there before leptonctl (ssh) and were configured by it; no platform tells of those. Data that
    was kept, and what it stands on, stays where it is and is in nobody's way.
    """
    return tuple(
        found
        for location in locations
        for found in _of(location, strays=strays, unanswered=unanswered, configured=configured)
    )


def refused(location: DesiredLocation, found: Sequence[Elsewhere]) -> Change:
    """What happens to a location that is elsewhere: nothing; `up` refuses it, and the reasons say what to do."""
    reasons = []
    for one in found:
        effects = Location.effects_of("platform")
        edit = edit_of(effects, ("platform",), before=one.platform, after=location.platform, platform=location.platform)
        reasons.append(f"{one.text}; {edit.text()}" if edit is not None else one.text)
    return Change(Action.FORBIDDEN, "network", location.address, location.address, tuple(reasons))


def is_going(stray: ObservedResource) -> bool:
    """Whether something that is not in the site file is to go: data stays until it is named, with what it stands on."""
    return not stray.is_data and not stray.stands_under


def _of(
    location: DesiredLocation,
    *,
    strays: Collection[ObservedResource],
    unanswered: Mapping[PlatformName, Mapping[str, str]],
    configured: Mapping[str, Sequence[str]],
) -> Iterator[Elsewhere]:
    address = location.address
    there: dict[PlatformName, Counter[str]] = {}
    for one in strays:
        if one.location == address and one.platform != location.platform and is_going(one):
            there.setdefault(one.platform, Counter())[str(one.properties.get("type") or one.kind)] += 1
    for platform, kinds in there.items():
        counted = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
        yield Elsewhere(address, platform, f"{counted} of it on {platform}")
    for platform, reasons in unanswered.items():
        if platform != location.platform and address in reasons and platform not in there:
            text = f"what is left of it on {platform} could not be asked: {reasons[address]}"
            yield Elsewhere(address, platform, text)
    if location.platform != "ssh" and configured.get(address):
        hosts = configured[address]
        text = f"{len(hosts)} existing host{'s' if len(hosts) > 1 else ''} configured for it"
        yield Elsewhere(address, "ssh", text)
