"""Keys: walks the site model, class by class. Under a key is a value, a section, or several sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from leptonctl.sitefile.base import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.effects import OnEdit

Shape = Literal["value", "section", "sections by name", "list of sections"]
_SHAPES: dict[type, Shape] = {dict: "sections by name", tuple: "list of sections"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a class of the model. `section` is the class under it, where there is one."""

    owner: type[Frozen]
    name: str
    shape: Shape
    section: type[Frozen] | None
    effects: tuple[OnEdit, ...]

    @property
    def needs_effect(self) -> bool:
        """Whether it has to say what changing it does; a plain section leaves that to its own keys."""
        return self.shape != "section"


def keys_of(model: type[Frozen]) -> tuple[Key, ...]:
    """The keys of one class, in its order."""
    found = []
    for name, field in model.model_fields.items():
        shape, section = _under(field.annotation)
        found.append(Key(model, name, shape, section, model.effects_of(name)))
    return tuple(found)


def every_key(model: type[Frozen]) -> Iterator[Key]:
    """The keys of a class and of all classes under it, each class once."""
    waiting, seen = [model], {model}
    while waiting:
        for key in keys_of(waiting.pop(0)):
            yield key
            if key.section is not None and key.section not in seen:
                seen.add(key.section)
                waiting.append(key.section)


def _under(annotation: Any) -> tuple[Shape, type[Frozen] | None]:  # noqa: ANN401 - a type
    """The shape of a type, and the class of the model in it: `dict[Name, Bucket] | None` is buckets by name."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return "section", annotation
    outer = _SHAPES.get(get_origin(annotation) or object)
    for inner in get_args(annotation):
        shape, section = _under(inner)
        if section is not None:
            return outer or shape, section
    return "value", None
