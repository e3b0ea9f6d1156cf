"""Ranges: `box-[001:400].example.com` as host names, and the hosts of a node group in order."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from leptonctl.sitefile.model import Host

if TYPE_CHECKING:
    from leptonctl.sitefile.model import NodeGroup

HOSTS_LIMIT = 100_000
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})(?::([0-9]{1,9}))?")


class RangeError(ValueError):
    """A range that cannot be read; the text says why."""


def group_hosts(group_name: str, group: NodeGroup) -> tuple[Host, ...]:
    """The hosts of a node group: `GROUP-1`..`GROUP-N` for a count, else the listed ones in file order, ranges expanded.

    A host's address is `LOCATION/NAME`. Raises RangeError where a range is wrong (never for a checked site).
    """
    if group.hosts is None:
        return tuple(_named(f"{group_name}-{number}") for number in range(1, (group.count or 0) + 1))
    hosts: list[Host] = []
    for entry in group.hosts:
        if isinstance(entry, Host):
            hosts.append(entry)
        elif "[" in entry or "]" in entry:
            hosts.extend(map(_named, expand(entry)))
        else:
            hosts.append(_named(entry))
    return tuple(hosts)


def host_count(group: NodeGroup) -> int:
    """How many hosts a node group has. Raises RangeError as `group_hosts` does."""
    return len(group_hosts("any", group))


def expand(text: str) -> list[str]:
    """The names that `text` stands for: each `[FIRST:LAST]` or `[FIRST:LAST:STEP]` counts, LAST included.

    Zeros in front set the width and must be alike in both ends. Several ranges count like an odometer, the last one
    quickest. Raises RangeError.
    """
    pieces: list[list[str]] = []
    count = 1
    position = 0
    for brackets in _BRACKETS.finditer(text):
        numbers = _numbers(brackets.group(1))
        count *= len(numbers)
        if count > HOSTS_LIMIT:
            raise RangeError(f"'{text}' stands for more than {HOSTS_LIMIT} hosts")
        pieces += [[_plain(text, position, brackets.start())], numbers]
        position = brackets.end()
    pieces.append([_plain(text, position, len(text))])
    return ["".join(parts) for parts in product(*pieces)]


def _numbers(inside: str) -> list[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        raise RangeError(f"'[{inside}]' is not a range")
    first, last, step = found.group(1), found.group(2), int(found.group(3) or 1)
    is_padded = any(end.startswith("0") and len(end) > 1 for end in (first, last))
    if is_padded and len(first) != len(last):
        raise RangeError(f"the ends of '[{inside}]' have different widths")
    if int(last) < int(first):
        raise RangeError(f"'[{inside}]' counts down")
    if step < 1:
        raise RangeError(f"the step of '[{inside}]' is 0")
    numbers = range(int(first), int(last) + 1, step)
    # Refused before the list is made: a range of a thousand million names is one short line of text.
    if len(numbers) > HOSTS_LIMIT:
        raise RangeError(f"'[{inside}]' stands for more than {HOSTS_LIMIT} hosts")
    width = len(first) if is_padded else 0
    return [f"{number:0{width}d}" for number in numbers]


def _plain(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    if "[" in piece or "]" in piece:
        raise RangeError(f"'{text}' has a bracket without its other half")
    return piece


def _named(name: str) -> Host:
    return Host.model_construct(_fields_set={"name"}, name=name)
