"""Teardown: remove locations in reverse order, then prove it by asking what still carries the site's mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl import summary
from leptonctl.errors import ExitCode, LeptonError
from leptonctl.planning.desired import tier_of
from leptonctl.progress import Progress
from leptonctl.record.known import forget
from leptonctl.result import ChangeResult, LocationResult, ProblemResult, Result
from leptonctl.schedule import in_order
from leptonctl.session import LOCATIONS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leptonctl.planning.observed import ObservedResource
    from leptonctl.session import Session
    from leptonctl.sitefile.model import PlatformName

_BEFORE = {"edge": (), "region": ("edge",), "core": ("edge", "region")}


@dataclass(slots=True)
class Removed:
    """What was removed, and the locations whose removal failed."""

    resources: list[ObservedResource] = field(default_factory=list)
    failed: dict[str, LeptonError] = field(default_factory=dict)


def remove_locations(session: Session, names: Sequence[str], delete_data: frozenset[str]) -> Removed:
    """Remove edges, then regions, then the core. A failure is kept and the rest goes on: what is gone costs nothing."""
    removed = Removed()

    def act(batch: tuple[str, ...]) -> None:
        for name in batch:
            try:
                platform = session.platform(platform_of(session, name))
                removed.resources.extend(platform.destroy(name, delete_data=delete_data, report=session.report))
                forget(session.state_dir, name)
            except LeptonError as error:
                removed.failed[name] = error
                session.report(Progress("down", "failed", name, error.message))

    waits = {name: tuple(other for other in names if tier_of(other) in _BEFORE[tier_of(name)]) for name in names}
    in_order(waits, act, slots=LOCATIONS_AT_ONCE)
    return removed


def platform_of(session: Session, location: str) -> PlatformName:
    """The platform of a location; one that is not in the site file can only be found by its mark, on `local`."""
    found = {known.address: known.platform for known in session.desired.locations}
    return found.get(location, "local")


def prove_gone(session: Session, names: Sequence[str], removed: Removed, delete_data: frozenset[str]) -> Result:
    """Ask every platform what still carries the site's mark. Only what was read back as absent counts as gone."""
    problems: list[ProblemResult] = []
    left: list[ObservedResource] = []
    for platform in sorted({platform_of(session, name) for name in names}):
        try:
            left.extend(resource for resource in session.platform(platform).leftovers() if resource.location in names)
        except LeptonError as error:
            problems.append(
                ProblemResult(
                    rule="not_proven",
                    message=f"platform {platform} could not be asked what is left: {error.message}",
                    hint="nothing is proven to be gone; run `leptonctl down` again when the platform answers",
                )
            )
    kept = [resource for resource in left if resource.is_data and not _is_named(resource, delete_data)]
    problems.extend(
        ProblemResult(
            rule="still_there",
            where=resource.address,
            message=f"{resource.kind} {resource.id} is still there ({resource.status})",
            hint="run `leptonctl down` again",
        )
        for resource in left
        if resource not in kept
    )
    for name, failure in removed.failed.items():
        problems.extend(summary.error_problems(failure, where=name))
    code = ExitCode.PLATFORM_FAILED if problems else ExitCode.DONE
    return Result(
        verb="down",
        site=session.desired.site,
        exit_code=code,
        locations=tuple(_location(session, name, removed) for name in names),
        changes=(
            *(summary.resource_of(resource, "delete", "removed") for resource in removed.resources),
            *_kept(kept),
        ),
        problems=tuple(problems),
        data={"message": _message(session, names, removed, kept, problems), "leftovers": len(left)},
    )


def _kept(kept: Iterable[ObservedResource]) -> Iterable[ChangeResult]:
    return (
        summary.resource_of(resource, "keep", f"kept; --delete-data {_store(resource)} removes it") for resource in kept
    )


def _store(resource: ObservedResource) -> str:
    """The address by which the operator names the store of a volume: `LOCATION/STORE` of `LOCATION/STORE/HOST`."""
    return resource.address.rpartition("/")[0]


def _is_named(resource: ObservedResource, delete_data: frozenset[str]) -> bool:
    return bool({"all", resource.address, _store(resource)} & delete_data)


def _location(session: Session, name: str, removed: Removed) -> LocationResult:
    platform = platform_of(session, name)
    error = removed.failed.get(name)
    is_kept = platform == "ssh"
    return LocationResult(
        address=name,
        tier=tier_of(name),
        platform=platform,
        status="failed" if error else "skipped" if is_kept else "removed",
        detail=error.message if error else "its hosts were there before, and are left as they are" if is_kept else None,
    )


def _message(
    session: Session,
    names: Sequence[str],
    removed: Removed,
    kept: list[ObservedResource],
    problems: list[ProblemResult],
) -> str:
    if problems:
        return f"not proven to be gone: {len(problems)} findings"
    asked = ", ".join(sorted({platform_of(session, name) for name in names}))
    left = "nothing carries" if not kept else f"only {len(kept)} kept volumes carry"
    site = session.desired.site
    return f"removed {len(removed.resources)} resources; asked again ({asked}): {left} the mark of site {site}"
