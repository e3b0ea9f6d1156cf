"""Explain one key of a site: what it is, what holds there, and what changing it would do to the running site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leptonctl.errors import UsageProblem
from leptonctl.sitefile.keys import keys_of
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from leptonctl.sitefile.effects import OnEdit
    from leptonctl.sitefile.keys import Key
    from leptonctl.sitefile.model import Site


@dataclass(frozen=True, slots=True)
class KeyExplanation:
    """A key at a place of the site: its docstring, its value, and the effects that hold on the location's platform.

    `origin` is its path where the file sets it, None where the value is the default.
    """

    path: tuple[str, ...]
    text: str
    value: object
    origin: tuple[str, ...] | None
    effects: tuple[OnEdit, ...]


def explain_key(site: Site, path: str) -> KeyExplanation:
    """The key at a path such as `core.nodes.train.machine.type`. Raises UsageProblem where there is no such key."""
    names = tuple(path.split("."))
    here: Any = site
    platform: str | None = None
    found: Key | None = None
    is_set = True
    for number, name in enumerate(names):
        if isinstance(here, dict):
            here = _entry(here, names, number)
            continue
        platform = getattr(here, "platform", None) or platform
        keys = {key.name: key for key in keys_of(type(here))} if hasattr(here, "model_fields_set") else {}
        if name not in keys:
            raise _unknown(names, number, list(keys))
        found, is_set = keys[name], is_set and name in here.model_fields_set
        here = getattr(here, name)
    platform = getattr(here, "platform", None) or platform
    if found is None:
        raise _unknown(names, 0, [key.name for key in keys_of(type(site))])
    field = found.owner.model_fields[found.name]
    effects = tuple(one for one in found.effects if platform is None or one.holds_on(platform))
    value = here.model_dump(mode="json") if hasattr(here, "model_dump") else here
    return KeyExplanation(names, " ".join((field.description or "").split()), value, names if is_set else None, effects)


def _entry(sections: dict[str, Any], names: tuple[str, ...], number: int) -> object:
    if names[number] not in sections:
        raise _unknown(names, number, list(sections))
    return sections[names[number]]


def _unknown(names: tuple[str, ...], number: int, known: list[str]) -> UsageProblem:
    above = ".".join(names[:number]) or "the site"
    hint = f"keys there: {', '.join(known[:15])}" if known else f"{above} is a value, with nothing under it"
    return UsageProblem(f"{above} has no key {quoted(names[number])}{did_you_mean(names[number], known)}", hint=hint)
