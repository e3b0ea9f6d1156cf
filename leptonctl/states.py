"""The verbs of `leptonctl state`: make the bucket of the states, show what is kept, take a lock away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leptonctl.clock import Clock
from leptonctl.errors import ExitCode, Refused, UsageProblem
from leptonctl.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.platforms.aws_stacks import AwsStacks
    from leptonctl.session import Session


def init(session: Session) -> Result:
    """Make the bucket that the site file names, or mend what of it is not as it should be. Safe to repeat."""
    stacks, clock = _stacks(session), Clock()
    with clock.stage("bucket"):
        done = stacks.make_bucket()
    return _result(session, "init", clock, {"place": stacks.states.store.url, "done": list(done)})


def show(session: Session) -> Result:
    """Say where the states are, what is in them, how old they are, who holds them, and where copies are."""
    from leptonctl.platforms.pulumi_kept import kept_stacks  # noqa: PLC0415 - only this verb

    stacks, clock, now = _stacks(session), Clock(), datetime.now(UTC)
    with clock.stage("look"):
        found = [one.as_json(now) for one in kept_stacks(stacks.states)]
    return _result(session, "show", clock, {"place": stacks.states.store.url, "stacks": found})


def unlock(session: Session, location: str, approve: Callable[[tuple[str, ...]], None]) -> Result:
    """Take away the engine's lock on a location. `approve` is called with its owners, and raises to stop.

    Raises `Refused` where an owner is a living process of this machine.
    """
    stacks, clock, now = _stacks(session), Clock(), datetime.now(UTC)
    if location not in stacks.known_locations():
        raise UsageProblem(
            f"there is no state of {location!r}", hint=f"there are {', '.join(stacks.known_locations()) or 'none'}"
        )
    owners = stacks.locks(location)
    living = [owner for owner in owners if owner.is_alive()]
    if living:
        raise Refused(
            f"{location}: {'; '.join(owner.text(now) for owner in living)} still runs on this machine",
            hint="stop it with one Ctrl-C, or one SIGTERM, and wait for its end",
        )
    if owners:
        approve(tuple(owner.text(now) for owner in owners))
        stacks.take_away(location, owners)
    told = {"location": location, "taken_away": [owner.text(now) for owner in owners]}
    return _result(session, "unlock", clock, told)


def _stacks(session: Session) -> AwsStacks:
    from leptonctl.platforms.aws import AwsPlatform  # noqa: PLC0415 - only these verbs

    platform = session.platform("aws")
    if not isinstance(platform, AwsPlatform) or all(one.aws is None for one in session.desired.locations):
        raise UsageProblem(
            f"no location of site '{session.desired.site}' is on aws, and only those have a state",
            hint="local hosts carry their site's mark, and need no state",
        )
    return platform.stacks


def _result(session: Session, verb: str, clock: Clock, data: dict[str, Any]) -> Result:
    return Result(
        verb=f"state {verb}",
        site=session.desired.site,
        exit_code=ExitCode.DONE,
        durations_s=clock.read(),
        data=data,
    )
