"""Checks of NVLink, and of the fabric behind it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from leptonctl.health.findings import CATALOGUE, failed, unknown
from leptonctl.health.verdict import Action, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.policy import Policy
    from leptonctl.health.readings import Case, Declared, LinkReading


def links(case: Case) -> Iterator[Finding]:
    """Every link up, at its speed, without errors; as many as are declared."""
    declared, found = case.declared, case.reading.links
    if found is None:
        return
    bus_ids = {gpu.uuid: gpu.bus_id for gpu in case.gpus}
    for uuid, group in groupby(sorted(found, key=lambda one: (one.gpu_uuid, one.link)), key=lambda one: one.gpu_uuid):
        own = list(group)
        subject = bus_ids.get(uuid, uuid)
        yield from _links_of(subject, own, declared, case.policy)
    if declared.links:
        seen = {one.gpu_uuid for one in found}
        for gpu in case.gpus:
            if gpu.uuid not in seen:
                yield failed("NVLink", gpu, "no link", f"{declared.links} are declared", CATALOGUE, Action.RESET_GPU)


def _links_of(subject: str, links: list[LinkReading], declared: Declared, policy: Policy) -> Iterator[Finding]:
    down = [one.link for one in links if one.speed_gbps is None]
    slow = [
        one
        for one in links
        if one.speed_gbps is not None and declared.link_gbps is not None and one.speed_gbps < declared.link_gbps * 0.99
    ]
    if down:
        what = f"links {', '.join(map(str, down))} are down"
        yield Finding("NVLink", Verdict.FAILED, subject, what, "every link up", CATALOGUE, Action.RESET_GPU)
    if declared.links is not None and len(links) != declared.links:
        most = f"{declared.links} are declared"
        yield Finding("NVLink", Verdict.FAILED, subject, f"{len(links)} links", most, CATALOGUE, Action.RESET_GPU)
    for one in slow:
        what, most = f"link {one.link} at {one.speed_gbps:g} GB/s", f"{declared.link_gbps:g} GB/s"
        yield Finding("NVLink", Verdict.FAILED, subject, what, most, CATALOGUE, Action.RESET_GPU)
    limit = policy["nvlink_errors"]
    for one in links:
        if one.errors >= limit:
            what, most = f"link {one.link} has {one.errors} errors", f"fewer than {limit}"
            yield Finding("NVLink", Verdict.DEGRADED, subject, what, most, policy.source("nvlink_errors"), Action.DRAIN)


def fabric(case: Case) -> Iterator[Finding]:
    """Fabric Manager and the fabric's state, where an NVSwitch is declared."""
    if not case.declared.has_nvswitch:
        return
    if case.reading.fabric_manager_active is False:
        source = "EKS node monitoring agent"
        yield Finding("Fabric Manager", Verdict.FAILED, "", "stopped", "active", source, Action.DRAIN)
    elif case.reading.fabric_manager_active is None:
        yield unknown("Fabric Manager", "", "there is no such unit, although an NVSwitch is declared")
    for gpu in case.gpus:
        if (gpu.fabric_state, gpu.fabric_status) != ("Completed", "Success"):
            what = f"fabric {gpu.fabric_state or 'not offered'}, {gpu.fabric_status or 'not offered'}"
            yield failed("fabric", gpu, what, "Completed, Success", CATALOGUE, Action.RESET_GPU)
