"""The verdict on a host in Prometheus' text format: what the collector of the role `gpu_health` leaves behind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leptonctl.health.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.health.judge import HostHealth
    from leptonctl.health.readings import GpuReading, HostReading
    from leptonctl.health.verdict import Finding

_GAUGES: Mapping[str, tuple[str, str]] = {
    "temperature_c": ("lepton_gpu_temperature_celsius", "Temperature of the GPU."),
    "memory_temperature_c": ("lepton_gpu_memory_temperature_celsius", "Temperature of the GPU's memory."),
    "power_w": ("lepton_gpu_power_watts", "Power that the GPU draws."),
    "memory_used_mib": ("lepton_gpu_memory_used_mebibytes", "Memory in use."),
    "ecc_uncorrectable": ("lepton_gpu_ecc_uncorrectable", "Uncorrectable errors since the driver was loaded."),
    "ecc_correctable": ("lepton_gpu_ecc_correctable", "Corrected errors since the driver was loaded."),
    "retired_double_bit": ("lepton_gpu_retired_pages_hard", "Pages retired for double-bit errors."),
    "pcie_replays": ("lepton_gpu_pcie_replays", "PCIe replays."),
}


def metrics_text(health: HostHealth, reading: HostReading) -> str:
    """Every metric, each with its help and type, in one order."""
    lines: list[str] = []
    for name, text, samples in _families(health, reading):
        found = list(samples)
        if found:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value:g}" for labels, value in found]
    # A Unix time has more digits than %g gives.
    name = "lepton_gpu_health_collected_timestamp_seconds"
    lines += [f"# HELP {name} When the host was read.", f"# TYPE {name} gauge", f"{name} {reading.now_s:.0f}"]
    return "\n".join(lines) + "\n"


_Sample = tuple[dict[str, str], float]


def _families(health: HostHealth, reading: HostReading) -> Iterator[tuple[str, str, Iterator[_Sample]]]:
    yield "lepton_gpu_health_verdict", "1 for the verdict on the host.", _verdict({}, health.verdict)
    yield (
        "lepton_gpu_verdict",
        "1 for the verdict on the GPU.",
        (
            sample
            for bus_id, verdict in sorted(health.gpus.items())
            for sample in _verdict({"gpu": bus_id, "serial": health.serials.get(bus_id) or ""}, verdict)
        ),
    )
    yield (
        "lepton_gpu_health_finding",
        "1 for each thing that does not hold, with what to do.",
        (
            ({"check": one.check, "gpu": one.subject, "verdict": str(one.verdict), "action": str(one.action)}, 1.0)
            for one in _once(health)
        ),
    )
    yield (
        "lepton_gpu_health_source_unread",
        "1 for each source that gave no answer that was understood.",
        (({"source": source}, 1.0) for source in sorted(reading.unread or {})),
    )
    yield "lepton_gpu_xid_events", "Errors of the driver in the kernel's log, within the look-back.", _xids(reading)
    gpus = reading.smi.gpus if reading.smi else ()
    for field, (name, text) in _GAUGES.items():
        yield name, text, _gauge(gpus, field)


def _verdict(labels: dict[str, str], verdict: Verdict) -> Iterator[_Sample]:
    for one in Verdict:
        yield {**labels, "verdict": str(one)}, float(one == verdict)


def _once(health: HostHealth) -> Iterator[Finding]:
    seen = set()
    for one in health.findings:
        key = (one.check, one.subject, one.verdict, one.action)
        if one.verdict is not Verdict.HEALTHY and key not in seen:
            seen.add(key)
            yield one


def _xids(reading: HostReading) -> Iterator[_Sample]:
    counts = Counter((one.bus_id, one.code) for one in reading.xids or ())
    for (bus_id, code), count in sorted(counts.items()):
        yield {"gpu": bus_id, "code": str(code)}, float(count)


def _gauge(gpus: tuple[GpuReading, ...], field: str) -> Iterator[_Sample]:
    for gpu in gpus:
        value = getattr(gpu, field)
        if value is not None:
            yield {"gpu": gpu.bus_id}, float(value)


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    escaped = (f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + ",".join(escaped) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
