"""Checks of what each GPU says of itself, and of how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.findings import CATALOGUE, degraded, failed, unknown
from leptonctl.health.verdict import Action, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.readings import Case, GpuReading


# Told once, by their own check: a load that could not be put on, ports where some are declared.
TOLD_BY_THEIR_CHECK = frozenset({"burn", "all-reduce", "InfiniBand", "Ethernet"})


def sources(case: Case) -> Iterator[Finding]:
    """Every source that gave no answer, none that was understood, or was never asked."""
    reading, declared = case.reading, case.declared
    asked: dict[str, object] = {
        declared.program: reading.smi,
        "PCI bus": reading.pci_bus_ids,
        "kernel log": reading.xids,
    }
    if declared.links:
        asked["NVLink"] = reading.links
    unread = {name: "it was not asked" for name, answer in asked.items() if answer is None}
    for source, reason in sorted((unread | dict(reading.unread or {})).items()):
        if source in TOLD_BY_THEIR_CHECK:
            continue
        yield unknown(source, "", reason)


def drills(case: Case) -> Iterator[Finding]:
    """A drill that is in force: what is read then is not the host's own."""
    if case.reading.drill is not None:
        yield unknown("drill", "", f"a drill is in force: {case.reading.drill}; `leptonctl drill end` takes it away")


def count(case: Case) -> Iterator[Finding]:
    """Counted on the PCI bus and by the driver: a GPU that fell off the bus is missing, not undeclared."""
    counts = {
        "on the PCI bus": case.reading.pci_bus_ids,
        "that answer the driver": case.gpus if case.reading.smi is not None else None,
    }
    for what, found in counts.items():
        if found is not None and len(found) != case.declared.count:
            missing = _missing(case) if what == "that answer the driver" else ""
            yield Finding(
                "count",
                Verdict.FAILED,
                "",
                f"{len(found)} GPUs {what}{missing}",
                f"{case.declared.count} are declared",
                CATALOGUE,
                Action.DRAIN,
            )


def _missing(case: Case) -> str:
    lost = sorted(set(case.reading.pci_bus_ids or ()) - {gpu.bus_id for gpu in case.gpus})
    silent = sorted(set(case.declared.serials) - {gpu.serial for gpu in case.gpus})
    texts = [f"{', '.join(lost)} are on the bus and do not answer"] if lost else []
    texts += [f"serial {', '.join(silent)} did not answer"] if silent else []
    return "".join(f"; {text}" for text in texts)


def identity(case: Case) -> Iterator[Finding]:
    """Model, memory and serial number, as far as they are declared."""
    declared = case.declared
    for gpu in case.gpus:
        if declared.model is not None and declared.model.lower() not in gpu.model.lower():
            yield failed("model", gpu, gpu.model, f"{declared.model} is declared", CATALOGUE, Action.DRAIN)
        # A card keeps some of its memory for itself; a missing stack is far more than a tenth.
        least_mib = (declared.memory_gib or 0) * 1024 * 0.9
        if gpu.memory_mib is not None and gpu.memory_mib < least_mib:
            what = f"{gpu.memory_mib} MiB"
            yield failed("memory", gpu, what, f"{declared.memory_gib} GiB are declared", CATALOGUE, Action.SUPPORT)
        if declared.serials and gpu.serial not in declared.serials:
            what = gpu.serial or "no serial number"
            yield failed("serial", gpu, what, f"declared: {', '.join(declared.serials)}", CATALOGUE, Action.DRAIN)


def unreadable(case: Case) -> Iterator[Finding]:
    """Values of a GPU that were not understood."""
    for gpu in case.gpus:
        if gpu.unreadable:
            yield unknown(
                "reading", gpu.bus_id, f"{case.declared.program}'s {', '.join(gpu.unreadable)} were not understood"
            )


def recovery(case: Case) -> Iterator[Finding]:
    """What the driver itself asks for to get a GPU back."""
    for gpu in case.gpus:
        if gpu.recovery is not None:
            action = Action.REBOOT if "reboot" in gpu.recovery.lower() else Action.RESET_GPU
            source = "the driver's own recovery action (see Xid 154)"
            yield failed("recovery", gpu, gpu.recovery, "None", source, action)


def memory_errors(case: Case) -> Iterator[Finding]:
    """Uncorrectable errors, rows that were or could not be replaced, and retired pages."""
    policy = case.policy
    for gpu in case.gpus:
        limit = policy["ecc_uncorrectable"]
        if gpu.ecc_uncorrectable is not None and gpu.ecc_uncorrectable > limit:
            what = f"{gpu.ecc_uncorrectable} uncorrectable since the driver was loaded"
            yield failed("ecc", gpu, what, f"at most {limit}", policy.source("ecc_uncorrectable"), Action.RESET_GPU)
        if gpu.remap_failed:
            source = "NVSentinel and gpud: a row could not be replaced"
            yield failed("row remapping", gpu, "a remap failed", "none", source, Action.SUPPORT)
        if gpu.remap_pending:
            source = "NVSentinel: reset (gpud: reboot)"
            yield failed("row remapping", gpu, "a remap is pending", "none", source, Action.RESET_GPU)
        for name, count in (("hard", gpu.retired_double_bit), ("soft", gpu.retired_single_bit)):
            threshold = f"retired_pages_{name}"
            if count is not None and count > policy[threshold]:
                what, most = f"{count} pages ({name} errors)", f"at most {policy[threshold]}"
                yield failed("retired pages", gpu, what, most, policy.source(threshold), Action.SUPPORT)


def temperature(case: Case) -> Iterator[Finding]:
    """The card's own limits; one of the policy where it names none."""
    for gpu in case.gpus:
        own = "the card's own limit"
        fallback = case.policy["temperature_max_c"]
        limits = (
            ("temperature", gpu.temperature_c, gpu.temperature_max_c),
            ("memory temperature", gpu.memory_temperature_c, gpu.memory_temperature_max_c),
        )
        for check, found, limit in limits:
            if found is not None and limit is not None and found > limit:
                yield degraded(check, gpu, f"{found} C", f"at most {limit} C", own, Action.INSPECT)
        has_own = gpu.temperature_max_c is not None or gpu.margin_c is not None
        if not has_own and gpu.temperature_c is not None and gpu.temperature_c > fallback:
            source = case.policy.source("temperature_max_c")
            yield degraded(
                "temperature", gpu, f"{gpu.temperature_c} C", f"at most {fallback} C", source, Action.INSPECT
            )


def clocks(case: Case) -> Iterator[Finding]:
    """Clocks that heat or power keep down."""
    for gpu in case.gpus:
        if gpu.slowdowns:
            what = ", ".join(name.replace("_", " ") for name in gpu.slowdowns)
            yield degraded("clocks", gpu, what, "no slowdown", "Azure and gpud: clock events 0xE8", Action.INSPECT)


def power(case: Case) -> Iterator[Finding]:
    """Power within the bounds of the policy."""
    low, high = case.policy["power_min_w"], case.policy["power_max_w"]
    for gpu in case.gpus:
        if gpu.power_w is not None and not low <= gpu.power_w <= high:
            source = case.policy.source("power_min_w" if gpu.power_w < low else "power_max_w")
            yield degraded("power", gpu, f"{gpu.power_w:g} W", f"{low} to {high} W", source, Action.INSPECT)


def persistence(case: Case) -> Iterator[Finding]:
    """Whether the driver stays loaded while nothing runs."""
    for gpu in case.gpus:
        if gpu.is_persistent is False:
            yield degraded("persistence", gpu, "off", "on", "Azure node health checks", Action.NOTHING)


def leftovers(case: Case) -> Iterator[Finding]:
    """Memory that is held while no process is there to hold it. MIG keeps some for itself on an idle card."""
    limit = case.policy["memory_left_mib"]
    for gpu in case.gpus:
        if not gpu.process_count and gpu.memory_used_mib is not None and gpu.memory_used_mib > max(limit, _own(gpu)):
            what, most = f"{gpu.memory_used_mib} MiB held by no process", f"at most {max(limit, _own(gpu))} MiB"
            yield degraded("leftovers", gpu, what, most, case.policy.source("memory_left_mib"), Action.RESET_GPU)


def _own(gpu: GpuReading) -> int:
    """What the driver itself holds, in MiB: below a hundredth of the memory on every recorded idle card."""
    return (gpu.memory_mib or 0) // 100
