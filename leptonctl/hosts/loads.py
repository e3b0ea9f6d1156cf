"""Loads: burns of hosts and all-reduces over groups, started over SSH; what they printed becomes readings.

A load ends with its limit, and when the connection ends: nothing that was started outlives who asked for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.health.all_reduce import read_all_reduce
from leptonctl.health.dcgm import read_diag
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.torch_burn import read_torch_burn
from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.health.readings import AllReduceReading, BurnReading
    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

# DCGM's third run has the memory, power and arithmetic tests; the fourth takes an hour and more.
DCGM_RUN = 3
# What logging in and ending a load may take beside the load itself.
_BESIDE_S = 60.0
_BURN = ("facts", "bounded", "burn")
_ALL_REDUCE = ("bounded", "all_reduce")


def burn(targets: Sequence[Target], *, limit_s: int) -> dict[str, BurnReading | str]:
    """What the burn of each target came to, or why there is no answer, by host address; all hosts at once."""
    request = {"run": DCGM_RUN, "limit_s": limit_s, "torch_program": _torch_program()}
    replies = ask([request_of(aim, _BURN, request) for aim in targets], limit_s=limit_s + _BESIDE_S)
    return {address: _read(reply, _read_burn) for address, reply in replies.items()}


def all_reduce(
    groups: Mapping[str, Sequence[Target]], *, gpu_counts: Mapping[str, int], limit_s: int
) -> dict[str, AllReduceReading | str]:
    """What the all-reduce over each group came to, or why there is no answer, by group; started on its first host."""
    requests = {
        group: request_of(
            aims[0],
            _ALL_REDUCE,
            {
                "hosts": [aim.endpoint.site_hostname or aim.endpoint.hostname for aim in aims],
                "gpu_count": gpu_counts[group],
                "limit_s": limit_s,
            },
        )
        for group, aims in groups.items()
    }
    replies = ask(list(requests.values()), limit_s=limit_s + _BESIDE_S)
    return {group: _read(replies[request.address], _read_all_reduce) for group, request in requests.items()}


def _read_burn(answer: Mapping[str, Any]) -> BurnReading:
    return read_diag(answer["text"]) if answer["program"] == "dcgmi" else read_torch_burn(answer["text"])


def _read_all_reduce(answer: Mapping[str, Any]) -> AllReduceReading:
    return read_all_reduce(answer["text"])


def _read(reply: Reply, read: Any) -> Any:  # noqa: ANN401 - a reading of either kind
    answer, problem = answer_of(reply)
    if problem is not None:
        return problem
    if "failed" in answer:
        return answer["failed"]
    try:
        return read(answer)
    except NotUnderstood as odd:
        return odd.message


@cache
def _torch_program() -> str:
    return (Path(__file__).parent / "remote" / "burn_torch.py").read_text(encoding="utf-8")
