"""Checks of what a load showed: the burn of each GPU, and the all-reduce over a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.findings import unknown
from leptonctl.health.level import Level
from leptonctl.health.verdict import Action, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.readings import BurnReading, BurnResult, Case

NOT_INSTALLED = "no burn program is installed (dcgmi, or PyTorch with CUDA)"


def burn(case: Case) -> Iterator[Finding]:
    """Every test of every GPU passed under load; a level that was asked for and not carried out is unknown."""
    if case.level is not Level.FULL:
        return
    found = case.reading.burn
    if found is None:
        yield unknown("burn", "", dict(case.reading.unread or {}).get("burn", NOT_INSTALLED))
        return
    bus_ids = [gpu.bus_id for gpu in case.gpus]
    for one in found.results:
        if one.status in {"fail", "warn"}:
            yield _finding(one, found, bus_ids)
    # A burn that skipped its tests, or some of the GPUs, is not one that passed.
    loaded = {one.gpu for one in found.results if one.is_load and one.status != "skip"}
    if not loaded:
        yield unknown("burn", "", f"{found.program} put no load on any GPU: every such test was skipped")
    elif None not in loaded and len(loaded) < case.declared.count:
        what = f"{found.program} put a load on {len(loaded)} of {case.declared.count} GPUs"
        yield unknown("burn", "", what)


def _finding(one: BurnResult, found: BurnReading, bus_ids: list[str]) -> Finding:
    subject = ""
    if one.gpu is not None:
        subject = bus_ids[one.gpu] if one.gpu < len(bus_ids) else f"GPU {one.gpu}"
    # What fails before any load is a setting or a library: persistence mode off fails every GPU there.
    is_hard = one.is_load and one.status == "fail"
    return Finding(
        "burn",
        Verdict.FAILED if is_hard else Verdict.DEGRADED,
        subject,
        f"{one.test}: {one.status}{': ' + one.text if one.text else ''}",
        "pass",
        found.program,
        Action.SUPPORT if is_hard else Action.INSPECT,
    )


def all_reduce(case: Case) -> Iterator[Finding]:
    """Right sums over all GPUs of the group, and the declared bandwidth. Which host is to blame it does not tell."""
    if case.level is not Level.NCCL:
        return
    found, declared = case.reading.all_reduce, case.declared.all_reduce_gbps
    if found is None:
        reason = dict(case.reading.unread or {}).get("all-reduce", "nccl-tests' all_reduce_perf is not installed")
        yield unknown("all-reduce", "", reason)
        return
    if found.wrong_count:
        what = f"{found.wrong_count} wrong values over {found.rank_count} GPUs"
        yield Finding("all-reduce", Verdict.FAILED, "", what, "none", "nccl-tests", Action.INSPECT)
    if found.rank_count < case.declared.count:
        yield unknown("all-reduce", "", f"only {found.rank_count} GPUs took part")
    if declared is None:
        what = f"{found.bus_gbps:g} GB/s; `accelerators.gpus.all_reduce_gbps` does not say how much it should be"
        yield unknown("all-reduce", "", what)
        return
    least = declared * case.policy["all_reduce_percent"] / 100
    if found.bus_gbps < least:
        what = f"{found.bus_gbps:g} GB/s over {found.rank_count} GPUs"
        source = case.policy.source("all_reduce_percent")
        yield Finding("all-reduce", Verdict.FAILED, "", what, f"at least {least:g} GB/s", source, Action.INSPECT)
