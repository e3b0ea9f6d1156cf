"""Findings about one GPU or a source, as the checks write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.verdict import Action, Finding, Verdict

if TYPE_CHECKING:
    from leptonctl.health.readings import GpuReading

CATALOGUE = "NVIDIA Health Validation"


def failed(check: str, gpu: GpuReading, measured: str, threshold: str, source: str, action: Action) -> Finding:
    """The GPU must not be used."""
    return Finding(check, Verdict.FAILED, gpu.bus_id, measured, threshold, source, action)


def degraded(check: str, gpu: GpuReading, measured: str, threshold: str, source: str, action: Action) -> Finding:
    """The GPU works, and not as it should."""
    return Finding(check, Verdict.DEGRADED, gpu.bus_id, measured, threshold, source, action)


def unknown(check: str, subject: str, reason: str) -> Finding:
    """It could not be told."""
    return Finding(
        check, Verdict.UNKNOWN, subject, reason, "an answer", "leptonctl: unknown never passes", Action.DRAIN
    )
