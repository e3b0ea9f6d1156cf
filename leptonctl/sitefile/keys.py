"""Keys: walks the site model, class by class. Under a key is a value, a section, or several sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from leptonctl.sitefile.base import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.effects import OnEdit

Shape = Literal["value", "section", "sections by name", "list of sections"]
_SHAPES: dict[type, Shape] = {dict: "sections by name", tuple: "list of sections"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a class of the model. `section` is the class under it, where there is one.

    Where an entry may be of several classes, told apart by their `kind`, `section` is the first and `sections` has all.
    """

    owner: type[Frozen]
    name: str
    shape: Shape
    section: type[Frozen] | None
    effects: tuple[OnEdit, ...]
    sections: tuple[type[Frozen], ...] = ()

    @property
    def needs_effect(self) -> bool:
        """Whether it has to say what changing it does; a plain section leaves that to its own keys."""
        return self.shape != "section"


def keys_of(model: type[Frozen]) -> tuple[Key, ...]:
    """The keys of one class, in its order."""
    found = []
    for name, field in model.model_fields.items():
        shape, sections = _under(field.annotation)
        section = sections[0] if sections else None
        found.append(Key(model, name, shape, section, model.effects_of(name), sections))
    return tuple(found)


def every_key(model: type[Frozen]) -> Iterator[Key]:
    """The keys of a class and of all classes under it, each class once."""
    waiting, seen = [model], {model}
    while waiting:
        for key in keys_of(waiting.pop(0)):
            yield key
            fresh = [section for section in key.sections if section not in seen]
            seen.update(fresh)
            waiting.extend(fresh)


def _under(annotation: Any) -> tuple[Shape, tuple[type[Frozen], ...]]:  # noqa: ANN401 - a type
    """The shape of a type, and the classes of the model in it: `dict[Name, Bucket] | None` is buckets by name."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return "section", (annotation,)
    outer = _SHAPES.get(get_origin(annotation) or object)
    found: tuple[type[Frozen], ...] = ()
    shape: Shape = "value"
    for inner in get_args(annotation):
        under, sections = _under(inner)
        if sections:
            found, shape = (*found, *sections), under
    return (outer or shape if found else "value"), found


def section_of(key: Key, entry: Mapping[str, Any]) -> type[Frozen] | None:
    """The class of an entry of a key, given as JSON: by its `kind` where there are several; None for an unknown one."""
    if len(key.sections) <= 1:
        return key.section
    kind = entry.get("kind", key.sections[0].model_fields["kind"].default)
    return next((one for one in key.sections if kind in get_args(one.model_fields["kind"].annotation)), None)
