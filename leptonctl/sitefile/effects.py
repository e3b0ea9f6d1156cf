"""Effects: what changing a key of the site file does to a site that runs. Each key of the model declares its own.

A declaration stands in the field's annotation, `Annotated[int, in_place("the disk grows", on=AWS)]`, or once for all
keys of a class in its `on_edit`. For a mapping of sections it says what adding or removing an entry does. The schema
and the reference show it, `plan` prints it with each change, and a forbidden edit is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Effect(StrEnum):
    """What an edit does to what is there."""

    NO_EFFECT = "no effect on machines"
    """It is only read, checked or shown."""
    IN_PLACE = "in place"
    """The thing stays, with what is in it; the note says where it is away for a while."""
    ROLLING = "rolling"
    """Hosts change one after the other, wave by wave, while the others work."""
    REPLACE = "replace"
    """The thing is made again: a host loses its root disk, so `up` does it only with `--replace`."""
    FORBIDDEN = "forbidden"
    """`up` refuses it while the thing is there; the note says why, `instead` what to do."""


class When(StrEnum):
    """For which edits a declaration holds; the first that does counts."""

    ANY = "any"
    LARGER = "larger"
    """The value grows."""
    AT_END = "added at the end"
    """The list keeps what it has and gets more behind it."""
    SAME_ARCHITECTURE = "same processor architecture"
    """The machine type is of the same processor architecture as before."""


@dataclass(frozen=True, slots=True)
class OnEdit:
    """What changing a key does, on the platforms in `on` (empty is all of them), for the edits that `when` says."""

    effect: Effect
    note: str = ""
    instead: str = ""
    on: tuple[str, ...] = ()
    when: When = When.ANY

    def holds_on(self, platform: str) -> bool:
        """Whether it says something about this platform."""
        return not self.on or platform in self.on

    @property
    def text(self) -> str:
        """The effect, with why and what to do instead, on one line."""
        words = f"{self.effect}: {self.note}" if self.note else str(self.effect)
        return f"{words}; instead: {self.instead}" if self.instead else words

    def as_json(self) -> dict[str, Any]:
        """The same for the JSON Schema; what is empty is left out."""
        found = {"effect": str(self.effect), "note": self.note, "instead": self.instead, "on": list(self.on)}
        found |= {"when": str(self.when)} if self.when is not When.ANY else {}
        return {key: value for key, value in found.items() if value}


AWS = ("aws",)
LOCAL = ("local",)
SSH = ("ssh",)


def no_effect(note: str = "", *, on: tuple[str, ...] = ()) -> OnEdit:
    """The key is only read, checked or shown."""
    return OnEdit(Effect.NO_EFFECT, note, on=on)


def in_place(note: str = "", *, on: tuple[str, ...] = (), when: When = When.ANY) -> OnEdit:
    """The thing stays and is changed."""
    return OnEdit(Effect.IN_PLACE, note, on=on, when=when)


def rolling(note: str = "", *, on: tuple[str, ...] = ()) -> OnEdit:
    """Hosts are changed one after the other."""
    return OnEdit(Effect.ROLLING, note, on=on)


def replace(note: str = "", *, on: tuple[str, ...] = ()) -> OnEdit:
    """The thing is made again."""
    return OnEdit(Effect.REPLACE, note, on=on)


def forbidden(note: str, *, instead: str, on: tuple[str, ...] = ()) -> OnEdit:
    """`up` refuses it; `instead` is what to do."""
    return OnEdit(Effect.FORBIDDEN, note, instead, on)


def declared(metadata: Sequence[object]) -> tuple[OnEdit, ...]:
    """The declarations among the metadata of a field."""
    return tuple(one for one in metadata if isinstance(one, OnEdit))
