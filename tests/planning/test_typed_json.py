from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from leptonctl.planning.typed_json import ShapeError, from_json, to_json


@dataclass(frozen=True)
class Part:
    name: str
    size: int | None = None


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    by_name: dict[str, Part]
    is_big: bool = False


WHOLE = Whole(parts=(Part("a", 1), Part("b")), by_name={"c": Part("c")}, is_big=True)


def test_what_is_written_comes_back_the_same() -> None:
    assert from_json(Whole, json.loads(json.dumps(to_json(WHOLE)))) == WHOLE


def test_whole_numbers_that_came_as_floats_are_whole_again() -> None:
    assert from_json(Part, {"name": "a", "size": 3.0}) == Part("a", 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "value is not a mapping"),
        ({"parts": []}, "value lacks 'by_name'"),
        ({"parts": [], "by_name": {}, "more": 1}, "value has 'more', which Whole does not have"),
        ({"parts": {}, "by_name": {}}, "value.parts is not a list"),
        ({"parts": [{"name": 1}], "by_name": {}}, "value.parts[0].name is 1, not of type str"),
        ({"parts": [], "by_name": {"c": {"name": "c", "size": True}}}, "value.by_name.c.size is True, not of type int"),
        ({"parts": [], "by_name": {"c": {"name": "c", "size": 1.5}}}, "value.by_name.c.size is 1.5, not of type int"),
    ],
)
def test_a_foreign_shape_is_refused_with_its_place(data: object, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        from_json(Whole, data)
    assert str(caught.value) == message
