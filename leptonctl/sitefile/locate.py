"""Where a pydantic error is: its location as a path of the file, and what the model has there."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Union, get_args, get_origin

from pydantic import Tag

from leptonctl.sitefile.base import Frozen
from leptonctl.sitefile.model import Site

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from leptonctl.sitefile.findings import Path


@dataclass(frozen=True, slots=True)
class Located:
    """Where pydantic's location is: the path in the file, whether its key is meant, and what the model has there."""

    path: Path
    is_key: bool
    kind: object
    about: FieldInfo | None
    owner: type[Frozen] | None
    """The model whose key the last part is."""


def locate(error: ErrorDetails) -> Located:
    """Follow pydantic's location through the model: the tags of unions, which the file does not have, are left out."""
    kind: object = Site
    path: list[object] = []
    about: FieldInfo | None = None
    owner: type[Frozen] | None = None
    parts = error["loc"]
    is_key = parts[-1:] == ("[key]",) and error["type"] not in {"extra_forbidden", "missing"}
    for part in parts[:-1] if is_key else parts:
        kind = _plain(kind)
        if _is_union(kind):
            kind = next((member for member in get_args(kind) if Tag(str(part)) in get_args(member)), None)
            continue
        path.append(part)
        if isinstance(kind, type) and issubclass(kind, Frozen):
            owner, about = kind, kind.model_fields.get(str(part))
            kind = about.annotation if about else None
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is tuple:
            kind = get_args(kind)[0]
    return Located(tuple(path), is_key or error["type"] == "invalid_key", _plain(kind), about, owner)


def _plain(kind: object) -> object:
    """The type without its annotations and without `| None`."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
            continue
        rest = [member for member in get_args(kind) if member is not type(None)]
        if not _is_union(kind) or len(rest) > 1:
            return kind
        kind = rest[0]


def _is_union(kind: object) -> bool:
    return get_origin(kind) in {Union, UnionType}
