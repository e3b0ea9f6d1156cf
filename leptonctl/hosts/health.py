"""Reads the accelerators of hosts, one round trip each, all at once; what they said becomes readings to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.answer import reading_of
from leptonctl.health.readings import HostReading
from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 180.0
_MODULES = ("facts", "drill", "links", "versions", "accelerators")


def read_accelerators(
    targets: Sequence[Target], *, look_back_s: int, with_links: frozenset[str]
) -> dict[str, HostReading]:
    """What every target says of its GPUs, by host address; `with_links` are those that have NVLink.

    Never raises for a host: one that did not answer has a reading that says so.
    """
    requests = [
        request_of(target, _MODULES, {"look_back_s": look_back_s, "with_links": target.address in with_links})
        for target in targets
    ]
    replies = ask(requests, limit_s=LIMIT_S)
    return {target.address: _reading(replies[target.address]) for target in targets}


def _reading(reply: Reply) -> HostReading:
    if reply.reach != Reach.OK:
        return _silent(reply.detail)
    answer, problem = answer_of(reply)
    return reading_of(answer) if problem is None else _silent(problem)


def _silent(reason: str) -> HostReading:
    return HostReading(now_s=0, booted_s=0, unread=dict.fromkeys(("nvidia-smi", "PCI bus", "kernel log"), reason))
