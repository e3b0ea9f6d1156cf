"""Looked: every location and host with the answers of `status` (deployed, reachable, in sync, in service). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leptonctl.planning.observed import HostLook, Observed, ObservedResource, Reach, RoleState
from leptonctl.planning.removal import is_any_removed
from leptonctl.planning.scaling import missing_hosts
from leptonctl.planning.service import Service, service_note, service_of
from leptonctl.result import Answer, HostResult, LocationResult, RoleResult
from leptonctl.summaries.removal import still_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
    from leptonctl.record.known import KnownHost

_NOT_A_DIFFERENCE = {RoleState.IN_ORDER, RoleState.UNKNOWN, RoleState.NO_TRUSTED_MANIFEST}


def looked_locations(
    want: Desired, observed: Observed, known: Mapping[str, KnownHost], *, now: datetime
) -> tuple[LocationResult, ...]:
    """Every location and host with the three answers of `status`, each with its age in seconds at `now`."""
    return tuple(_looked(location, observed, known, now) for location in want.locations)


def _looked(
    location: DesiredLocation, observed: Observed, known: Mapping[str, KnownHost], now: datetime
) -> LocationResult:
    hosts = tuple(_looked_host(host, location, observed, known, now) for host in location.hosts)
    deployed = _all(host.deployed for host in hosts)
    if location.address in observed.unanswered:
        deployed = Answer(value="unknown", detail=observed.unanswered[location.address])
    elif observed.locations.get(location.address) is None and location.address in observed.locations:
        deployed = Answer(value="no", detail="nothing is there", age_s=0.0)
    elif deployed.value == "yes" and (lacking := _lacking(location, observed)):
        deployed = Answer(value="no", detail="; ".join(lacking), age_s=0.0)
    reachable, in_sync = _all(host.reachable for host in hosts), _all(host.in_sync for host in hosts)
    in_service = _all(host.in_service for host in hosts)
    there = observed.locations.get(location.address)
    is_agreed = there is None or not there.disagreements
    answers = {deployed.value, reachable.value, in_sync.value, in_service.value, "yes" if is_agreed else "no"}
    return LocationResult(
        address=location.address,
        tier=location.tier,
        platform=location.platform,
        status="differs" if "no" in answers else "unknown" if "unknown" in answers else "in_order",
        detail=deployed.detail,
        hosts=hosts,
        deployed=deployed,
        reachable=reachable,
        in_sync=in_sync,
    )


def _lacking(location: DesiredLocation, observed: Observed) -> list[str]:
    there = observed.locations.get(location.address)
    return [missing for group in location.scaling if (missing := missing_hosts(group, there)) is not None]


def _all(answers: Iterable[Answer | None]) -> Answer:
    """One answer for many: no before unknown before yes, as old as the oldest."""
    given = [answer for answer in answers if answer is not None]
    for value in ("no", "unknown"):
        count = sum(answer.value == value for answer in given)
        if count:
            return Answer(value=value, detail=f"{count} of {len(given)} hosts", age_s=_oldest(given))
    return Answer(value="yes", age_s=_oldest(given))


def _oldest(answers: list[Answer]) -> float | None:
    ages = [answer.age_s for answer in answers if answer.age_s is not None]
    return max(ages) if ages else None


def _looked_host(
    host: DesiredHost, location: DesiredLocation, observed: Observed, known: Mapping[str, KnownHost], now: datetime
) -> HostResult:
    there = observed.locations.get(location.address)
    look = observed.looks.get(host.address)
    endpoint = there.endpoints.get(host.address) if there is not None else None
    if location.address in observed.unanswered:
        deployed = Answer(value="unknown", detail="the platform did not answer")
    else:
        deployed = _deployed(host, there.resources if there is not None else (), is_reachable=endpoint is not None)
    if look is None:
        last = known.get(host.address)
        reachable = Answer(value="unknown" if deployed.value == "unknown" else "no", detail="it was not there to ask")
        in_sync = Answer(value="unknown", detail=f"last configured {last.recorded}" if last else None)
    else:
        age = max(0.0, (now - look.looked_at).total_seconds())
        is_ok = look.reach == Reach.OK
        reachable = Answer(value="yes" if is_ok else "no", detail=None if is_ok else look.detail, age_s=age)
        in_sync = _in_sync(host, look, age)
    in_service = _in_service(service_of(location, host, look), look)
    answers = {deployed.value, reachable.value, in_sync.value, in_service.value if in_service else "yes"}
    return HostResult(
        address=host.address,
        status="unreachable"
        if look is not None and look.reach != Reach.OK
        else "differs"
        if "no" in answers
        else "unknown"
        if "unknown" in answers
        else "in_order",
        hostname=endpoint.hostname if endpoint else host.connection.hostname if host.connection else None,
        detail=look.detail or None if look is not None else None,
        roles=_looked_roles(host, look),
        gone_roles=still_there(host.address, look),
        deployed=deployed,
        reachable=reachable,
        in_sync=in_sync,
        in_service=in_service,
    )


def _in_service(service: Service | None, look: HostLook | None) -> Answer | None:
    if service is None:
        return None
    value: Literal["yes", "no", "unknown"] = "yes"
    if service is not Service.IN:
        value = "no" if service is Service.OUT else "unknown"
    return Answer(value=value, detail=service_note(service, look))


def _deployed(host: DesiredHost, resources: tuple[ObservedResource, ...], *, is_reachable: bool) -> Answer:
    if is_reachable:
        return Answer(value="yes", age_s=0.0)
    status = next((found.status for found in resources if found.kind == "host" and found.address == host.address), None)
    return Answer(value="no", detail="it is not there" if status is None else f"it is {status}", age_s=0.0)


def _in_sync(host: DesiredHost, look: HostLook, age: float) -> Answer:
    if look.reach != Reach.OK:
        return Answer(value="unknown", detail="the host could not be asked", age_s=age)
    states = [look.roles[role.name].state if role.name in look.roles else RoleState.UNKNOWN for role in host.roles]
    unseen = sum(len(look.roles[role.name].not_observed) for role in host.roles if role.name in look.roles)
    if any(state not in _NOT_A_DIFFERENCE for state in states) or look.checks:
        count = sum(state is not RoleState.IN_ORDER for state in states)
        return Answer(value="no", detail=f"{count} of {len(states)} roles" if count else "a check failed", age_s=age)
    if any(state != RoleState.IN_ORDER for state in states):
        return Answer(value="unknown", detail="no trusted manifest on the host", age_s=age)
    if is_any_removed(look.gone_roles):
        return Answer(value="no", detail=f"still has {', '.join(look.gone_roles)}", age_s=age)
    notes = [f"{unseen} not observed"] if unseen else []
    notes += [f"still has {', '.join(look.gone_roles)}"] if look.gone_roles else []
    return Answer(value="yes", detail=", ".join(notes) or None, age_s=age)


def _looked_roles(host: DesiredHost, look: HostLook | None) -> tuple[RoleResult, ...]:
    found: list[RoleResult] = []
    for role in host.roles:
        answer = look.roles.get(role.name) if look is not None else None
        if answer is None:
            found.append(RoleResult(name=role.name, state=RoleState.UNKNOWN.value))
            continue
        reasons = (
            *(difference.message for difference in answer.differences),
            *(f"setting {name} changed" for name in answer.changed_settings),
            *(f"not observed: {name}" for name in answer.not_observed),
        )
        found.append(RoleResult(name=role.name, state=answer.state.value, reasons=reasons))
    return tuple(found)
