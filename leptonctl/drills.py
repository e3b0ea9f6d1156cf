"""Drills: lay a fault on one host, show who reacts and how, and take it away again, whatever happens."""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from leptonctl.clock import Clock
from leptonctl.errors import ExitCode, Refused, UsageProblem
from leptonctl.health.alerts import alert_for
from leptonctl.health.fleet import decide
from leptonctl.health.xid import xid
from leptonctl.hosts.drills import end_drill, lay_drill
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.planning.rollout import roll_over, together, why_stop
from leptonctl.progress import Progress
from leptonctl.result import ProblemResult, Result
from leptonctl.stages.applying import stoppable
from leptonctl.stages.judging import judge_hosts
from leptonctl.stages.looking import look_at_platforms, targets

if TYPE_CHECKING:
    import threading

    from leptonctl.health.judge import HostHealth
    from leptonctl.hosts.target import Target
    from leptonctl.planning.accelerators import Expected
    from leptonctl.session import Session

# A GPU that no bus has: the drill of a host on which none answers.
_NO_GPU = "0000:ff:1f.0"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: what was seen, and whether it is what a drill has to show (None: not shown)."""

    name: str
    seen: str
    is_ok: bool | None


def drill_xid(session: Session, *, code: int, address: str, is_really: bool) -> Result:
    """Lay an Xid on a host and show what gate, rollout and alerts make of it; then take it away.

    Raises Refused for a host that is not of the platform local, unless `is_really`.
    """
    clock = Clock()
    with clock.stage("look"):
        session, target, expected = _target(session, address, is_really=is_really)
    name, by = f"xid {code}", f"{getpass.getuser()}@{os.uname().nodename}, process {os.getpid()}"
    steps: list[Step] = []
    with clock.stage("drill"), stoppable(session) as stop:
        before = _judged(target, expected)
        _say(session, steps, target, Step("before", f"{before.verdict}: {before.reason}", is_ok=None))
        bus_id = next(iter(before.gpus), _NO_GPU)
        message = f"NVRM: Xid (PCI:{bus_id.rpartition('.')[0]}): {code}, a drill of leptonctl, laid by {by}"
        is_mine = True
        try:
            lay_drill(target, name=name, by=by, message=message)
            _say(session, steps, target, Step("fault", f"laid: {message}", is_ok=True))
            _show(session, steps, target, expected, code, stop)
        except Refused:
            is_mine = False
            raise
        finally:
            if is_mine:
                end_drill(target)
                _say(session, steps, target, Step("taken away", "the fault is gone from the host", is_ok=True))
        after = _judged(target, expected)
        is_same = (after.verdict, after.reason) == (before.verdict, before.reason)
        _say(session, steps, target, Step("after", f"{after.verdict}: {after.reason}", is_ok=is_same))
    return _result(session, clock, target, name, steps)


def drill_end(session: Session, *, address: str) -> Result:
    """Take away a drill that was left on a host by one that was killed."""
    clock = Clock()
    with clock.stage("look"):
        session, target, _ = _target(session, address, is_really=True)
    found = end_drill(target)
    seen = f"taken away: {found.text}" if found is not None else "there was none"
    return _result(session, clock, target, "end", [Step("taken away", seen, is_ok=True)])


def _target(session: Session, address: str, *, is_really: bool) -> tuple[Session, Target, dict[str, Expected]]:
    looked = look_at_platforms(session)
    session = session.knowing(looked.observed)
    location = next((place for place in session.desired.locations if place.address == address.rpartition("/")[0]), None)
    if location is None or all(host.address != address for host in location.hosts):
        raise UsageProblem(f"site '{session.desired.site}' has no host {address!r}", hint="`leptonctl plan` lists them")
    if location.platform != "local" and not is_really:
        raise Refused(
            f"{address} is on the platform {location.platform}: a drill there alarms people, and gates of other runs"
            " see the fault too",
            hint="pass --really to go on, or try it on a local host",
        )
    expected = expected_gpus(session.loaded.site, session.desired)
    if address not in expected:
        raise UsageProblem(
            f"{address} declares no accelerators: nobody would judge the fault",
            hint="write `accelerators: {gpus: {count: 1}}` in its node group",
        )
    target = next((aim for aim in targets(session, looked.observed, session.desired) if aim.address == address), None)
    if target is None:
        raise Refused(f"{address} is not there", hint="`leptonctl up` makes or starts it")
    return session, target, expected


def _judged(target: Target, expected: dict[str, Expected]) -> HostHealth:
    return judge_hosts([target], expected)[target.address]


def _show(
    session: Session,
    steps: list[Step],
    target: Target,
    expected: dict[str, Expected],
    code: int,
    stop: threading.Event,
) -> None:
    """What reads, judges and decides, with the fault in place."""
    health = _judged(target, expected)
    known, own = xid(code), expected[target.address]
    own_text = f"Xid {code}"
    xids = [one for one in health.findings if one.check == "Xid"]
    found = next((one for one in xids if f"{one.measured} ".startswith((f"{own_text} ", f"{own_text},"))), None)
    if found is None:
        _say(session, steps, target, Step("reader", f"no {own_text} was read", is_ok=False))
        return
    seen = f"{health.text(found)}; {found.verdict}; {found.action}"
    is_as_known = found.verdict == known.verdict
    _say(session, steps, target, Step("reader and policy", seen, is_ok=is_as_known))
    if stop.is_set():
        return
    mine = [address for address in expected if address.rpartition("/")[0] == target.location]
    decision = decide({target.address: health}, own.policy, is_shadow=own.is_shadow, host_count=len(mine))
    is_out = target.address in decision.out
    seen = "only reported (shadow mode)" if own.is_shadow else "out of service" if is_out else "in service"
    _say(
        session,
        steps,
        target,
        Step("gate", f"{target.address} would be {seen}", is_ok=is_out != health.verdict.passes or own.is_shadow),
    )
    everywhere = {host.address: host for place in session.desired.locations for host in place.hosts}
    is_watched = any(role.name == "monitoring_server" for host in everywhere.values() for role in host.roles)
    roles = {role.name for role in everywhere[target.address].roles}
    # A host behind whose fault many others stand, or in shadow mode, still has its own metrics.
    seen, is_told = alert_for(health.verdict, roles=roles, is_watched=is_watched)
    _say(session, steps, target, Step("alert", seen, is_ok=is_told))
    members = next(
        group
        for group in together(session.desired.locations)
        if any(location.address == target.location for location in group)
    )
    hosts = [host.address for location in members for host in location.hosts]
    rollout = roll_over(members, changing=hosts, barred=())
    is_failed = not health.verdict.passes and not own.is_shadow
    why = why_stop(rollout, {target.address} if is_failed else set())
    what = f"it would stop: {why}" if why else f"it would go on: at most {rollout.max_failed} may fail"
    _say(session, steps, target, Step("rollout", f"{rollout.name}: {what}", is_ok=None if why is None else True))


def _say(session: Session, steps: list[Step], target: Target, step: Step) -> None:
    steps.append(step)
    state = "failed" if step.is_ok is False else "done"
    session.report(Progress("health", state, target.address, f"{step.name}: {step.seen}"))  # type: ignore[arg-type]


def _result(session: Session, clock: Clock, target: Target, name: str, steps: list[Step]) -> Result:
    problems = tuple(
        ProblemResult(rule="drill", where=target.address, message=f"{step.name}: {step.seen}")
        for step in steps
        if step.is_ok is False
    )
    return Result(
        verb="drill",
        site=session.desired.site,
        exit_code=ExitCode.DIFFERENCE_FOUND if problems else ExitCode.DONE,
        problems=problems,
        durations_s=clock.read(),
        data={"drill": name, "host": target.address, "steps": [asdict(step) for step in steps]},
    )
