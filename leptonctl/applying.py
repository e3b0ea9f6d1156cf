"""Apply: do what the plan says. Machines first, in order of dependence; then the inside of the hosts."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from leptonctl.errors import Interrupted, LeptonError, PreflightFailed
from leptonctl.hosts.configure import configure
from leptonctl.hosts.openssh import known_hosts_text
from leptonctl.hosts.probe import record
from leptonctl.hosts.secrets import resolve, secret_refs
from leptonctl.planning.observed import Reach, RoleState
from leptonctl.planning.plan import Action
from leptonctl.progress import Progress
from leptonctl.record.known import KnownHost, read_known, write_known
from leptonctl.schedule import in_order
from leptonctl.session import LOCATIONS_AT_ONCE
from leptonctl.teardown import remove_locations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leptonctl.errors import Problem
    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import Desired
    from leptonctl.planning.observed import Observed, ObservedLocation
    from leptonctl.planning.plan import LocationPlan, Plan
    from leptonctl.record.run import Run
    from leptonctl.session import Session
    from leptonctl.sitefile.model import PlatformName

CONFIGURATIONS_AT_ONCE = 2
FORKS = 10


@dataclass(slots=True)
class Applied:
    """What came of it, filled in by stages that run at the same time.

    `failed` has a location's error, `skipped` what it waited for in vain, `hosts` what Ansible said of each
    host that it was run on, `unrecorded` the hosts whose manifest could not be written, with the reason.
    """

    made: dict[str, ObservedLocation] = field(default_factory=dict)
    failed: dict[str, LeptonError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, HostConfigured] = field(default_factory=dict)
    unrecorded: dict[str, str] = field(default_factory=dict)


@contextmanager
def stoppable(session: Session) -> Iterator[threading.Event]:
    """Give an event that the first SIGINT or SIGTERM sets, so that what was begun comes to a safe end.

    A second signal raises KeyboardInterrupt. Raises Interrupted at the end where the event was set.
    """
    stop = threading.Event()

    def ask(_signal: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        session.interrupt()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.is_set():
        raise Interrupted(
            "interrupted; what was begun has been brought to its end", hint="`leptonctl up` again goes on from here"
        )


def preflight(session: Session, plan: Plan) -> None:
    """Let every platform that has something to do say what would stop it; all of it at once."""
    problems: list[Problem] = []
    changing: dict[PlatformName, list[str]] = {}
    for location in plan.locations:
        if _changes(location):
            changing.setdefault(location.platform, []).append(location.address)
    errors: list[LeptonError] = []
    for name, addresses in changing.items():
        try:
            session.platform(name).preflight(tuple(session.location(address) for address in addresses))
        except PreflightFailed as error:
            errors.append(error)
            problems.extend(error.problems)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise PreflightFailed("; ".join(error.message for error in errors), problems=tuple(problems))


def _changes(location: LocationPlan) -> bool:
    """Whether the platform has to do something: existing machines are looked at each time."""
    return location.platform == "ssh" or any(change.action is not Action.KEEP for change in location.changes)


def make_locations(session: Session, plan: Plan, applied: Applied, stop: threading.Event) -> None:
    """Make every location's machines, networks and volumes as planned; a failed one stops only those behind it."""
    plans = {location.address: location for location in plan.locations}

    def act(batch: tuple[str, ...]) -> None:
        for address in batch:
            if not stop.is_set():
                _make(session, plans[address], applied)

    in_order({name: location.depends_on for name, location in plans.items()}, act, slots=LOCATIONS_AT_ONCE)


def _make(session: Session, location: LocationPlan, applied: Applied) -> None:
    address = location.address
    blocker = next((need for need in location.depends_on if need in applied.failed or need in applied.skipped), None)
    if blocker is not None:
        applied.skipped[address] = blocker
        session.report(Progress("platform", "failed", address, f"not begun: it waits for {blocker}, which failed"))
        return
    if not _changes(location):
        return
    try:
        applied.made[address] = session.platform(location.platform).ensure(session.location(address), session.report)
    except LeptonError as error:
        applied.failed[address] = error
        session.report(Progress("platform", "failed", address, error.message))


def remove_strays(session: Session, plan: Plan) -> None:
    """Remove the machines and networks of locations that left the site file; their data stays."""
    gone = sorted({change.location for change in plan.removed if change.action is Action.DELETE})
    if gone:
        remove_locations(session, gone, frozenset())


@dataclass(frozen=True, slots=True)
class Job:
    """What `configure_hosts` works on: targets with only the roles to run, and all targets with all roles."""

    run: Run
    chosen: Sequence[Target]
    complete: Sequence[Target]
    secrets: Mapping[str, str]


def select(
    plan: Plan, complete: Sequence[Target], observed: Observed, *, forced: bool, names: tuple[str, ...]
) -> list[Target]:
    """The targets with only those roles that have to run: planned to, or found to differ since; none, no target.

    `forced` runs every role; `names`, where given, leaves out all other roles.
    """
    planned = {
        (host.address, role.name)
        for location in plan.locations
        for host in location.hosts
        for role in host.roles
        if role.runs
    }
    found: list[Target] = []
    for target in complete:
        look = observed.looks.get(target.address)

        def runs(role: str, target: Target = target, look: object = look) -> bool:
            state = observed.looks[target.address].roles.get(role) if look is not None else None
            is_found = state is None or state.state != RoleState.IN_ORDER
            return (forced or is_found or (target.address, role) in planned) and (not names or role in names)

        roles = tuple(role for role in target.roles if runs(role.name))
        # A host that did not answer, or with another host key, gets nothing: the look has said why.
        is_open = look is None or look.reach == Reach.OK
        if roles and is_open:
            found.append(replace(target, roles=roles))
    return found


def configure_hosts(session: Session, plan: Plan, job: Job, applied: Applied, stop: threading.Event) -> None:
    """Run the roles that differ, location by location in order; a failed host never stops another one."""
    by_location: dict[str, list[Target]] = {location.address: [] for location in plan.locations}
    for target in job.chosen:
        by_location[target.location].append(target)
    numbers = count(1)

    def act(batch: tuple[str, ...]) -> None:
        aims = [target for address in batch for target in by_location[address]]
        if aims and not stop.is_set():
            _configure(session, job, aims, applied, stop, number=next(numbers))

    in_order({location.address: location.depends_on for location in plan.locations}, act, slots=CONFIGURATIONS_AT_ONCE)


def _configure(
    session: Session, job: Job, aims: Sequence[Target], applied: Applied, stop: threading.Event, *, number: int
) -> None:
    done = configure(
        aims,
        folder=job.run.folder / f"configure-{number}",
        report=session.report,
        secrets=job.secrets,
        forks=FORKS,
        is_cancelled=stop.is_set,
    )
    applied.hosts.update(done.hosts)
    _record(session, job, done.hosts, applied)
    for address, host in done.hosts.items():
        if host.failure is None:
            message = f"{', '.join(host.roles)}: {host.changed_count} tasks changed something"
            session.report(Progress("configure", "done", address, message))


def _record(session: Session, job: Job, done: Mapping[str, HostConfigured], applied: Applied) -> None:
    """Have the manifests written of the hosts on which roles ran to their end, and keep their digests."""
    complete = {target.address: target for target in job.complete}
    ran = [complete[address] for address, host in done.items() if host.roles]
    locations = sorted({target.location for target in ran})
    known = read_known(session.state_dir, locations)
    digests = {address: host.digest for address, host in known.items()}
    recorded = record(ran, done, digests=digests, secrets=job.secrets)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for address, found in recorded.items():
        if found.digest is None:
            applied.unrecorded[address] = found.problem or "no reason given"
        else:
            known[address] = KnownHost(found.digest, now)
    for location in locations:
        own = {target.address for target in job.complete if target.location == location}
        stored = read_known(session.state_dir, [location])
        write_known(session.state_dir, location, {**stored, **{name: known[name] for name in own & set(known)}})


def keep_known_hosts(session: Session, complete: Sequence[Target]) -> None:
    """Keep the pinned host keys where `leptonctl inventory` points to, for the operator's own playbooks."""
    text = known_hosts_text(target.endpoint for target in complete)
    (session.state_dir / "known_hosts").write_text(text, encoding="utf-8")


def resolve_secrets(session: Session, want: Desired) -> dict[str, str]:
    """Resolve every secret that the roles refer to. Raises PreflightFailed with all that can't be."""
    roles = {id(role): role for location in want.locations for host in location.hosts for role in host.roles}
    return resolve(secret_refs(roles.values()), site_dir=session.site_dir)
