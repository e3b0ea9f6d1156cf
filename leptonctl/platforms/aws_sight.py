"""What AWS has of a site: looked at by tag, region by region, and compared with plan and state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from leptonctl.errors import LeptonError, PlatformFailed, PreflightFailed
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.comparison import MAIN_TYPES, Thing, presence
from leptonctl.planning.observed import Disagreement
from leptonctl.planning.plan import Action
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_clusters import everything_marked
from leptonctl.platforms.aws_listing import INSTANCES, listed
from leptonctl.platforms.aws_look import jump_through, leftover, observed_location, things_of
from leptonctl.platforms.aws_region import RegionLook, look_at
from leptonctl.platforms.aws_state import kept_apart, outputs_of, recorded_in, things_in, what_data_stands_on
from leptonctl.platforms.aws_undone import left_undone
from leptonctl.platforms.base import PlatformLook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from leptonctl.planning.aws_types import LocationArgs, PlannedResource
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.platforms.aws_listing import Found
    from leptonctl.platforms.aws_look import Jump
    from leptonctl.platforms.base import Context
    from leptonctl.platforms.pulumi_state import Deployment

REGIONS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Regions:
    """Looks at regions, by name; one that could not be looked at has its reason instead."""

    looks: Mapping[str, RegionLook]
    failures: Mapping[str, LeptonError]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a site before AWS is asked: its locations, in the site file or in a state, and their states."""

    locations: Callable[[], tuple[str, ...]]
    region_of: Callable[[str], str | None]
    state_of: Callable[[str], Deployment | None]


class Clouds:
    """The regions of the account, each opened once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clouds: dict[str, AwsCloud] = {}

    def of(self, region: str) -> AwsCloud:
        """That region."""
        with self._lock:
            return self._clouds.setdefault(region, AwsCloud(region))


class AwsSight:
    """Looks at a site on AWS. Reads only. `key_path` gives the file of the key that logs in at its hosts."""

    def __init__(
        self,
        context: Context,
        cloud_of: Callable[[str], AwsCloud],
        remembered: Remembered,
        key_path: Callable[[], Path],
    ) -> None:
        self._context, self._cloud_of, self._remembered, self._key_path = context, cloud_of, remembered, key_path

    def look(self, locations: tuple[str, ...]) -> PlatformLook:
        """One look at every region that the site file or a state knows of: eight list calls a region."""
        homes = {address: self._remembered.region_of(address) for address in self._all(locations)}
        regions = self._look_at(region for region in homes.values() if region is not None)
        found: dict[str, ObservedLocation | None] = {}
        unanswered: dict[str, str] = {}
        for address, region in homes.items():
            if region is None:
                if address not in locations:
                    unanswered[address] = "its state does not say in which region it is"
            elif region in regions.failures:
                unanswered[address] = regions.failures[region].message
            elif address in locations:
                found[address] = self._observed(address, regions.looks[region], regions)
        named = {one.address for one in self._context.locations if one.aws is not None}
        strays = [
            one for look in regions.looks.values() for one in look.found if one.location and one.location not in named
        ]
        under = self._what_data_stands_on(strays)
        left = tuple(leftover(one, stands_under=under.get(one.id, "")) for one in strays)
        return PlatformLook(found, unanswered, left)

    def observe(self, location: str) -> ObservedLocation | None:
        """What is there now of one location; None where it was read that nothing is."""
        region = self._remembered.region_of(location)
        if region is None:
            return None
        return self._observed(location, look_at(self._cloud_of(region), self._context.site, location), None)

    def leftovers(self) -> tuple[ObservedResource, ...]:
        """Everything that carries the site's mark, in every region of the site, and what has no region."""
        homes = {self._remembered.region_of(address) for address in self._all(())} - {None}
        regions = sorted(str(region) for region in homes)
        with ThreadPoolExecutor(REGIONS_AT_ONCE) as pool:
            site = self._context.site
            swept = list(pool.map(lambda region: everything_marked(self._cloud_of(region), site), regions))
        found = {(one.type, one.id): one for part in swept for one in part}
        under = self._what_data_stands_on(found.values())
        return tuple(leftover(one, stands_under=under.get(one.id, "")) for one in found.values())

    def marked(self, location: str) -> tuple[ObservedResource, ...]:
        """Everything that carries the mark of one location, wherever it is."""
        return tuple(one for one in self.leftovers() if one.location == location)

    def _what_data_stands_on(self, found: Iterable[Found]) -> dict[str, str]:
        """What must stay where a store is kept, by id, as the states of these things' locations tell."""
        under: dict[str, str] = {}
        things = tuple(found)
        for location in {one.location for one in things}:
            state = self._remembered.state_of(location)
            under |= what_data_stands_on(kept_apart(state)) if state is not None else {}
        # A network's first security group cannot be deleted by anybody: it goes with the network.
        first = [one for one in things if one.type == "security-group" and one.details.get("GroupName") == "default"]
        networks = {one.id: str(one.details.get("VpcId")) for one in first}
        return under | {id_: under[network] for id_, network in networks.items() if network in under}

    def _all(self, locations: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*locations, *self._remembered.locations())))

    def _look_at(self, regions: Iterable[str]) -> Regions:
        looks: dict[str, RegionLook] = {}
        failures: dict[str, LeptonError] = {}

        def ask(region: str) -> None:
            try:
                looks[region] = look_at(self._cloud_of(region), self._context.site)
            except (PlatformFailed, PreflightFailed) as error:
                failures[region] = error

        with ThreadPoolExecutor(REGIONS_AT_ONCE) as pool:
            list(pool.map(ask, sorted(set(regions))))
        return Regions(looks, failures)

    def _observed(self, location: str, look: RegionLook, regions: Regions | None) -> ObservedLocation | None:
        found = look.of(location)
        rules = tuple(Disagreement("network", location, Action.UPDATE, rule.text) for rule in look.rules_of(location))
        state = self._remembered.state_of(location)
        applied = outputs_of(state) if state is not None else None
        return observed_location(
            location,
            found,
            key=self._key_path(),
            disagreements=(*rules, *self._presence(location, found, state)),
            jump=self._jump_above(location, regions) if jump_through(found) is None else None,
            section=applied.section if applied else "",
        )

    def _presence(self, location: str, found: tuple[Found, ...], state: Deployment | None) -> tuple[Disagreement, ...]:
        """What is only in some of plan, state and cloud, and what the last run did not come to."""
        args = next((one.aws for one in self._context.locations if one.address == location), None)
        if args is None:
            return ()
        planned = planned_resources(args)
        recorded = None if state is None else things_in(recorded_in(state, planned))
        things = tuple(Thing(one.role, one.address) for one in planned if is_thing(one))
        undone = left_undone(state, args) if state is not None else ()
        return (
            *(Disagreement("network", location, Action.UPDATE, text) for text in undone),
            *presence(things, recorded, things_of(found)),
        )

    def _jump_above(self, location: str, regions: Regions | None) -> Jump | None:
        """The way through a location above, for one whose hosts have no public address: nearest first."""
        args: LocationArgs | None = next((one.aws for one in self._context.locations if one.address == location), None)
        for peer in reversed(args.peers if args else ()):
            if regions is not None and peer.region in regions.looks:
                machines = regions.looks[peer.region].of(peer.address)
            else:
                machines = listed(self._cloud_of(peer.region), INSTANCES, self._context.site, peer.address)
            found = jump_through(tuple(one for one in machines if one.status == "running"))
            if found is not None:
                return found
        return None


def is_thing(one: PlannedResource) -> bool:
    """Whether it is a thing of the site by itself, not a part of one."""
    return one.type.rpartition(":")[2] in MAIN_TYPES
