"""Summary: plans, looks and what was applied, put into the one shape that every verb answers with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leptonctl.planning.monitoring import OF_OTHERS, SERVER
from leptonctl.planning.observed import Difference, Observed, ObservedResource, Reach, RoleState
from leptonctl.planning.plan import Action, Change, HostPlan, LocationPlan, Plan
from leptonctl.result import ChangeResult, HostResult, LocationResult, ProblemResult, RoleResult
from leptonctl.summaries.removal import gone_role_results, removal_problems

if TYPE_CHECKING:
    from leptonctl.errors import LeptonError, Problem
    from leptonctl.planning.desired import Desired


def changes_of(plan: Plan) -> tuple[ChangeResult, ...]:
    """Every resource change of a plan."""
    return tuple(change_of(change) for change in plan.changes)


def change_of(change: Change) -> ChangeResult:
    """One resource change."""
    return ChangeResult(
        action=change.action.value,
        kind=change.kind,
        address=change.address,
        location=change.location,
        reasons=change.reasons,
        is_data=change.is_data,
    )


def resource_of(resource: ObservedResource, action: Literal["delete", "keep"], reason: str) -> ChangeResult:
    """A resource that is there, and what became of it."""
    return ChangeResult(
        action=action,
        kind=resource.kind,
        address=resource.address,
        location=resource.location,
        reasons=(reason,),
        is_data=resource.is_data,
    )


def planned_locations(plan: Plan) -> tuple[LocationResult, ...]:
    """Every location of a plan, with its hosts and roles."""
    return tuple(_planned(location) for location in plan.locations)


def _planned(location: LocationPlan) -> LocationResult:
    hosts = tuple(_planned_host(host) for host in location.hosts)
    is_kept = all(change.action is Action.KEEP for change in location.changes)
    is_in_order = is_kept and not location.note and all(host.status == "in_order" for host in hosts)
    return LocationResult(
        address=location.address,
        tier=location.tier,
        platform=location.platform,
        status="unknown" if location.note else "in_order" if is_in_order else "planned",
        detail=location.note,
        hosts=hosts,
    )


def _planned_host(host: HostPlan) -> HostResult:
    is_in_order = bool(host.roles) and not host.changing_roles
    return HostResult(
        address=host.address,
        status="unreachable" if host.note else "in_order" if is_in_order and not host.gate else "planned",
        hostname=host.hostname,
        detail=host.note or host.gate,
        roles=tuple(RoleResult(name=role.name, state=role.state.value, reasons=role.reasons) for role in host.roles),
        gone_roles=gone_role_results(host.address, host.gone_roles),
    )


def difference_problems(
    observed: Observed, *, only: str | None = None, waiting: tuple[str, ...] = ()
) -> tuple[ProblemResult, ...]:
    """Every difference that was found on the hosts (or on the one named), host by host.

    `waiting` are hosts that the monitoring server should scrape and that are not there: that its targets would change
    for them is no finding of its own, they are.
    """
    found: list[ProblemResult] = []
    for address, look in observed.looks.items():
        if only not in {None, address}:
            continue
        if look.reach != Reach.OK:
            found.append(ProblemResult(rule=look.reach.value, where=address, message=look.detail))
            continue
        for role, answer in look.roles.items():
            found.extend(_difference(address, difference) for difference in answer.differences)
            if answer.state in {RoleState.IN_ORDER, RoleState.DIFFERS}:
                continue
            if waiting and role == SERVER and answer.changed_settings and set(answer.changed_settings) <= OF_OTHERS:
                continue
            names = f": {', '.join(answer.changed_settings)}" if answer.changed_settings else ""
            found.append(ProblemResult(rule=role, where=address, message=_STATE_WORDS[answer.state] + names))
        found.extend(removal_problems(address, look))
        found.extend(_difference(address, difference) for difference in look.checks or ())
    # A check that failed stands with its role and with the host: it is told once.
    return tuple({(problem.where, problem.message): problem for problem in found}.values())


_STATE_WORDS = {
    RoleState.NEW: "the role has not run on this host yet",
    RoleState.SETTINGS_CHANGED: "settings changed in the site file since the role ran",
    RoleState.ROLE_CHANGED: "the role itself changed since it ran",
    RoleState.NO_TRUSTED_MANIFEST: "not known: the host has no manifest that can be trusted; `up` runs the role again",
    RoleState.UNKNOWN: "not known: the host's answer was not understood",
}


def _difference(address: str, difference: Difference) -> ProblemResult:
    return ProblemResult(rule=difference.role, where=address, message=difference.message)


def problem_of(problem: Problem) -> ProblemResult:
    """A problem of an error, in the shape of the result."""
    return ProblemResult(
        rule=problem.rule,
        message=problem.message,
        hint=problem.hint,
        where=problem.where,
        file=problem.file,
        line=problem.line,
        column=problem.column,
    )


def error_problems(error: LeptonError, *, where: str | None = None) -> tuple[ProblemResult, ...]:
    """Everything that an error carries; itself where it carries nothing more."""
    if error.problems:
        return tuple(problem_of(problem) for problem in error.problems)
    return (ProblemResult(rule=type(error).__name__, message=error.message, hint=error.hint, where=where),)


def disagreement_problems(observed: Observed) -> tuple[ProblemResult, ...]:
    """Everything that plan, state and platform do not agree about, as far as the look went."""
    return tuple(
        ProblemResult(rule="resource", where=one.address, message=f"{one.kind}: {one.text}")
        for location in observed.locations.values()
        if location is not None
        for one in location.disagreements
    )


def unanswered_problems(observed: Observed) -> tuple[ProblemResult, ...]:
    """Every location whose platform could not tell."""
    return tuple(
        ProblemResult(rule="not_answered", where=address, message=f"the platform could not be asked: {reason}")
        for address, reason in observed.unanswered.items()
    )


def resource_problems(plan: Plan) -> tuple[ProblemResult, ...]:
    """Every resource that is not as it should be: absent, different, or there without standing in the site file."""
    return tuple(
        ProblemResult(
            rule="resource",
            where=change.address,
            message=": ".join(
                [f"{change.kind} {_DRIFT_WORDS[change.action]}", *filter(None, [", ".join(change.reasons)])]
            ),
        )
        for change in plan.changes
        if change.action in _DRIFT_WORDS
    )


_DRIFT_WORDS = {
    Action.CREATE: "is missing",
    Action.UPDATE: "differs",
    Action.REPLACE: "differs, and has to be made again",
    Action.DELETE: "should not be there",
    Action.FORBIDDEN: "cannot become what the site file asks for",
}


def missing_problems(locations: tuple[LocationResult, ...]) -> tuple[ProblemResult, ...]:
    """Every host that should be there and was read as absent."""
    return tuple(
        ProblemResult(
            rule="not_deployed",
            where=host.address,
            message=f"the host is not running: {host.deployed.detail}",
            hint="`leptonctl up` makes or starts it",
        )
        for location in locations
        for host in location.hosts
        if host.deployed is not None and host.deployed.value == "no"
    )


def settings_by_group(want: Desired) -> dict[str, dict[str, object]]:
    """The settings that `plan` shows: by `LOCATION/GROUP`, role and setting. Secrets are references, as in the file."""
    found: dict[str, dict[str, object]] = {}
    for location in want.locations:
        groups = [(host.group, host.roles) for host in location.hosts]
        groups += [(scaling.group, scaling.roles) for scaling in location.scaling]
        for group, roles in groups:
            found.setdefault(f"{location.address}/{group}", {role.name: dict(role.settings) for role in roles})
    return found
