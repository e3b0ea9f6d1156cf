"""Reads what nccl-tests' `all_reduce_perf` prints: a table, a line a message size."""

from __future__ import annotations

import re

from leptonctl.health.readings import AllReduceReading
from leptonctl.health.smi import NotUnderstood

_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
# size, count, type, redop, root, then time, algbw, busbw, #wrong out of place, and the same in place.
_ROW = re.compile(
    rf"(?:\[\d+,\d+\]<stdout>:)?\s*(?P<size>\d+)\s+\d+\s+\w+\s+\w+\s+-?\d+"
    rf"\s+{_NUMBER}\s+{_NUMBER}\s+(?P<out>{_NUMBER})\s+(?P<out_wrong>\d+|N/A)"
    rf"(?:\s+{_NUMBER}\s+{_NUMBER}\s+(?P<within>{_NUMBER})\s+(?P<in_wrong>\d+|N/A))?\s*"
)
_RANK = re.compile(r"(?:\[\d+,\d+\]<stdout>:)?#\s+Rank\s+(\d+) ")
_WRONG = re.compile(r"# Out of bounds values\s*:\s*(\d+) (OK|FAILED)")


def read_all_reduce(text: str) -> AllReduceReading:
    """The bus bandwidth of the largest messages, in GB/s, the better of both kinds; how many ranks took part.

    The average that the program prints last is over all sizes and falls with small ones: it is not taken. Raises
    NotUnderstood where the table, the ranks or the closing line are missing: it was cut off, or is something else.
    """
    rows = [found for line in text.splitlines() if (found := _ROW.fullmatch(line))]
    ranks = {found[1] for line in text.splitlines() if (found := _RANK.match(line))}
    wrong = _WRONG.search(text)
    if not rows or not ranks or wrong is None:
        lines = [line for line in text.splitlines() if line.strip()]
        raise NotUnderstood(
            f"all_reduce_perf printed no whole table; it ended with {lines[-1][:200] if lines else ''!r}"
        )
    last = max(rows, key=lambda row: int(row["size"]))
    bandwidths = [float(last[name]) for name in ("out", "within") if last[name] is not None]
    return AllReduceReading(
        bus_gbps=max(bandwidths),
        size_bytes=int(last["size"]),
        rank_count=len(ranks),
        wrong_count=int(wrong[1]) if wrong[2] == "OK" else max(1, int(wrong[1])),
    )
