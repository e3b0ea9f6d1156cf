"""Reads `rocm-smi --json` and the files of amdgpu. Every value is read, not offered, or not understood; never guessed.

Names that changed between releases of ROCm stand beside each other, newest first (recorded: 6.0.2, see tests/data/gpu).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leptonctl.health.readings import GpuReading, SmiReading
from leptonctl.health.smi import NotUnderstood, short_bus_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOT_OFFERED = frozenset({"N/A", "", "None", "unknown"})
_MIB = 1024 * 1024
_LANES = re.compile(r".*\(\d+(?:\.\d+)?GT/s x(\d+)\)")
_ERRORS = re.compile(r"(ue|ce|de): (\d+)")
_PROCESS = re.compile(r"PID\d+")
_LINK = re.compile(r"\(Topology\) Link type between DRM devices (\d+) and (\d+)")
_LINK_TYPES = frozenset({"XGMI", "PCIE"})
_LEVELS = frozenset(
    {"auto", "low", "high", "manual", "determinism", "stable_std", "stable_peak", "stable_min_mclk", "stable_min_sclk"}
)


def read_rocm_smi(text: str, driver: Mapping[str, Any], topology: str | None = None) -> SmiReading:
    """The GPUs in an answer of rocm-smi; `driver` is what amdgpu's own files said, by bus id.

    `topology` is its answer about what links each two GPUs, None where it gave none.

    Raises NotUnderstood where the answer is no such JSON, or lists a GPU without its bus id or name.
    """
    try:
        answer = json.loads(text)
    except ValueError as odd:
        raise NotUnderstood(f"rocm-smi's answer is no whole JSON: {odd}") from odd
    if not isinstance(answer, dict) or not all(isinstance(part, dict) for part in answer.values()):
        raise NotUnderstood("rocm-smi's answer is no list of cards")
    system = answer.pop("system", {})
    processes = sum(_PROCESS.fullmatch(name) is not None for name in system)
    cards = {name: card for name, card in answer.items() if name.startswith("card")}
    kinds = _kinds_of_links(topology)
    gpus = tuple(
        _with_links(_gpu(card, driver, processes), name.removeprefix("card"), kinds) for name, card in cards.items()
    )
    return SmiReading(
        driver_version=str(system.get("Driver version", "unknown")),
        cuda_version=None,
        attached_count=len(gpus),
        gpus=gpus,
    )


def _gpu(card: Mapping[str, object], driver: Mapping[str, Any], processes: int) -> GpuReading:
    bus, model = card.get("PCI Bus"), card.get("Card Series", card.get("Card series"))
    if not isinstance(bus, str) or bus.count(":") != 2 or not isinstance(model, str):  # noqa: PLR2004 - 0000:83:00.0
        raise NotUnderstood("rocm-smi lists a card without its bus id or name")
    bus_id = short_bus_id(bus)
    own = driver.get(bus_id, {})
    values: dict[str, Any] = {}
    unreadable: list[str] = []
    for name, (keys, read) in _FIELDS.items():
        said = next((card[key] for key in keys if key in card), "N/A")
        try:
            values[name] = None if said in _NOT_OFFERED else read(str(said))
        except ValueError:
            unreadable.append(name)
    limits = own.get("limits", {})
    for name, label in (("temperature_max_c", "junction"), ("memory_temperature_max_c", "mem")):
        try:
            values[name] = int(limits[label]) // 1000 if limits.get(label) else None
        except ValueError:
            unreadable.append(name)
    try:
        values["ecc_uncorrectable"], values["ecc_correctable"] = _errors(own.get("ras", {}))
    except ValueError:
        unreadable.append("ecc_uncorrectable")
    # What runs is told for the host as a whole: no GPU is called left over while anything runs.
    return GpuReading(
        bus_id=bus_id,
        uuid=str(card.get("Unique ID", bus_id)),
        model=model,
        process_count=processes,
        unreadable=tuple(unreadable),
        **values,
    )


def _kinds_of_links(topology: str | None) -> Mapping[tuple[str, ...], str] | None:
    """What links each two GPUs, by their numbers; None where that was not understood."""
    if topology is None:
        return {}
    try:
        answer = json.loads(topology)
    except ValueError:
        return None
    system = answer.get("system") if isinstance(answer, dict) else None
    if not isinstance(system, dict):
        return None
    return {found.groups(): str(kind) for name, kind in system.items() if (found := _LINK.fullmatch(name))}


def _with_links(gpu: GpuReading, number: str, kinds: Mapping[tuple[str, ...], str] | None) -> GpuReading:
    """The GPU with how many others it reaches over XGMI."""
    own = None if kinds is None else [kind for numbers, kind in kinds.items() if number in numbers]
    if own == []:
        return gpu
    if own is None or not _LINK_TYPES.issuperset(own):
        return replace(gpu, unreadable=(*gpu.unreadable, "xgmi_peers"))
    return replace(gpu, xgmi_peers=own.count("XGMI"))


def _errors(counts: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Uncorrectable and correctable errors over all parts of a GPU; None where the card counts none (no RAS)."""
    if not counts:
        return None, None
    total = {"ue": 0, "ce": 0, "de": 0}
    for text in counts.values():
        found = _ERRORS.findall(text)
        if "ue" not in dict(found):
            raise ValueError(text)
        for kind, number in found:
            total[kind] += int(number)
    return total["ue"], total["ce"]


def _whole(text: str) -> int:
    return int(float(text))


def _mib(text: str) -> int:
    return int(text) // _MIB


def _level(text: str) -> str:
    if text.lower() not in _LEVELS:
        raise ValueError(text)
    return text.lower()


def _lanes(text: str) -> int:
    found = _LANES.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1])


_FIELDS: Mapping[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    "performance_level": (("Performance Level",), _level),
    "serial": (("Serial Number",), str),
    "memory_mib": (("VRAM Total Memory (B)",), _mib),
    "memory_used_mib": (("VRAM Total Used Memory (B)",), _mib),
    "pcie_width": (("pcie clock level",), _lanes),
    "pcie_replays": (("PCIe Replay Count",), int),
    "temperature_c": (("Temperature (Sensor junction) (C)",), _whole),
    "memory_temperature_c": (("Temperature (Sensor memory) (C)",), _whole),
    "power_w": (("Current Socket Graphics Package Power (W)", "Average Graphics Package Power (W)"), float),
}
