"""The stages of each verb, in order. Read this first: everything else is one of these stages.

    site.yaml -> open_session -> desired ----------+
                                                   +-> diff -> Plan -> make, configure -> look again -> Result
    look_at_platforms -> look_at_hosts -> observed +

A verb returns a `Result` with its exit code, or raises a `LeptonError`. Nothing here prints or exits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leptonctl import summaries
from leptonctl.catalog import estimate
from leptonctl.clock import Clock
from leptonctl.errors import ExitCode
from leptonctl.hosts.inventory import inventory as ansible_inventory
from leptonctl.hosts.probe import Checks
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.planning.checks import problems
from leptonctl.planning.derived import unknown_targets
from leptonctl.planning.diff import diff, hostnames
from leptonctl.planning.observed import NOTHING_ASKED
from leptonctl.record.known import read_known
from leptonctl.record.lock import hold
from leptonctl.record.run import Run, open_run, past_runs
from leptonctl.result import Result
from leptonctl.session import Session, scope
from leptonctl.stages import applying, configuring, preflight
from leptonctl.stages.gate import left_out, open_gate
from leptonctl.stages.host_protection import refuse_losses_on_hosts
from leptonctl.stages.judging import judge_hosts
from leptonctl.stages.looking import NO_SECRETS, Looked, answers, look_at_hosts, look_at_platforms, targets
from leptonctl.stages.protection import (
    forbidden_problems,
    refuse_forbidden,
    refuse_replacement,
    refuse_stale,
    refuse_unknown_data,
    refuse_unknown_roles,
    write_plan,
)
from leptonctl.stages.rolling import roll_out
from leptonctl.stages.runtimes import with_stops_allowed
from leptonctl.stages.taking_off import RoleTaker
from leptonctl.stages.teardown import prove_gone, removals_of, remove_locations
from leptonctl.stages.waiting import wait_for_young_hosts
from leptonctl.summaries.estimate import estimate_data
from leptonctl.summaries.gate import service_problems, verified_health
from leptonctl.summaries.looked import looked_locations
from leptonctl.summaries.outcome import nothing_to_do, outcome
from leptonctl.summaries.rollout import planned_rollout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from leptonctl.planning.desired import Desired
    from leptonctl.planning.plan import Plan

NO_DATA: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UpRequest:
    """What `up` was asked. `approve` is called with the plan before anything changes, and raises to stop."""

    approve: Callable[[Plan], None]
    only: tuple[str, ...] = ()
    plan_file: Path | None = None
    is_forced: bool = False
    roles: tuple[str, ...] = ()
    replace: frozenset[str] = frozenset()
    delete_data: frozenset[str] = frozenset()
    stop_containers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What `plan` was asked: to look and compare, to ask what would stop `up`, and where to write the plan."""

    only: tuple[str, ...] = ()
    is_compared: bool = False
    is_preflight: bool = False
    out: Path | None = None
    is_exit_code: bool = False
    delete_data: frozenset[str] = frozenset()


def plan(session: Session, ask: PlanRequest) -> Result:
    """Say what should be, or what has to change, and what would stop it. Changes nothing but the file asked for."""
    clock = Clock()
    want, looked = scope(session.desired, ask.only, is_before_look=ask.is_compared), Looked(NOTHING_ASKED)
    with clock.stage("look"):
        if ask.is_compared:
            session, want, looked = _look(session, ask.only, is_close=True)
    found = _plan(session, want, looked, ask.only, ask.delete_data)
    refuse_unknown_data(found, ask.delete_data)
    with clock.stage("preflight"):
        asked = (location.address for location in want.locations) if ask.is_preflight else ()
        checks = preflight.ask(session, asked)
    if ask.out is not None:
        write_plan(ask.out, found)
    refused = forbidden_problems(found)
    in_the_way = tuple(map(summaries.problem_of, (*refused, *problems(checks))))
    unanswered = summaries.unanswered_problems(looked.observed)
    code = ExitCode.REFUSED if refused else ExitCode.PREFLIGHT_FAILED if in_the_way else ExitCode.DONE
    if code is ExitCode.DONE and unanswered:
        code = ExitCode.PLATFORM_FAILED
    if not in_the_way and ask.is_exit_code and ask.is_compared and not found.is_in_order:
        code = ExitCode.DIFFERENCE_FOUND
    return Result(
        verb="plan",
        site=found.site,
        exit_code=code,
        locations=summaries.planned_locations(found),
        changes=summaries.changes_of(found),
        problems=(*in_the_way, *unanswered),
        durations_s=clock.read(),
        data={
            "is_observed": found.is_observed,
            "digest": found.digest,
            "desired_digest": found.desired_digest,
            "waves": found.waves,
            "rollouts": [planned_rollout(rollout) for rollout in found.rollouts],
            "estimate": estimate_data(estimate(want, found)),
            "settings": summaries.settings_by_group(want),
            "preflight": [asdict(check) for check in checks],
        },
    )


def up(session: Session, ask: UpRequest) -> Result:
    """Look, plan, ask, make, configure, look again."""
    clock = Clock()
    want = scope(session.desired, ask.only, is_before_look=True)
    refuse_unknown_roles(ask.roles)
    names = [location.address for location in want.locations]
    with open_run(session.state_dir, "up") as run, hold(session.state_dir, names, run_id=run.id):
        session = session.reporting_to(run.event)
        secrets = configuring.resolve_secrets(session, want)
        with clock.stage("look"):
            session, want, looked = _look(session, ask.only, secrets, is_close=True)
        planned = _plan(session, want, looked, ask.only, ask.delete_data)
        refuse_unknown_data(planned, ask.delete_data)
        run.write("plan.json", {**asdict(planned), "digest": planned.digest})
        if ask.plan_file is not None:
            refuse_stale(ask.plan_file, planned)
        if planned.is_in_order and not ask.is_forced:
            return _end(run, clock, nothing_to_do(planned))
        refuse_forbidden(planned)
        refuse_replacement(planned, ask.replace)
        refuse_losses_on_hosts(session, want, looked, ask.stop_containers)
        ask.approve(planned)
        with clock.stage("preflight"):
            checks = preflight.ask(session, applying.changing(planned))
            run.write("preflight.json", [asdict(check) for check in checks])
            preflight.pass_or_raise(session, checks)
        applied = applying.Applied()
        with clock.stage("platforms"), applying.stoppable(session) as stop:
            applying.make_locations(session, planned, applied, stop)
            if not ask.only:
                applying.remove_strays(session, looked.strays)
        with clock.stage("look"), applying.stoppable(session) as stop:
            session, want, looked = _look(session, ask.only, secrets, before=looked)
            looked = wait_for_young_hosts(session, looked, want, secrets=secrets, stop=stop)
        complete = targets(session, looked.observed, want)
        configuring.keep_known_hosts(session, complete)
        chosen = configuring.select(planned, complete, looked.observed, forced=ask.is_forced, names=ask.roles)
        gate = open_gate(session, run, looked, secrets)
        applied.gated = gate.gated
        with clock.stage("health"), applying.stoppable(session):
            applied.left_out = left_out(gate, complete, changing=chosen.changing, named=ask.only)
        chosen = with_stops_allowed(chosen.without(applied.left_out), ask.stop_containers)
        job = configuring.job(session, looked.observed, run, chosen, complete, secrets, gate)
        with clock.stage("hosts"), applying.stoppable(session) as stop:
            roll_out(session, want, job, applied, stop)
        with clock.stage("look"):
            after = look_at_hosts(session, looked, want, secrets=secrets, before=looked.but_for(applied.hosts))
        return _end(run, clock, outcome(want, planned, applied, after.observed))


def _look(
    session: Session,
    only: tuple[str, ...],
    secrets: Mapping[str, str] = NO_SECRETS,
    *,
    checks: Checks = Checks.QUICK,
    before: Looked | None = None,
    is_close: bool = False,
) -> tuple[Session, Desired, Looked]:
    """Look at platforms, then at hosts. The site that comes back has the hosts that its scaling groups have now.

    A close look at a platform compares every property of what is there.
    """
    near = scope(session.desired, only, is_before_look=True).locations if is_close else ()
    looked = look_at_platforms(session, closely=frozenset(location.address for location in near))
    session = session.knowing(looked.observed)
    want = scope(session.desired, only)
    return session, want, look_at_hosts(session, looked, want, secrets=secrets, checks=checks, before=before)


def _plan(
    session: Session, want: Desired, looked: Looked, only: tuple[str, ...], delete_data: frozenset[str] = NO_DATA
) -> Plan:
    """The difference between what should be and what is there; with `only`, of that part alone."""
    strays, whole = () if only else looked.strays, session.desired
    return diff(want, looked.observed, whole=whole, strays=strays, named=only, delete_data=delete_data)


def _waiting(session: Session, looked: Looked) -> tuple[str, ...]:
    """The hosts that are to be scraped and are not there."""
    return unknown_targets(session.desired, hostnames(looked.observed))


def _end(run: Run, clock: Clock, result: Result) -> Result:
    """Complete a result with its times and run folder, and keep it there."""
    whole = result.model_copy(update={"durations_s": clock.read(), "run": str(run.folder)})
    run.write("result.json", whole.model_dump(mode="json", by_alias=True))
    return whole


def status(session: Session, *, only: tuple[str, ...], is_exit_code: bool) -> Result:
    """Ask platforms and hosts whether all is deployed, reachable and in sync.

    Things are compared with plan and state, their properties are not: `drift` does that.
    """
    clock = Clock()
    scope(session.desired, only, is_before_look=True)
    with clock.stage("look"):
        session, want, looked = _look(session, only)
    known = read_known(session.state_dir, [location.address for location in want.locations])
    locations = looked_locations(want, looked.observed, known, now=datetime.now(UTC))
    problems = (*summaries.unanswered_problems(looked.observed), *summaries.disagreement_problems(looked.observed))
    is_fine = all(location.status == "in_order" for location in locations) and not looked.strays
    code = ExitCode.DIFFERENCE_FOUND if is_exit_code and not is_fine else ExitCode.DONE
    return Result(
        verb="status",
        site=want.site,
        exit_code=code,
        locations=locations,
        changes=tuple(summaries.resource_of(stray, "keep", "not in the site file") for stray in looked.strays),
        problems=problems,
        durations_s=clock.read(),
    )


def verify(session: Session, *, only: tuple[str, ...]) -> Result:
    """Prove on the hosts, read-only, that everything is as planned: contents and live checks in one round trip.

    Hosts that declare accelerators are asked once more, and judged.
    """
    clock = Clock()
    scope(session.desired, only, is_before_look=True)
    with clock.stage("look"):
        session, want, looked = _look(session, only, checks=Checks.ALL)
    with clock.stage("health"):
        expected = expected_gpus(session.loaded.site, want)
        answering = [aim for aim in targets(session, looked.observed, want) if answers(looked, aim.address)]
        unfit, health = verified_health(judge_hosts(answering, expected), expected)
    known = read_known(session.state_dir, [location.address for location in want.locations])
    locations = looked_locations(want, looked.observed, known, now=datetime.now(UTC))
    problems = (
        *summaries.unanswered_problems(looked.observed),
        *summaries.missing_problems(locations),
        *summaries.difference_problems(looked.observed, waiting=_waiting(session, looked)),
        *unfit,
        *service_problems(locations, told=unfit),
    )
    code = ExitCode.DIFFERENCE_FOUND if problems else ExitCode.DONE
    return Result(
        verb="verify",
        site=want.site,
        exit_code=code,
        locations=locations,
        problems=problems,
        durations_s=clock.read(),
        data={"health": health} if health else {},
    )


def drift(session: Session, *, only: tuple[str, ...]) -> Result:
    """Compare platforms and hosts with the site file; made for a timer. Everything that differs is a problem."""
    clock = Clock()
    scope(session.desired, only, is_before_look=True)
    with clock.stage("look"):
        session, want, looked = _look(session, only, is_close=True)
    planned = _plan(session, want, looked, only)
    problems = (
        *summaries.unanswered_problems(looked.observed),
        *summaries.resource_problems(planned),
        *summaries.difference_problems(looked.observed, waiting=_waiting(session, looked)),
    )
    code = ExitCode.DIFFERENCE_FOUND if problems else ExitCode.DONE
    return Result(
        verb="drift",
        site=want.site,
        exit_code=code,
        locations=summaries.planned_locations(planned),
        changes=summaries.changes_of(planned),
        problems=problems,
        durations_s=clock.read(),
    )


def down(
    session: Session, *, only: tuple[str, ...], delete_data: frozenset[str], approve: Callable[[Plan], None]
) -> Result:
    """Remove in reverse order, then ask the platforms what still carries the site's mark."""
    clock = Clock()
    scope(session.desired, only, is_before_look=True)
    with clock.stage("look"):
        looked = look_at_platforms(session)
    session = session.knowing(looked.observed)
    want = scope(session.desired, only)
    planned = diff(want, looked.observed, whole=session.desired, strays=looked.strays)
    with open_run(session.state_dir, "down") as run:
        removals = removals_of(want, () if only else looked.strays)
        names = sorted({one.location for one in removals})
        with hold(session.state_dir, names, run_id=run.id):
            session = session.reporting_to(run.event)
            approve(planned)
            with clock.stage("remove"):
                taker = RoleTaker(session, want, looked.observed, run, delete_data)
                removed = remove_locations(session, removals, delete_data, taker.take_off)
            with clock.stage("prove"):
                unanswered = {} if only else looked.observed.unanswered
                proof = prove_gone(session, removals, removed, delete_data, unanswered=unanswered)
                return _end(run, clock, proof)


def inventory(session: Session, *, only: tuple[str, ...]) -> dict[str, object]:
    """Give the Ansible inventory of the hosts that are there, with their settings; secrets stay references."""
    scope(session.desired, only, is_before_look=True)
    observed = look_at_platforms(session).observed
    session = session.knowing(observed)
    aims = targets(session, observed, scope(session.desired, only))
    known_hosts = session.state_dir / "known_hosts"
    return ansible_inventory(aims, known_hosts=known_hosts, control_dir=None)


def runs(session: Session) -> Result:
    """List the runs of the site, newest first."""
    found = [asdict(run) for run in past_runs(session.state_dir)]
    return Result(verb="runs", site=session.desired.site, exit_code=ExitCode.DONE, data={"runs": found})
