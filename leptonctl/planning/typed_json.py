"""Frozen dataclasses as JSON values and back: strict in both directions, so that a foreign shape never passes."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ShapeError(ValueError):
    """A value that is not of the type asked for; the text names its place and what was expected."""


def to_json(value: object) -> Any:  # noqa: ANN401 - JSON
    """A dataclass, tuple, mapping or scalar as what `json` can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def from_json(cls: type[T], data: object, *, place: str = "value") -> T:
    """The dataclass that `to_json` gave `data` for. Fields with a default may be missing. Raises `ShapeError`."""
    return cast("T", _read(cls, data, place))


def _read(kind: Any, data: object, place: str) -> object:  # noqa: ANN401, PLR0911 - types are of many types; one return a kind
    if is_dataclass(kind):
        return _read_dataclass(cast("type", kind), data, place)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in inner:
            return None
        return _read(next(one for one in inner if one is not type(None)), data, place)
    if origin is Literal:
        if data not in inner:
            raise ShapeError(f"{place} is {data!r}, not one of {', '.join(map(repr, inner))}")
        return data
    if origin is tuple:
        if not isinstance(data, (list, tuple)):
            raise ShapeError(f"{place} is not a list")
        return tuple(_read(inner[0], item, f"{place}[{index}]") for index, item in enumerate(data))
    if origin is dict:
        if not isinstance(data, dict):
            raise ShapeError(f"{place} is not a mapping")
        return {str(key): _read(inner[1], item, f"{place}.{key}") for key, item in data.items()}
    return _read_scalar(kind, data, place)


def _read_scalar(kind: type, data: object, place: str) -> object:
    # Numbers come back from a protobuf struct as floats.
    if kind is int and isinstance(data, float) and data.is_integer():
        return int(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise ShapeError(f"{place} is {data!r}, not of type {kind.__name__}")
    return data


def _read_dataclass(cls: type, data: object, place: str) -> object:
    if not isinstance(data, dict):
        raise ShapeError(f"{place} is not a mapping")
    known = {one.name: one for one in fields(cls)}
    foreign = sorted(set(data) - set(known))
    if foreign:
        raise ShapeError(f"{place} has {', '.join(map(repr, foreign))}, which {cls.__name__} does not have")
    lacking = [
        name
        for name, one in known.items()
        if name not in data and one.default is MISSING and one.default_factory is MISSING
    ]
    if lacking:
        raise ShapeError(f"{place} lacks {', '.join(map(repr, lacking))}")
    hints = get_type_hints(cls)
    return cls(**{name: _read(hints[name], data[name], f"{place}.{name}") for name in known if name in data})
