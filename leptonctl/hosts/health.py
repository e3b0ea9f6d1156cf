"""Reads the accelerators of hosts, one round trip each, all at once; what they said becomes readings to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.health.kernel_log import read_kernel_log
from leptonctl.health.nvlink import read_links
from leptonctl.health.readings import HostReading
from leptonctl.health.smi import NotUnderstood, read_smi
from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.observed import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 180.0
_MODULES = ("facts", "accelerators")


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


def reading_of(answer: Mapping[str, Any]) -> HostReading:
    """A host's answer as readings; a source that failed or was not understood is named in `unread`."""
    unread: dict[str, str] = {}

    def read(source: str, parse: Any, *names: str) -> Any:  # noqa: ANN401 - the sources' kinds differ
        failed = [answer[name]["failed"] for name in names if "failed" in answer[name]]
        if failed:
            unread[source] = failed[0]
            return None
        try:
            return parse(*(answer[name]["text"] for name in names))
        except NotUnderstood as odd:
            unread[source] = odd.message
            return None

    return HostReading(
        now_s=answer["now_s"],
        booted_s=answer["booted_s"],
        smi=read("nvidia-smi", read_smi, "smi"),
        pci_bus_ids=tuple(answer["pci"]),
        links=read("NVLink", read_links, "links", "link_errors") if "links" in answer else None,
        xids=read("kernel log", lambda text: read_kernel_log(text.splitlines()), "log"),
        fabric_manager_active={"active": True, "unknown": None}.get(answer["fabric_manager"], False),
        unread=unread,
    )
