"""Reads the accelerators of hosts, one round trip each, all at once; what they said becomes readings to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.answer import reading_of
from leptonctl.health.readings import PROGRAMS, HostReading
from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 180.0
_MODULES = ("facts", "drill", "links", "versions", "amd", "accelerators")


def read_accelerators(
    targets: Sequence[Target],
    *,
    look_back_s: int,
    with_links: frozenset[str] = frozenset(),
    of_amd: frozenset[str] = frozenset(),
) -> dict[str, HostReading]:
    """What every target says of its GPUs, by host address; `with_links` are those that have NVLink, `of_amd` AMD's.

    Never raises for a host: one that did not answer has a reading that says so.
    """
    vendors = {target.address: "amd" if target.address in of_amd else "nvidia" for target in targets}
    requests = [
        request_of(
            target,
            _MODULES,
            {
                "look_back_s": look_back_s,
                "with_links": target.address in with_links,
                "vendor": vendors[target.address],
            },
        )
        for target in targets
    ]
    replies = ask(requests, limit_s=LIMIT_S)
    return {address: _reading(replies[address], vendor) for address, vendor in vendors.items()}


def _reading(reply: Reply, vendor: str) -> HostReading:
    answer, problem = answer_of(reply)
    if problem is None:
        return reading_of(answer)
    return HostReading(now_s=0, booted_s=0, unread=dict.fromkeys((PROGRAMS[vendor], "PCI bus", "kernel log"), problem))
