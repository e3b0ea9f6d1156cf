"""Judging: reads the accelerators of hosts and judges them, each location as one: what many share is no hardware."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.health.fleet import without_shared_errors
from leptonctl.health.judge import judge
from leptonctl.health.level import Level
from leptonctl.hosts import loads
from leptonctl.hosts.health import read_accelerators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.health.judge import HostHealth
    from leptonctl.health.readings import HostReading
    from leptonctl.hosts.target import Target
    from leptonctl.planning.accelerators import Expected

LIMIT_S = {Level.QUICK: 0, Level.FULL: 3600, Level.NCCL: 900}
"""How long a load may take, unless the operator says otherwise."""


def judge_hosts(
    targets: Sequence[Target],
    expected: Mapping[str, Expected],
    level: Level = Level.QUICK,
    *,
    limit_s: int | None = None,
) -> dict[str, HostHealth]:
    """The health of those targets that declare accelerators, by address, in their order. Never raises for a host.

    A load is put on first, and never on a host whose GPUs are in use; then hosts are read: heat and errors show after.
    """
    aims = [aim for aim in targets if aim.address in expected]
    if not aims:
        return {}
    limit_s = LIMIT_S[level] if limit_s is None else limit_s
    loaded = _loaded(aims, expected, level, limit_s) if level is not Level.QUICK else {}
    readings = _readings(aims, expected)
    by_location: dict[str, list[str]] = {}
    for aim in aims:
        by_location.setdefault(aim.location, []).append(aim.address)
    judged: dict[str, HostHealth] = {}
    for addresses in by_location.values():
        policy = expected[addresses[0]].policy
        there = without_shared_errors({address: readings[address] for address in addresses}, policy)
        for address, reading in there.items():
            own = expected[address]
            judged[address] = judge(_with_load(reading, level, loaded.get(address)), own.declared, own.policy, level)
    return judged


def _readings(aims: Sequence[Target], expected: Mapping[str, Expected]) -> dict[str, HostReading]:
    return read_accelerators(
        aims,
        look_back_s=max(expected[aim.address].policy["look_back_s"] for aim in aims),
        with_links=frozenset(aim.address for aim in aims if expected[aim.address].declared.links),
        of_amd=frozenset(aim.address for aim in aims if expected[aim.address].declared.vendor == "amd"),
    )


def _loaded(aims: Sequence[Target], expected: Mapping[str, Expected], level: Level, limit_s: int) -> dict[str, object]:
    """By host address what the load came to, or why there was none."""
    found: dict[str, object] = {}
    free: list[Target] = []
    before = _readings(aims, expected)
    for aim in aims:
        users = _users(before[aim.address])
        if users:
            found[aim.address] = f"its GPUs are in use by {users} processes: drain the host first"
        else:
            free.append(aim)
    if level is Level.FULL:
        return found | dict(loads.burn(free, limit_s=limit_s))
    groups: dict[str, list[Target]] = {}
    for aim in aims:
        groups.setdefault(expected[aim.address].group, []).append(aim)
    whole = {group: members for group, members in groups.items() if not any(one.address in found for one in members)}
    counts = {group: expected[members[0].address].declared.count for group, members in whole.items()}
    answers = loads.all_reduce(whole, gpu_counts=counts, limit_s=limit_s)
    for group, members in groups.items():
        answer = answers.get(group, "GPUs of its group are in use: drain the hosts first")
        found |= {aim.address: found.get(aim.address, answer) for aim in members}
    return found


def _users(reading: HostReading) -> int:
    return sum(gpu.process_count for gpu in reading.smi.gpus) if reading.smi else 0


def _with_load(reading: HostReading, level: Level, load: object) -> HostReading:
    if level is Level.QUICK:
        return reading
    name = "burn" if level is Level.FULL else "all-reduce"
    if isinstance(load, str):
        return replace(reading, unread={**(reading.unread or {}), name: load})
    return replace(reading, burn=load) if level is Level.FULL else replace(reading, all_reduce=load)  # type: ignore[arg-type]
