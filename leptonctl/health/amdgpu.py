"""What amdgpu says in the kernel's log, and what is known of each error: the verdict, the action, and its source."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from leptonctl.health.data import read_data
from leptonctl.health.readings import DriverError
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.verdict import Action, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

_TABLE = "amdgpu.toml"
_LINE = re.compile(r"(?P<at>\d+\.\d+) \S+ kernel: (?:\[[^]]*\] )?(?P<said>.*amdgpu.*)")
_BUS = re.compile(r"amdgpu (?P<bus>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]):")
# What must not be lost in silence where its words change, and how amdgpu says that there is nothing.
_MARK, _ALL_CLEAR = "uncorrectable hardware error", "no uncorrectable hardware error"


@dataclass(frozen=True, slots=True)
class KnownError:
    """One kind of error, with the words that it is known by."""

    name: str
    pattern: re.Pattern[str]
    verdict: Verdict
    action: Action
    source: str


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Every kind of the table, in its order."""
    table = tomllib.loads(read_data(_TABLE))
    return tuple(
        KnownError(
            name=one["name"],
            pattern=re.compile(one["pattern"]),
            verdict=Verdict(one["verdict"]),
            action=Action(one["action"]),
            source=one["source"],
        )
        for one in table["error"]
    )


def read_amdgpu_log(lines: Iterable[str]) -> tuple[DriverError, ...]:
    """Every known error of amdgpu, in the order of the log; all other lines are passed over.

    Raises NotUnderstood for a line about uncorrectable errors in other words: it must not be lost in silence.
    """
    found = (_error(line.rstrip()) for line in lines if "amdgpu" in line)
    return tuple(one for one in found if one is not None)


def _error(text: str) -> DriverError | None:
    line = _LINE.fullmatch(text)
    if line is not None:
        for known in known_errors():
            match = known.pattern.search(line["said"])
            if match is not None:
                said = match.groupdict()
                count = int(said["count"]) if said.get("count") else None
                bus = _BUS.search(line["said"])
                part = said.get("part")
                at_s, bus_id = float(line["at"]), bus["bus"] if bus else None
                error = DriverError(at_s=at_s, bus_id=bus_id, name=known.name, part=part, count=count)
                return None if count == 0 else error
    if _MARK in text and _ALL_CLEAR not in text:
        raise NotUnderstood(f"a line of amdgpu about an uncorrectable error was not understood: {text[:200]!r}")
    return None


def known_error(name: str) -> KnownError:
    """What is known of a kind of error, by its name."""
    return next(one for one in known_errors() if one.name == name)
