"""Gate: after its roles ran, a host with accelerators is judged before it counts as done; what failed stays out.

What the gate said is kept on the host itself (`hosts.gate_records`). It never resets, reboots or drains anything: it
keeps what the next one needs to know (logs), and tells what to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leptonctl.health.fleet import decide
from leptonctl.health.verdict import Verdict
from leptonctl.hosts.fault_logs import collect_fault_logs
from leptonctl.hosts.gate_records import write_gate_records
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.planning.observed import GateRecord
from leptonctl.planning.service import Service, service_of
from leptonctl.progress import Progress
from leptonctl.stages.judging import judge_hosts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from leptonctl.health.judge import HostHealth
    from leptonctl.hosts.target import Target
    from leptonctl.planning.accelerators import Expected
    from leptonctl.progress import State
    from leptonctl.record.run import Run
    from leptonctl.session import Session
    from leptonctl.stages.looking import Looked


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate said of one host. `unwritten` is why that could not be kept on it; `logs` where its logs lie."""

    health: HostHealth
    service: Service
    is_shadow: bool
    is_held: bool = False
    unwritten: str | None = None
    logs: str | None = None

    @property
    def passes(self) -> bool:
        """Whether the host counts as done: it is well, or its group is only reported on."""
        return self.is_shadow or self.health.verdict.passes


@dataclass(frozen=True, slots=True)
class Gate:
    """What hosts are judged by in one run.

    `known` is the service of every host with accelerators before the run; `gated` is filled in by rollouts that go on
    at the same time, each over locations of its own.
    """

    session: Session
    run: Run
    secrets: Mapping[str, str]
    expected: Mapping[str, Expected]
    known: Mapping[str, Service | None]
    gated: dict[str, Gated] = field(default_factory=dict)

    def judge(self, targets: Sequence[Target]) -> frozenset[str]:
        """Judge those targets that declare accelerators, keep that on them, and give those that do not pass."""
        aims = [aim for aim in targets if aim.address in self.expected]
        healths = judge_hosts(aims, self.expected)
        found: dict[str, Gated] = {}
        for location in dict.fromkeys(aim.location for aim in aims):
            found |= self._decided(location, healths)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        unwritten = write_gate_records(aims, {address: _record(one, now) for address, one in found.items()})
        failing = [aim for aim in aims if not found[aim.address].health.verdict.passes]
        logs = collect_fault_logs(failing, self.run.folder / "health", secrets=self.secrets)
        for address, one in found.items():
            kept = Gated(one.health, one.service, one.is_shadow, one.is_held, unwritten.get(address), logs.get(address))
            self.gated[address] = kept
            self._say(address, kept)
        return frozenset(address for address in found if not self.gated[address].passes)

    def _decided(self, location: str, healths: Mapping[str, HostHealth]) -> dict[str, Gated]:
        """Who of a location goes out of service, as far as the breaker allows."""
        mine = {address: one for address, one in self.expected.items() if address.rpartition("/")[0] == location}
        own = {address: healths[address] for address in mine if address in healths}
        real = {address: one for address, one in own.items() if not mine[address].is_shadow}
        decision = decide(
            real,
            next(iter(mine.values())).policy,
            is_shadow=False,
            host_count=len(mine),
            already_out=sum(self._is_out(address) for address in mine if address not in own),
        )
        return {
            address: Gated(
                health,
                Service.OUT if address in decision.out else Service.IN,
                is_shadow=mine[address].is_shadow,
                is_held=address in decision.held,
            )
            for address, health in own.items()
        }

    def _is_out(self, address: str) -> bool:
        gated = self.gated.get(address)
        return (gated.service if gated is not None else self.known.get(address)) is Service.OUT

    def _say(self, address: str, gated: Gated) -> None:
        health = gated.health
        state: State = "done" if health.verdict is Verdict.HEALTHY else "warning" if gated.passes else "failed"
        if health.verdict.passes:
            message = warning_of(health) or str(health.verdict)
        else:
            what = "only reported, would be out of service" if gated.is_shadow else str(gated.service)
            message = f"{what}: {health.reason}"
        self.session.report(Progress("health", state, address, message))


def open_gate(session: Session, run: Run, looked: Looked, secrets: Mapping[str, str]) -> Gate:
    """The gate of one run, knowing what the hosts themselves keep of the last one. Asks nobody."""
    known = {
        host.address: service_of(location, host, looked.observed.looks.get(host.address))
        for location in session.desired.locations
        for host in location.hosts
    }
    return Gate(session, run, secrets, expected_gpus(session.loaded.site, session.desired), known)


def left_out(gate: Gate, targets: Sequence[Target], *, changing: Collection[str], named: Collection[str]) -> set[str]:
    """The hosts that stay out of this run: out of service before it, and still not well; named ones never stay out.

    Those that were never judged and that are complete without this run, as they are not `changing`, are judged here
    too. A host that passes is back in service.
    """
    due = [
        aim
        for aim in targets
        if gate.known.get(aim.address) is Service.OUT
        or (gate.known.get(aim.address) is Service.DUE and aim.address not in changing)
    ]
    failing = gate.judge(due)
    return {address for address in failing if gate.gated[address].service is Service.OUT} - set(named)


def warning_of(health: HostHealth) -> str | None:
    """What is degraded, in a line; None where nothing is."""
    texts = [health.text(one) for one in health.findings if one.verdict is Verdict.DEGRADED]
    return f"degraded: {'; '.join(texts)}" if texts else None


def _record(gated: Gated, now: str) -> GateRecord:
    # The host itself says which manifest it has.
    verdict = gated.health.verdict
    reason = gated.health.reason if not verdict.passes else str(verdict)
    return GateRecord(verdict, now, None, reason, gated.is_shadow, gated.is_held)
