"""Edits: what was changed in a location's part of the site file since it was applied, and what each change does. Pure.

The text that is compared is kept with what was made (on AWS among the stack's outputs). It is a hint: what was observed
in the cloud itself always goes before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leptonctl.planning.plan import Action
from leptonctl.sitefile.aws import architecture_of
from leptonctl.sitefile.effects import Effect, OnEdit, When
from leptonctl.sitefile.keys import keys_of, section_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leptonctl.sitefile.base import Frozen
    from leptonctl.sitefile.keys import Key
    from leptonctl.sitefile.model import Location

Path = tuple[str, ...]

# The inside of the hosts is looked at itself; how hosts are reached is no property of anything that is made.
_ELSEWHERE = frozenset({"software", "roles", "ssh"})
_ACTIONS = {
    Effect.IN_PLACE: Action.UPDATE,
    Effect.ROLLING: Action.UPDATE,
    Effect.REPLACE: Action.REPLACE,
    Effect.FORBIDDEN: Action.FORBIDDEN,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One key that changed: its path in the location, the values, and what the change does.

    `is_entry` is True where a section with a name of its own (a group, a bucket) came or went.
    """

    path: Path
    before: object
    after: object
    does: OnEdit
    is_entry: bool = False

    @property
    def action(self) -> Action:
        """What happens to the thing that the key belongs to."""
        return _ACTIONS.get(self.does.effect, Action.KEEP)

    def text(self, above: Path = ()) -> str:
        """The edit and its effect on one line; `above` is the part of the path that goes without saying."""
        name = ".".join(self.path[len(above) :])
        if self.is_entry:
            change = f"{name} {'removed' if self.after is None else 'added'}"
        else:
            change = f"{name} {_shown(self.before)} -> {_shown(self.after)}"
        words = change + (f": {self.does.note}" if self.does.note else "")
        return f"{words}; instead: {self.does.instead}" if self.does.instead else words


def edits(before: str, location: Location) -> tuple[Edit, ...]:
    """What changed from the section that `section_text` gave to the location as it is now, in the model's order.

    A text that is no section is compared with nothing. Keys that the older section lacks are those of a later version:
    they count as unchanged.
    """
    try:
        old = json.loads(before)
    except ValueError:
        return ()
    new = location.model_dump(mode="json")
    return tuple(_section(type(location), old, new, location.platform, ())) if isinstance(old, dict) else ()


def edit_of(effects: Sequence[OnEdit], path: Path, *, before: object, after: object, platform: str) -> Edit | None:
    """The edit of one key; None where nothing changed, or the key has no meaning on this platform."""
    if before == after:
        return None
    does = effect_of(effects, platform, before, after)
    return Edit(path, before, after, does) if does is not None else None


def effect_of(effects: Sequence[OnEdit], platform: str, before: object, after: object) -> OnEdit | None:
    """The declaration that holds for this change; None where none does."""
    return next((one for one in effects if one.holds_on(platform) and _is_case(one.when, before, after)), None)


def _is_case(when: When, before: object, after: object) -> bool:
    if when is When.LARGER:
        return isinstance(before, int | float) and isinstance(after, int | float) and after > before
    if when is When.AT_END:
        return bool(before) and _items(after)[: len(_items(before))] == _items(before)
    if when is When.SAME_ARCHITECTURE:
        return architecture_of(str(before)) == architecture_of(str(after))
    return True


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _section(
    model: type[Frozen], before: Mapping[str, Any], after: Mapping[str, Any], platform: str, path: Path
) -> Iterator[Edit]:
    for key in keys_of(model):
        if key.name in _ELSEWHERE or key.name not in before:
            continue
        old, new, here = before[key.name], after.get(key.name), (*path, key.name)
        if old == new:
            continue
        if key.shape == "section" and key.section is not None and isinstance(old, dict) and isinstance(new, dict):
            yield from _section(key.section, old, new, platform, here)
        elif key.shape == "section" and key.section is not None:
            does = effect_of(key.effects, platform, old, new) or OnEdit(Effect.IN_PLACE)
            yield Edit(here, old, new, does, is_entry=True)
        elif key.shape == "sections by name" and key.section is not None:
            yield from _entries(key, old or {}, new or {}, platform, here)
        elif (found := edit_of(key.effects, here, before=old, after=new, platform=platform)) is not None:
            yield found


def _entries(
    key: Key, before: Mapping[str, Any], after: Mapping[str, Any], platform: str, path: Path
) -> Iterator[Edit]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None:
            model = section_of(key, new)
            if model is not None:
                yield from _section(model, old, new, platform, (*path, name))
        elif (does := effect_of(key.effects, platform, old, new)) is not None:
            yield Edit((*path, name), old, new, does, is_entry=True)


def _shown(value: object) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
