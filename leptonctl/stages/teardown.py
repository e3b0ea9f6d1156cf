"""Teardown: remove locations in reverse order, then prove it by asking what still carries the site's mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl import summaries
from leptonctl.errors import ExitCode, LeptonError, exit_code_over
from leptonctl.planning.cost import price_of, price_text
from leptonctl.planning.desired import tier_of
from leptonctl.progress import Progress
from leptonctl.record.known import forget
from leptonctl.result import ChangeResult, LocationResult, ProblemResult, Result
from leptonctl.session import LOCATIONS_AT_ONCE
from leptonctl.stages.schedule import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from leptonctl.planning.desired import Desired, Tier
    from leptonctl.planning.observed import ObservedResource
    from leptonctl.planning.removal import GoneRole
    from leptonctl.session import Session
    from leptonctl.sitefile.model import PlatformName

_BEFORE = {"edge": (), "region": ("edge",), "core": ("edge", "region")}


@dataclass(frozen=True, slots=True, order=True)
class Removal:
    """A location to remove from a platform. One that left the site file may be on another platform than it is now."""

    location: str
    platform: PlatformName


@dataclass(slots=True)
class Removed:
    """What was removed, roles of machines that stay among it, and the removals that failed."""

    resources: list[ObservedResource] = field(default_factory=list)
    roles: dict[Removal, tuple[GoneRole, ...]] = field(default_factory=dict)
    failed: dict[Removal, LeptonError] = field(default_factory=dict)


def removals_of(want: Desired, strays: Sequence[ObservedResource]) -> tuple[Removal, ...]:
    """The locations of the site file, and those that only things with its mark are left of."""
    named = {Removal(location.address, location.platform) for location in want.locations}
    return tuple(sorted(named | {Removal(stray.location, stray.platform) for stray in strays}))


def remove_locations(
    session: Session,
    removals: Sequence[Removal],
    delete_data: frozenset[str],
    take_off: Callable[[str], tuple[GoneRole, ...]] | None = None,
) -> Removed:
    """Remove edges, then regions, then the core. A failure is kept and the rest goes on: what is gone costs nothing.

    `take_off` takes the roles off a location's machines where these were there before, and stay.
    """
    removed = Removed()
    named = {f"{one.location} {one.platform}": one for one in removals}

    def act(batch: tuple[str, ...]) -> None:
        for name in batch:
            one = named[name]
            try:
                platform = session.platform(one.platform)
                if one.platform == "ssh" and take_off is not None:
                    removed.roles[one] = take_off(one.location)
                removed.resources.extend(platform.destroy(one.location, delete_data=delete_data, report=session.report))
                if one.platform != "ssh":
                    forget(session.state_dir, one.location)
            except LeptonError as error:
                removed.failed[one] = error
                session.report(Progress("down", "failed", one.location, error.message))

    waits = {
        name: tuple(other for other in named if _tier(named[other]) in _BEFORE[_tier(one)])
        for name, one in named.items()
    }
    in_order(waits, act, slots=LOCATIONS_AT_ONCE)
    return removed


def prove_gone(
    session: Session,
    removals: Sequence[Removal],
    removed: Removed,
    delete_data: frozenset[str],
    *,
    unanswered: Mapping[str, str],
) -> Result:
    """Ask every platform what still carries the site's mark. Only what was read back as absent counts as gone.

    `unanswered` are locations that nobody could be asked about before: nothing is proven of those.
    """
    locations = {one.location for one in removals}
    problems = [
        _not_proven(f"{address} could not be asked about: {reason}")
        for address, reason in unanswered.items()
        if address not in locations
    ]
    left: list[ObservedResource] = []
    for platform in sorted({one.platform for one in removals}):
        try:
            there = session.platform(platform).leftovers()
            left.extend(one for one in there if Removal(one.location, platform) in removals)
        except LeptonError as error:
            problems.append(_not_proven(f"platform {platform} could not be asked what is left: {error.message}"))
    prices = _prices(left)
    kept = _kept_of(left, delete_data)
    problems.extend(
        ProblemResult(
            rule="still_there",
            where=resource.address,
            message=f"{resource.kind} {resource.id} is still there ({resource.status}){prices[resource.id]}",
            hint="run `leptonctl down` again",
        )
        for resource in left
        if resource not in kept
    )
    for one, failure in removed.failed.items():
        problems.extend(summaries.error_problems(failure, where=one.location))
    code = ExitCode.PLATFORM_FAILED if problems else ExitCode.DONE
    if removed.failed:
        code = exit_code_over(removed.failed.values())
    return Result(
        verb="down",
        site=session.desired.site,
        exit_code=code,
        locations=tuple(_location(one, removed) for one in removals),
        changes=(
            *(summaries.resource_of(resource, "delete", "removed") for resource in removed.resources),
            *_kept(kept, prices),
        ),
        problems=tuple(problems),
        data={"message": _message(session, removals, removed, kept, problems), "leftovers": len(left)},
    )


def _not_proven(message: str) -> ProblemResult:
    hint = "nothing is proven to be gone; run `leptonctl down` again when the platform answers"
    return ProblemResult(rule="not_proven", message=message, hint=hint)


def _tier(one: Removal) -> Tier:
    return tier_of(one.location)


def _kept_of(left: Sequence[ObservedResource], delete_data: frozenset[str]) -> list[ObservedResource]:
    """The data that was not named, then what it stands on: a file system cannot be without its network."""
    data = [one for one in left if one.is_data and not _is_named(one, delete_data)]
    stores = {one.address for one in data}
    return [*data, *(one for one in left if not one.is_data and one.stands_under in stores)]


def _kept(kept: Iterable[ObservedResource], prices: Mapping[str, str]) -> Iterable[ChangeResult]:
    return (summaries.resource_of(one, "keep", f"{_why_kept(one)}{prices[one.id]}") for one in kept)


def _why_kept(resource: ObservedResource) -> str:
    if resource.is_data:
        return f"kept; --delete-data {_store(resource)} removes it"
    return f"kept with {resource.stands_under}, which stands on it"


def _prices(left: Sequence[ObservedResource]) -> dict[str, str]:
    """What each thing goes on to cost, to be said behind it; "" for what is on this machine."""
    from leptonctl.catalog import price_book  # noqa: PLC0415 - only where something is left

    return {one.id: f"; {price_text(price_of(one, price_book()))}" if one.platform == "aws" else "" for one in left}


def _store(resource: ObservedResource) -> str:
    """The address by which the operator names a store: of a volume `LOCATION/STORE/HOST` it is `LOCATION/STORE`."""
    return resource.address.rpartition("/")[0] if resource.kind == "volume" else resource.address


def _is_named(resource: ObservedResource, delete_data: frozenset[str]) -> bool:
    return bool({"all", resource.address, _store(resource)} & delete_data)


def _location(one: Removal, removed: Removed) -> LocationResult:
    error = removed.failed.get(one)
    is_kept = one.platform == "ssh"
    return LocationResult(
        address=one.location,
        tier=_tier(one),
        platform=one.platform,
        status="failed" if error else "skipped" if is_kept else "removed",
        detail=error.message if error else _kept_words(removed.roles.get(one, ())) if is_kept else None,
    )


def _kept_words(roles: tuple[GoneRole, ...]) -> str:
    """What became of machines that were there before."""
    if not roles:
        return "its hosts were there before, and are left as they are"
    taken = f"its hosts were there before, and stay; taken off them: {', '.join(role.name for role in roles)}"
    kept = sorted({folder for role in roles for folder in role.kept})
    return f"{taken}; kept: {', '.join(kept)} (--delete-data HOST:ROLE deletes it)" if kept else taken


def _message(
    session: Session,
    removals: Sequence[Removal],
    removed: Removed,
    kept: list[ObservedResource],
    problems: list[ProblemResult],
) -> str:
    if problems:
        return f"not proven to be gone: {len(problems)} findings"
    asked = ", ".join(sorted({one.platform for one in removals}))
    left = _who_carries(kept, f"the mark of site {session.desired.site}")
    return f"removed {len(removed.resources)} resources; asked again ({asked}): {left}"


def _who_carries(kept: Sequence[ObservedResource], mark: str) -> str:
    if not kept:
        return f"nothing carries {mark}"
    data = sum(one.is_data for one in kept)
    below = f", {len(kept) - data} that data stands on" if len(kept) > data else ""
    return f"only what is kept carries {mark}: {data} with data{below}"
