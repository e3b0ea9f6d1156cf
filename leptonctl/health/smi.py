"""Reads `nvidia-smi -q -x`. Every value is read, not offered, or not understood; never guessed.

The names changed over the years (schemas v10 to v13 are known): a field lists all of its names, newest first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from leptonctl.errors import LeptonError
from leptonctl.health.readings import GpuReading, SmiReading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from xml.etree.ElementTree import Element

# The largest recorded answer has 22 kB a GPU; 16 GPUs with long process lists stay far below this.
SIZE_MAX = 8 * 1024 * 1024
NOT_OFFERED = frozenset(
    {"N/A", "[N/A]", "Not Supported", "[Not Supported]", "Requested functionality has been deprecated"}
)
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(?: ?(?:MiB|W|C|x|MHz|%))?")
_ANSWERS = {"Yes": True, "No": False, "Enabled": True, "Disabled": False}
# The clock event reasons that are faults (NVML mask 0xE8); the others are settings, idling and the power cap.
_SLOWDOWNS = ("hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown")


class NotUnderstood(LeptonError):
    """The answer as a whole has another shape than every known one. The health check turns it into `unknown`."""


class _Odd(Exception):
    """A value is there and is neither a value of its kind nor "not offered"."""


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a value stands: paths that are alternatives, newest first, each of one or more that are added up."""

    read: Callable[[str], Any]
    paths: tuple[tuple[str, ...], ...]
    # Old schemas do not have it at all: then it is not offered, instead of not understood.
    may_be_absent: bool = False


def read_smi(text: str) -> SmiReading:
    """The GPUs in an answer of `nvidia-smi -q -x`.

    Raises NotUnderstood where it is empty, cut off, no such XML, or counts other GPUs than it lists.
    """
    root = _parse(text)
    elements = root.findall("gpu")
    attached = _text(root, "attached_gpus")
    driver = _text(root, "driver_version")
    if driver is None or attached is None or not attached.isdecimal():
        raise NotUnderstood("nvidia-smi said neither the driver's version nor how many GPUs are attached")
    if int(attached) != len(elements):
        raise NotUnderstood(f"nvidia-smi counts {attached} GPUs and lists {len(elements)}")
    cuda = _text(root, "cuda_version")
    return SmiReading(
        driver_version=driver,
        cuda_version=None if cuda in NOT_OFFERED else cuda,
        attached_count=int(attached),
        gpus=tuple(_gpu(element) for element in elements),
    )


def short_bus_id(text: str) -> str:
    """A PCI address as the kernel writes it: `00000000:3B:00.0` and `0000:3b:00` are both `0000:3b:00.0`."""
    domain, bus, device = text.lower().split(":")
    return f"{int(domain, 16):04x}:{bus}:{device if '.' in device else device + '.0'}"


def _parse(text: str) -> Element:
    if not text.strip():
        raise NotUnderstood("nvidia-smi said nothing")
    if len(text) > SIZE_MAX or "<!ENTITY" in text:
        raise NotUnderstood("what should be nvidia-smi's answer is too large, or defines entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are refused above
    except ET.ParseError as odd:
        raise NotUnderstood(f"nvidia-smi's answer is no whole XML: {odd}") from odd
    if root.tag != "nvidia_smi_log":
        raise NotUnderstood(f"nvidia-smi's answer begins with <{root.tag}>, not <nvidia_smi_log>")
    return root


def _gpu(element: Element) -> GpuReading:
    bus_id = element.get("id") or _text(element, "pci/pci_bus_id")
    uuid, model = _text(element, "uuid"), _text(element, "product_name")
    if bus_id is None or uuid is None or model is None:
        raise NotUnderstood("nvidia-smi lists a GPU without its bus id, UUID or name")
    values: dict[str, Any] = {}
    unreadable: list[str] = []
    for name, field in _FIELDS.items():
        try:
            values[name] = _value(element, field)
        except _Odd:
            unreadable.append(name)
    try:
        slowdowns = _slowdowns(element)
    except _Odd:
        slowdowns = ()
        unreadable.append("slowdowns")
    return GpuReading(
        bus_id=short_bus_id(bus_id),
        uuid=uuid,
        model=model,
        slowdowns=slowdowns,
        process_count=len(element.findall("processes/process_info")),
        unreadable=tuple(unreadable),
        **values,
    )


def _value(element: Element, field: _Field) -> Any:  # noqa: ANN401 - the fields' kinds differ
    for paths in field.paths:
        found = [_text(element, path) for path in paths]
        known = [text for text in found if text is not None]
        # Names that stand in part belong to another schema, or to none.
        if not known or len(known) < len(found):
            continue
        read = [None if text in NOT_OFFERED else field.read(text) for text in known]
        offered = [value for value in read if value is not None]
        if not offered:
            return None
        return offered[0] if len(paths) == 1 else sum(offered)
    # A whole section may be not offered, where another schema has values in it.
    if field.may_be_absent or any(_section_is_not_offered(element, path) for paths in field.paths for path in paths):
        return None
    raise _Odd


def _section_is_not_offered(element: Element, path: str) -> bool:
    parent = path.rpartition("/")[0]
    return bool(parent) and _text(element, parent) in NOT_OFFERED


def _slowdowns(element: Element) -> tuple[str, ...]:
    for section, prefix in (
        ("clocks_event_reasons", "clocks_event_reason_"),
        ("clocks_throttle_reasons", "clocks_throttle_reason_"),
    ):
        found = {name: _text(element, f"{section}/{prefix}{name}") for name in _SLOWDOWNS}
        if all(value is None for value in found.values()):
            if _text(element, section) in NOT_OFFERED:
                return ()
            continue
        if not set(found.values()) <= {"Active", "Not Active", *NOT_OFFERED}:
            raise _Odd
        return tuple(name for name, value in found.items() if value == "Active")
    raise _Odd


def _text(element: Element, path: str) -> str | None:
    found = element.findtext(path)
    return found.strip() if found is not None and found.strip() else None


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise _Odd
    return float(found[1])


def _count(text: str) -> int:
    number = _number(text)
    if number != int(number):
        raise _Odd
    return int(number)


def _answer(text: str) -> bool:
    if text not in _ANSWERS:
        raise _Odd
    return _ANSWERS[text]


def _serial(text: str) -> str | None:
    # Cards of cloud machines often have zeros only.
    return text if text.strip("0") else None


def _recovery(text: str) -> str | None:
    return None if text == "None" else text


def _words(text: str) -> str:
    return text


_VOLATILE = "ecc_errors/volatile"
_RETIRED = "retired_pages"
_FIELDS: Mapping[str, _Field] = {
    "serial": _Field(_serial, (("serial",),)),
    "memory_mib": _Field(_count, (("fb_memory_usage/total",),)),
    "memory_used_mib": _Field(_count, (("fb_memory_usage/used",),)),
    "is_persistent": _Field(_answer, (("persistence_mode",),)),
    "is_ecc_on": _Field(_answer, (("ecc_mode/current_ecc",),)),
    "ecc_uncorrectable": _Field(
        _count,
        (
            (
                f"{_VOLATILE}/sram_uncorrectable_parity",
                f"{_VOLATILE}/sram_uncorrectable_secded",
                f"{_VOLATILE}/dram_uncorrectable",
            ),
            (f"{_VOLATILE}/sram_uncorrectable", f"{_VOLATILE}/dram_uncorrectable"),
            (f"{_VOLATILE}/double_bit/total",),
        ),
    ),
    "ecc_correctable": _Field(
        _count,
        (
            (f"{_VOLATILE}/sram_correctable", f"{_VOLATILE}/dram_correctable"),
            (f"{_VOLATILE}/single_bit/total",),
        ),
    ),
    "remap_failed": _Field(_answer, (("remapped_rows/remapped_row_failure",),)),
    "remap_pending": _Field(_answer, (("remapped_rows/remapped_row_pending",),)),
    "remapped_uncorrectable": _Field(_count, (("remapped_rows/remapped_row_unc",),)),
    "retired_single_bit": _Field(_count, ((f"{_RETIRED}/multiple_single_bit_retirement/retired_count",),)),
    "retired_double_bit": _Field(_count, ((f"{_RETIRED}/double_bit_retirement/retired_count",),)),
    "retirement_pending": _Field(_answer, ((f"{_RETIRED}/pending_retirement",),)),
    "pcie_generation": _Field(_count, (("pci/pci_gpu_link_info/pcie_gen/current_link_gen",),)),
    "pcie_generation_max": _Field(_count, (("pci/pci_gpu_link_info/pcie_gen/max_link_gen",),)),
    "pcie_width": _Field(_count, (("pci/pci_gpu_link_info/link_widths/current_link_width",),)),
    "pcie_width_max": _Field(_count, (("pci/pci_gpu_link_info/link_widths/max_link_width",),)),
    "pcie_replays": _Field(_count, (("pci/replay_counter",),)),
    "temperature_c": _Field(_count, (("temperature/gpu_temp",),)),
    "temperature_max_c": _Field(_count, (("temperature/gpu_temp_max_gpu_threshold",),), may_be_absent=True),
    "memory_temperature_c": _Field(_count, (("temperature/memory_temp",),), may_be_absent=True),
    "memory_temperature_max_c": _Field(_count, (("temperature/gpu_temp_max_mem_threshold",),), may_be_absent=True),
    "margin_c": _Field(_count, (("temperature/gpu_temp_tlimit",),), may_be_absent=True),
    "power_w": _Field(
        _number,
        (
            ("gpu_power_readings/average_power_draw",),
            ("gpu_power_readings/power_draw",),
            ("power_readings/power_draw",),
        ),
    ),
    "recovery": _Field(_recovery, (("gpu_recovery_action",),), may_be_absent=True),
    "fabric_state": _Field(_words, (("fabric/state",),), may_be_absent=True),
    "fabric_status": _Field(_words, (("fabric/status",),), may_be_absent=True),
}
