"""Checkup: the health of a site's accelerators, read on the hosts and judged; and what is known of their errors."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from leptonctl.clock import Clock
from leptonctl.errors import ExitCode, UsageProblem
from leptonctl.health.fleet import decide
from leptonctl.health.level import Level
from leptonctl.health.policy import default_policy
from leptonctl.health.verdict import Verdict, worst
from leptonctl.health.xid import table_version, xid
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.result import ProblemResult, Result
from leptonctl.session import scope
from leptonctl.stages.judging import judge_hosts
from leptonctl.stages.looking import look_at_platforms, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.health.judge import HostHealth
    from leptonctl.health.policy import Policy
    from leptonctl.planning.accelerators import Expected
    from leptonctl.session import Session


def health(
    session: Session, *, only: tuple[str, ...], level: Level = Level.QUICK, limit_s: int | None = None
) -> Result:
    """Read and judge the GPUs of every host that declares some. Writes nothing; what could not be read does not pass.

    Beyond the level `quick` a load is put on them first, for `limit_s` seconds at most.
    """
    clock = Clock()
    want, site = scope(session.desired, only, is_before_look=True), session.loaded.site
    if not expected_gpus(site, want) and not any(location.scaling for location in want.locations):
        raise _nothing_declared()
    with clock.stage("look"):
        looked = look_at_platforms(session)
        session = session.knowing(looked.observed)
        want = scope(session.desired, only)
        expected = expected_gpus(site, want)
        if not expected:
            raise _nothing_declared()
    with clock.stage("health"):
        judged = judge_hosts(targets(session, looked.observed, want), expected, level, limit_s=limit_s)
    locations: list[dict[str, object]] = []
    for location in want.locations:
        own = {address: one for address, one in expected.items() if address.rpartition("/")[0] == location.address}
        if own:
            healths = {name: judged[name] for name in own if name in judged}
            locations.append(_location(location.address, own, healths, next(iter(own.values())).policy))
    problems = (*_absent(expected, judged), *_findings(judged))
    is_fine = len(judged) == len(expected) and all(one.verdict.passes for one in judged.values())
    code = ExitCode.DONE if is_fine else ExitCode.DIFFERENCE_FOUND
    return Result(
        verb="health",
        site=want.site,
        exit_code=code,
        problems=problems,
        durations_s=clock.read(),
        data={
            "level": str(level),
            "policy": default_policy().version,
            "xid_table": table_version(),
            "locations": locations,
            "hosts": [_host(address, one) for address, one in judged.items()],
        },
    )


def _nothing_declared() -> UsageProblem:
    return UsageProblem(
        "no host here declares accelerators",
        hint="write `accelerators: {gpus: {count: 8}}` in the node group whose hosts have some",
    )


def _location(
    address: str, own: Mapping[str, Expected], healths: Mapping[str, HostHealth], policy: Policy
) -> dict[str, object]:
    """The verdict on a location, who is out of service, and who stays in because of the breaker."""
    is_shadow = any(one.is_shadow for one in own.values())
    decision = decide(healths, policy, is_shadow=is_shadow)
    verdict = decision.verdict if len(healths) == len(own) else worst((decision.verdict, Verdict.UNKNOWN))
    return {
        "address": address,
        "verdict": verdict,
        "out": list(decision.out),
        "held": list(decision.held),
        "would": list(decision.would),
        "is_shadow": is_shadow,
    }


def _host(address: str, found: HostHealth) -> dict[str, object]:
    return {
        "address": address,
        "verdict": found.verdict,
        "action": found.action,
        "gpus": [
            {"bus_id": bus_id, "serial": found.serials.get(bus_id), "verdict": verdict}
            for bus_id, verdict in found.gpus.items()
        ],
        "findings": [asdict(one) for one in found.findings],
    }


def _absent(expected: Mapping[str, Expected], judged: Mapping[str, HostHealth]) -> tuple[ProblemResult, ...]:
    return tuple(
        ProblemResult(
            rule="health-unknown",
            message=f"{address} is not there, or its platform did not answer: unknown",
            where=address,
            hint="`leptonctl status` tells which",
        )
        for address in expected
        if address not in judged
    )


def _findings(judged: Mapping[str, HostHealth]) -> tuple[ProblemResult, ...]:
    """Every finding that is not merely worth knowing."""
    return tuple(
        ProblemResult(
            rule=f"health-{finding.verdict}",
            message=found.text(finding),
            where=address,
            hint=f"{finding.action}; {finding.source}",
        )
        for address, found in judged.items()
        for finding in found.findings
        if finding.verdict != Verdict.HEALTHY
    )


def explain_xid(code: int) -> Result:
    """What is known of an error code of the NVIDIA driver, and where the sources disagree."""
    known = xid(code)
    data = {
        "code": known.code,
        "name": known.name,
        "verdict": known.verdict,
        "action": known.action,
        "source": known.source,
        "said": list(known.said),
        "choice": known.choice,
        "table": table_version(),
    }
    return Result(verb="explain-xid", exit_code=ExitCode.DONE, data=data)


def explain_policy() -> Result:
    """Every threshold of the health policy with its source."""
    policy = default_policy()
    thresholds = [
        {"name": name, "value": one.value, "source": one.source} for name, one in sorted(policy.thresholds.items())
    ]
    data = {"version": policy.version, "thresholds": thresholds}
    return Result(verb="explain-policy", exit_code=ExitCode.DONE, data=data)
