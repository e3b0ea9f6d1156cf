"""Judging: reads the accelerators of hosts and judges them, each location as one: what many share is no hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.fleet import without_shared_errors
from leptonctl.health.judge import judge
from leptonctl.hosts.health import read_accelerators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.health.judge import HostHealth
    from leptonctl.hosts.target import Target
    from leptonctl.planning.accelerators import Expected


def judge_hosts(targets: Sequence[Target], expected: Mapping[str, Expected]) -> dict[str, HostHealth]:
    """The health of those targets that declare accelerators, by address, in their order. Reads only; never raises."""
    aims = [aim for aim in targets if aim.address in expected]
    if not aims:
        return {}
    own = {aim.address: expected[aim.address] for aim in aims}
    readings = read_accelerators(
        aims,
        look_back_s=max(one.policy["look_back_s"] for one in own.values()),
        with_links=frozenset(address for address, one in own.items() if one.declared.links),
    )
    by_location: dict[str, list[str]] = {}
    for aim in aims:
        by_location.setdefault(aim.location, []).append(aim.address)
    judged: dict[str, HostHealth] = {}
    for addresses in by_location.values():
        policy = own[addresses[0]].policy
        there = without_shared_errors({address: readings[address] for address in addresses}, policy)
        judged.update(
            (address, judge(reading, own[address].declared, own[address].policy)) for address, reading in there.items()
        )
    return judged
