"""Which alert of the role `gpu_health` a verdict raises. A test compares this with the role's own alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.health.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, and for how many minutes the verdict has to stand before it is raised."""

    name: str
    after_minutes: int


ALERTS: Mapping[Verdict, Alert] = {
    Verdict.FAILED: Alert("GpuHealthFailed", 1),
    Verdict.UNKNOWN: Alert("GpuHealthUnknown", 5),
    Verdict.DEGRADED: Alert("GpuHealthDegraded", 10),
}


def alert_for(verdict: Verdict, *, roles: Collection[str], is_watched: bool) -> tuple[str, bool | None]:
    """Which alert a verdict would raise on a host with these roles, or why nobody would be told; and whether it would.

    None where there is nothing to tell, or nobody who would.
    """
    alert = ALERTS.get(verdict)
    if alert is None:
        return "none: the host passes", None
    if "gpu_health" not in roles:
        return f"{alert.name} would be raised, but the host has no role gpu_health: nobody collects its verdict", None
    if not is_watched:
        return f"{alert.name} would be raised, but no host of the site has the role monitoring_server", None
    minutes = "1 minute" if alert.after_minutes == 1 else f"{alert.after_minutes} minutes"
    return f"{alert.name} would be raised, once the fault lay there for {minutes}", True
