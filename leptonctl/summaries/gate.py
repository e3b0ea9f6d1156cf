"""The health gate in a result: who passed and how, who is out of service, why, and what to do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.verdict import Verdict
from leptonctl.result import ProblemResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leptonctl.health.judge import HostHealth
    from leptonctl.planning.accelerators import Expected
    from leptonctl.result import LocationResult
    from leptonctl.stages.gate import Gated


def gate_data(gated: Mapping[str, Gated]) -> list[dict[str, object]]:
    """What the gate said of every host that it judged, as JSON."""
    return [
        {
            **health_data(address, one.health),
            "service": str(one.service),
            "is_shadow": one.is_shadow,
            "is_held": one.is_held,
            "logs": one.logs,
        }
        for address, one in gated.items()
    ]


def health_data(address: str, health: HostHealth) -> dict[str, object]:
    """A host's verdict with what did not hold, a line each: `failing` takes it out, `warnings` do not."""
    return {
        "address": address,
        "verdict": str(health.verdict),
        "action": str(health.action),
        "failing": [health.text(one) for one in health.findings if not one.verdict.passes],
        "warnings": [health.text(one) for one in health.findings if one.verdict is Verdict.DEGRADED],
    }


def gate_problems(address: str, gated: Gated) -> tuple[ProblemResult, ...]:
    """Why a host did not pass: one problem a finding, the last one also with what became of it."""
    found = list(health_problems(address, gated.health))
    if gated.is_held:
        message = "not taken out of service: too many of its location would be; decide yourself"
        found.append(ProblemResult(rule="health-breaker", where=address, message=message))
    if gated.unwritten is not None:
        message = f"that it did not pass could not be kept on it: {gated.unwritten}"
        found.append(ProblemResult(rule="health-record", where=address, message=message))
    return tuple(found)


def health_problems(address: str, health: HostHealth) -> tuple[ProblemResult, ...]:
    """Every finding that takes a host out of service, with what to do about it."""
    return tuple(
        ProblemResult(
            rule=f"health-{one.verdict}",
            where=address,
            message=health.text(one),
            hint=f"{one.action}; {one.source}",
        )
        for one in health.findings
        if not one.verdict.passes
    )


def verified_health(
    judged: Mapping[str, HostHealth], expected: Mapping[str, Expected]
) -> tuple[tuple[ProblemResult, ...], list[dict[str, object]]]:
    """What `verify` makes of it: the problems of hosts that are not only reported on, and all verdicts as JSON."""
    problems = tuple(
        problem
        for address, health in judged.items()
        if not expected[address].is_shadow
        for problem in health_problems(address, health)
    )
    data = [
        {**health_data(address, health), "is_shadow": expected[address].is_shadow} for address, health in judged.items()
    ]
    return problems, data


def service_problems(
    locations: Iterable[LocationResult], *, told: Iterable[ProblemResult]
) -> tuple[ProblemResult, ...]:
    """Every host that the gate keeps out, or has not judged since roles ran, but for those that were told already."""
    known = {problem.where for problem in told}
    return tuple(
        ProblemResult(
            rule="health-service",
            where=host.address,
            message=host.in_service.detail or "not known",
            hint="`leptonctl up` judges it again, and takes it in where it passes",
        )
        for location in locations
        for host in location.hosts
        if host.in_service is not None and host.in_service.value != "yes" and host.address not in known
    )
