"""Gate records: what the health gate said of a host, written to the host and read back from its answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from leptonctl.health.verdict import Verdict
from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.observed import GateRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.target import Target

LIMIT_S = 60.0
_MODULES = ("private_file", "gate_record")
_KEYS = frozenset(GateRecord.__dataclass_fields__)


def write_gate_records(targets: Sequence[Target], records: Mapping[str, GateRecord]) -> dict[str, str]:
    """Write every target's record on it; gives, by host address, why one could not be written."""
    requests = [request_of(aim, _MODULES, {"record": asdict(records[aim.address])}) for aim in targets]
    failed: dict[str, str] = {}
    for address, reply in ask(requests, limit_s=LIMIT_S).items():
        problem = answer_of(reply)[1]
        if problem is not None:
            failed[address] = problem
    return failed


def gate_record_of(found: Mapping[str, Any] | None) -> GateRecord | None:
    """A record as a host answered it; None for one that is not there or not understood: then it is judged again."""
    if found is None:
        return None
    try:
        values = {key: value for key, value in found.items() if key in _KEYS}
        return GateRecord(**{**values, "verdict": Verdict(values["verdict"])})
    except (KeyError, TypeError, ValueError):
        return None
