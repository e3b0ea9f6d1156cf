"""Outcome: what `up` came to, host by host and location by location, with its exit code. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leptonctl import summaries
from leptonctl.errors import ExitCode, exit_code_over
from leptonctl.planning.observed import Reach, RoleState
from leptonctl.planning.plan import Action
from leptonctl.result import HostResult, LocationResult, ProblemResult, Result, RoleResult
from leptonctl.summaries.gate import gate_data, gate_problems
from leptonctl.summaries.removal import still_there
from leptonctl.summaries.rollout import rolled_out, stop_problems

if TYPE_CHECKING:
    from leptonctl.hosts.configured import HostConfigured
    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
    from leptonctl.planning.observed import HostLook, Observed
    from leptonctl.planning.plan import Plan
    from leptonctl.stages.applying import Applied
    from leptonctl.stages.gate import Gated

_WRONG_KEY = {Reach.HOST_KEY_CHANGED, Reach.HOST_KEY_UNKNOWN}
HostStatus = Literal["in_order", "changed", "failed", "unreachable", "differs", "unknown", "skipped"]


def nothing_to_do(plan: Plan) -> Result:
    """The result of an `up` that had nothing to do."""
    return Result(
        verb="up",
        site=plan.site,
        exit_code=ExitCode.DONE,
        locations=summaries.planned_locations(plan),
        changes=summaries.changes_of(plan),
        data={"message": "nothing to do: all is as the site file says", "digest": plan.digest},
    )


def outcome(want: Desired, plan: Plan, applied: Applied, after: Observed) -> Result:
    """The result of an `up` that did something. `after` is the look that followed: it has the last word."""
    locations = tuple(_location(location, applied, after) for location in want.locations)
    problems = (
        *(problem for done in applied.rollouts for problem in stop_problems(done, applied)),
        *(problem for location in want.locations for problem in _problems(location, applied, after)),
    )
    if applied.failed:
        code = exit_code_over(applied.failed.values())
    elif any(look.reach in _WRONG_KEY for look in after.looks.values()):
        code = ExitCode.REFUSED
    else:
        code = ExitCode.CONFIGURATION_FAILED if problems else ExitCode.DONE
    return Result(
        verb="up",
        site=want.site,
        exit_code=code,
        locations=locations,
        changes=tuple(summaries.change_of(change) for change in plan.changes if change.action is not Action.KEEP),
        problems=problems,
        data={
            "message": _message(locations, problems, len(applied.not_begun)),
            "digest": plan.digest,
            "rollouts": [rolled_out(done) for done in applied.rollouts],
            "health": gate_data(applied.gated),
        },
    )


def _message(locations: tuple[LocationResult, ...], problems: tuple[ProblemResult, ...], not_begun: int) -> str:
    hosts = [host for location in locations for host in location.hosts]
    fine = sum(host.status in {"changed", "in_order"} for host in hosts)
    if not_begun:
        return (
            f"stopped: {fine} of {len(hosts)} hosts are as the site file says, {not_begun} were not begun;"
            " `leptonctl up` again goes on with the rest"
        )
    if problems or fine < len(hosts):
        return f"{fine} of {len(hosts)} hosts are as the site file says; `leptonctl up` again goes on with the rest"
    return f"done: {len(hosts)} hosts are as the site file says"


def _location(location: DesiredLocation, applied: Applied, after: Observed) -> LocationResult:
    hosts = tuple(_host(host, location, applied, after) for host in location.hosts)
    error = applied.failed.get(location.address)
    blocker = applied.skipped.get(location.address)
    statuses = {host.status for host in hosts}
    status: Literal["in_order", "changed", "failed", "skipped"] = "in_order"
    if error is not None or statuses & {"failed", "unreachable", "differs", "unknown"}:
        status = "failed"
    elif blocker is not None or "skipped" in statuses:
        status = "skipped"
    elif "changed" in statuses or location.address in applied.made:
        status = "changed"
    detail = error.message if error is not None else f"waits for {blocker}, which failed" if blocker else None
    return LocationResult(
        address=location.address,
        tier=location.tier,
        platform=location.platform,
        status=status,
        detail=detail,
        hosts=hosts,
    )


def _host(host: DesiredHost, location: DesiredLocation, applied: Applied, after: Observed) -> HostResult:
    there = after.locations.get(location.address)
    endpoint = there.endpoints.get(host.address) if there is not None else None
    done = applied.hosts.get(host.address)
    look = after.looks.get(host.address)
    status, detail = _verdict(host.address, applied, look)
    if look is None and location.address not in applied.failed and location.address not in applied.skipped:
        detail = "the host is not running"
    return HostResult(
        address=host.address,
        status=status,
        hostname=endpoint.hostname if endpoint is not None else None,
        detail=detail,
        changed_count=done.changed_count if done is not None else None,
        roles=tuple(_role(role.name, done, look) for role in host.roles),
        gone_roles=(*_removed(done), *still_there(host.address, look)),
    )


def _verdict(  # noqa: PLR0911 - one answer after the other, the first that holds counts
    address: str, applied: Applied, look: HostLook | None
) -> tuple[HostStatus, str | None]:
    """What came of a host: what Ansible said first, then what was seen after it."""
    done = applied.hosts.get(address)
    if done is not None and done.failure is not None:
        said = done.failure.message
        return ("unreachable", said) if done.status == "unreachable" else ("failed", f"{done.failure.task}: {said}")
    gated = applied.gated.get(address)
    if gated is not None and not gated.passes:
        return _unfit(address, applied, gated)
    if look is None:
        return "skipped", None
    if look.reach != Reach.OK:
        return "unreachable", look.detail
    if address in applied.not_begun:
        return "skipped", applied.not_begun[address]
    if address in applied.unproven or not look.is_in_order:
        return "differs", applied.unproven.get(address, "after the run it is still not as the site file says")
    return ("changed" if done is not None and done.changed_count else "in_order"), None


def _unfit(address: str, applied: Applied, gated: Gated) -> tuple[HostStatus, str]:
    """A host that did not pass the gate: it failed, or was out of service before and was left alone."""
    if address in applied.left_out:
        return "skipped", f"out of service: {gated.health.reason}"
    return "failed", f"its accelerators did not pass: {gated.health.reason}"


def _removed(done: HostConfigured | None) -> tuple[RoleResult, ...]:
    return tuple(RoleResult(name=name, state="removed") for name in (done.removed if done is not None else ()))


def _role(name: str, done: HostConfigured | None, look: HostLook | None) -> RoleResult:
    answer = look.roles.get(name) if look is not None else None
    state = answer.state.value if answer is not None else RoleState.UNKNOWN.value
    reasons = tuple(difference.message for difference in answer.differences) if answer is not None else ()
    if done is not None and done.failure is not None and done.failure.role == name:
        return RoleResult(name=name, state="failed", reasons=(done.failure.message,))
    if done is not None and name in done.roles and state == RoleState.IN_ORDER:
        return RoleResult(name=name, state="done")
    return RoleResult(name=name, state=state, reasons=reasons)


def _problems(location: DesiredLocation, applied: Applied, after: Observed) -> list[ProblemResult]:
    if location.address in applied.failed:
        return list(summaries.error_problems(applied.failed[location.address], where=location.address))
    if location.address in applied.skipped:
        message = f"not begun: it waits for {applied.skipped[location.address]}, which failed"
        return [ProblemResult(rule="not_begun", where=location.address, message=message)]
    found: list[ProblemResult] = []
    if any(host.address in applied.not_begun for host in location.hosts) and location.address in applied.held:
        message = f"not begun: it waits for {applied.held[location.address]}, where the rollout stopped"
        found.append(ProblemResult(rule="not_begun", where=location.address, message=message))
    for host in location.hosts:
        status, detail = _verdict(host.address, applied, after.looks.get(host.address))
        # What was not begun is told once, for its location or rollout.
        if status not in {"in_order", "changed"} and host.address not in applied.not_begun:
            found.extend(_host_problems(host.address, detail, applied, after))
    return found


def _host_problems(address: str, detail: str | None, applied: Applied, after: Observed) -> list[ProblemResult]:
    """What is wrong with one host that is not as it should be."""
    done, look, gated = applied.hosts.get(address), after.looks.get(address), applied.gated.get(address)
    found: list[ProblemResult] = []
    if done is not None and done.failure is not None:
        found.append(_failure(address, done))
    elif gated is not None and not gated.passes:
        found.extend(gate_problems(address, gated))
    elif address in applied.unproven:
        found.append(ProblemResult(rule="verify", where=address, message=applied.unproven[address]))
    elif look is not None and look.reach == Reach.OK:
        found.extend(summaries.difference_problems(after, only=address))
    else:
        message = detail or "the host is not running"
        rule = look.reach.value if look is not None else "not_deployed"
        found.append(ProblemResult(rule=rule, where=address, message=message))
    if address in applied.unrecorded:
        message = f"its manifest could not be written: {applied.unrecorded[address]}"
        found.append(ProblemResult(rule="manifest", where=address, message=message))
    return found


def _failure(address: str, done: HostConfigured) -> ProblemResult:
    """A failed task, with the last lines of what it said."""
    failure = done.failure
    if failure is None:
        return ProblemResult(rule="configure", where=address, message="failed")
    lines = "".join(f"\n    {line}" for line in failure.last_lines)
    return ProblemResult(
        rule=failure.role or "configure",
        where=address,
        message=f"task '{failure.task}' failed: {failure.message}{lines}",
        hint="the whole output is in the run folder, in configure-*/",
    )
