"""Apply: do what the plan says to machines, networks and volumes, in order of dependence."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.errors import Interrupted, LeptonError
from leptonctl.planning.elsewhere import is_going
from leptonctl.planning.plan import Action
from leptonctl.progress import Progress
from leptonctl.session import LOCATIONS_AT_ONCE
from leptonctl.stages.schedule import in_order
from leptonctl.stages.teardown import Removal, remove_locations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.planning.observed import ObservedLocation, ObservedResource
    from leptonctl.planning.plan import LocationPlan, Plan
    from leptonctl.planning.rollout import RolledOut
    from leptonctl.session import Session
    from leptonctl.stages.gate import Gated


@dataclass(slots=True)
class Applied:
    """What came of it, filled in by stages that run at the same time.

    Of machines: `failed` has a location's error, `skipped` what it waited for in vain. Of hosts: `hosts` has what
    Ansible said of each that it was run on, `unrecorded` why the manifest could not be written, `unproven` what did
    not hold when a batch was verified, `not_begun` why nothing was done, `gated` what the health gate said, `left_out`
    who stayed out of service. `rollouts` are those that had something to do, `held` the locations that waited for one
    that stopped, with the location that they waited for.
    """

    made: dict[str, ObservedLocation] = field(default_factory=dict)
    failed: dict[str, LeptonError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, HostConfigured] = field(default_factory=dict)
    unrecorded: dict[str, str] = field(default_factory=dict)
    unproven: dict[str, str] = field(default_factory=dict)
    not_begun: dict[str, str] = field(default_factory=dict)
    rollouts: list[RolledOut] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    gated: Mapping[str, Gated] = field(default_factory=dict)
    left_out: AbstractSet[str] = frozenset()


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


def changing(plan: Plan) -> tuple[str, ...]:
    """The locations that a platform has something to do in: existing machines are looked at each time."""
    return tuple(location.address for location in plan.locations if _changes(location))


def _changes(location: LocationPlan) -> bool:
    """Whether the platform has to do something: existing machines are looked at before roles run on them."""
    if location.platform == "ssh":
        return any(host.changing_roles for host in location.hosts)
    return location.note is not None or any(change.action is not Action.KEEP for change in location.changes)


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


def remove_strays(session: Session, strays: Sequence[ObservedResource]) -> None:
    """Remove the machines and networks of locations that left the site file; their data stays, and what it needs."""
    gone = sorted({Removal(stray.location, stray.platform) for stray in strays if is_going(stray)})
    if gone:
        remove_locations(session, gone, frozenset())
