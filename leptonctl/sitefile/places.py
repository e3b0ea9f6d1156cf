"""Places: where each key and value of a YAML text stands, and what reading the text gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from leptonctl.sitefile.findings import Flaw, Path

Kind = Literal["word", "text", "collection"]
"""A word without quotes, text in quotes or a block, a mapping or list."""


class Place(NamedTuple):
    """Where a key and its value start, from 1. An item of a list has no key: its key is its value."""

    key_line: int
    key_column: int
    key_width: int
    line: int
    column: int
    width: int
    kind: Kind
    """How the value is written."""


@dataclass
class Composed:
    """What the slow reader found. Aliases are read as None; the second value of a duplicate key is left out."""

    data: object = None
    places: dict[Path, Place] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)
    ruined: set[Path] = field(default_factory=set)
    """Where the data is not what the operator wrote: aliases, tags, all of a text that could not be read."""
    merged: set[Path] = field(default_factory=set)
    """Mappings with a merge key: what seems to be missing there may have come with it."""
