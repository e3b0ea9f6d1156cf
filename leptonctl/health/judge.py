"""Judges one host: every check over what was read, in the order of the tuple at the end. Pure.

What could not be read gives `unknown`, once a source; what the site file declares is compared and never inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leptonctl.health import amd_checks, card_checks, host_checks, link_checks, load_checks, pcie_checks, xid_checks
from leptonctl.health.level import Level
from leptonctl.health.readings import Case
from leptonctl.health.verdict import Action, Finding, Verdict, hardest, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from leptonctl.health.policy import Policy
    from leptonctl.health.readings import Declared, HostReading


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    card_checks.sources,
    card_checks.drills,
    card_checks.count,
    card_checks.identity,
    card_checks.unreadable,
    card_checks.recovery,
    card_checks.memory_errors,
    card_checks.temperature,
    card_checks.clocks,
    amd_checks.performance_level,
    card_checks.power,
    pcie_checks.width,
    pcie_checks.generation,
    pcie_checks.replays,
    card_checks.persistence,
    card_checks.leftovers,
    link_checks.links,
    link_checks.fabric,
    amd_checks.xgmi,
    host_checks.infiniband,
    host_checks.ethernet,
    host_checks.versions,
    host_checks.zombies,
    xid_checks.xids,
    amd_checks.errors,
    load_checks.burn,
    load_checks.all_reduce,
)


@dataclass(frozen=True, slots=True)
class HostHealth:
    """The verdict on a host and all that led to it; `gpus` and `serials` are by bus id."""

    verdict: Verdict
    action: Action
    findings: tuple[Finding, ...]
    gpus: Mapping[str, Verdict]
    serials: Mapping[str, str | None] = field(default_factory=dict)

    def text(self, finding: Finding) -> str:
        """One of its findings in a line, with the serial number of the GPU that it is about."""
        serial = self.serials.get(finding.subject)
        subject = f"{finding.subject} (serial {serial})" if serial else finding.subject
        text = f"{finding.check}: {finding.measured} (should be: {finding.threshold})"
        return f"{subject}: {text}" if subject else text

    @property
    def reason(self) -> str:
        """Why it does not pass, with what to do, in a line: every finding that takes it out of service."""
        texts = [self.text(one) for one in self.findings if not one.verdict.passes]
        return f"{'; '.join(texts)}; {self.action}" if texts else str(self.verdict)


def judge(reading: HostReading, declared: Declared, policy: Policy, level: Level = Level.QUICK) -> HostHealth:
    """The findings of every check of the level, hardest first, and the verdicts over them."""
    case = Case(reading, declared, policy, level)
    findings = [finding for check in CHECKS for finding in check(case)]
    ordered = tuple(sorted(findings, key=lambda one: -tuple(Verdict).index(one.verdict)))
    gpus = {
        gpu.bus_id: worst(one.verdict for one in findings if one.subject == gpu.bus_id)
        for gpu in (reading.smi.gpus if reading.smi else ())
    }
    verdict = worst(one.verdict for one in findings)
    serials = {gpu.bus_id: gpu.serial for gpu in (reading.smi.gpus if reading.smi else ())}
    return HostHealth(verdict, hardest(one.action for one in findings), ordered, gpus, serials)
