"""Every key of the site file says what changing it does to a running site."""

from typing import Annotated, get_args

import pytest

from leptonctl.sitefile.base import Frozen
from leptonctl.sitefile.effects import Effect, When, forbidden, in_place, no_effect
from leptonctl.sitefile.keys import Key, every_key, keys_of, section_of
from leptonctl.sitefile.model import Location, Machine, NodeGroup, PlatformName, Site
from leptonctl.sitefile.schema import site_schema
from leptonctl.sitefile.stores.ceph import CephPool
from leptonctl.sitefile.stores.volume import Volume

PLATFORMS = get_args(PlatformName)
KEYS = tuple(every_key(Site))


def label(key: Key) -> str:
    return f"{key.owner.__name__}.{key.name}"


@pytest.mark.parametrize("key", [key for key in KEYS if key.needs_effect], ids=label)
def test_a_key_says_what_changing_it_does(key: Key) -> None:
    assert key.effects, f"{label(key)}: say it in the annotation, with one of leptonctl.sitefile.effects"
    for platform in PLATFORMS:
        cases = [one.when for one in key.effects if one.holds_on(platform)]
        assert len(set(cases)) == len(cases), f"two effects on {platform}"
        assert not cases or cases[-1] is When.ANY, f"on {platform} some edits have no effect declared"
    assert {name for one in key.effects for name in one.on} <= set(PLATFORMS)


@pytest.mark.parametrize("key", [key for key in KEYS if key.shape == "section"], ids=label)
def test_a_section_leaves_it_to_its_keys(key: Key) -> None:
    assert key.owner.model_fields[key.name].metadata == []


def test_a_forbidden_edit_says_why_and_what_to_do_instead() -> None:
    found = [one for key in KEYS for one in key.effects if one.effect is Effect.FORBIDDEN]
    assert found
    assert all(one.note and one.instead for one in found)


def test_the_schema_has_the_effect_of_every_key() -> None:
    schema = site_schema()
    lacking = [
        label(key)
        for key in KEYS
        if key.needs_effect
        and key.owner.__name__ != "Location"
        and "x-on-edit" not in {"Site": schema, **schema["$defs"]}[key.owner.__name__]["properties"][key.name]
    ]
    assert lacking == []
    assert schema["$defs"]["Machine"]["properties"]["type"]["x-on-edit"] == [
        {
            "effect": "in place",
            "note": "the host is stopped and started",
            "on": ["aws"],
            "when": "same processor architecture",
        },
        {"effect": "replace", "note": "another processor architecture needs another image", "on": ["aws"]},
    ]


def test_a_class_of_the_model_may_speak_for_its_keys() -> None:
    class Spoken(Frozen):
        on_edit = (no_effect("all of it"),)

        own: Annotated[int, in_place("this one")]
        other: int

    assert [one.effects[0].text for one in keys_of(Spoken)] == [
        "in place: this one",
        "no effect on machines: all of it",
    ]


def test_what_is_under_a_key_is_told_from_its_type() -> None:
    shapes = {key.name: (key.shape, key.section) for key in keys_of(NodeGroup)}
    assert shapes["machine"] == ("section", Machine)
    assert shapes["count"] == ("value", None)
    assert {key.name: key.shape for key in keys_of(Site)}["regions"] == "sections by name"
    assert shapes["hosts"][0] == "list of sections"


def test_an_entry_of_several_classes_is_told_by_its_kind() -> None:
    (storage,) = (key for key in keys_of(Location) if key.name == "storage")
    assert {Volume, CephPool} <= set(storage.sections)
    assert section_of(storage, {"size_gib": 3}) is Volume
    assert section_of(storage, {"kind": "ceph_pool"}) is CephPool
    assert section_of(storage, {"kind": "tape"}) is None


def test_a_declaration_is_told_on_one_line() -> None:
    told = forbidden("it cannot", instead="do that", on=("aws",))
    assert told.text == "forbidden: it cannot; instead: do that"
    assert told.holds_on("aws")
    assert not told.holds_on("local")
