from __future__ import annotations

import json

from leptonctl.planning.edits import edits
from leptonctl.planning.plan import Action
from leptonctl.sitefile.model import Location
from leptonctl.sitefile.section import section_text

HERE = Location.model_validate(
    {"platform": "local", "network": {"cidr": "10.0.0.0/24"}, "nodes": {"box": {"count": 1}}}
)


def changed(**keys: object) -> Location:
    return Location.model_validate({**HERE.model_dump(), **keys})


def told(before: str, after: Location) -> list[tuple[str, Action]]:
    return [(edit.text(), edit.action) for edit in edits(before, after)]


def test_the_same_section_has_no_edits() -> None:
    assert edits(section_text(HERE), HERE) == ()


def test_a_key_that_a_later_version_added_counts_as_unchanged() -> None:
    older = json.loads(section_text(HERE))
    del older["nodes"]["box"]["machine"]
    assert edits(json.dumps(older), HERE) == ()


def test_a_text_that_is_no_section_is_compared_with_nothing() -> None:
    assert edits("", HERE) == edits("[]", HERE) == edits("{", HERE) == ()


def test_sections_with_names_come_and_go_whole() -> None:
    both = changed(nodes={"box": {"count": 1}, "more": {"count": 2}})
    note = "an added group is made; the hosts of a removed one are taken away, their volumes kept"
    assert told(section_text(HERE), both) == [(f"nodes.more added: {note}", Action.UPDATE)]
    assert told(section_text(both), HERE) == [(f"nodes.more removed: {note}", Action.UPDATE)]


def test_what_is_looked_at_on_the_hosts_is_not_compared_here() -> None:
    other = changed(software={"base": {"timezone": "Europe/Berlin"}}, nodes={"box": {"count": 1, "roles": ()}})
    assert edits(section_text(HERE), other) == ()


def test_an_edit_names_the_key_the_values_and_what_it_does() -> None:
    assert told(section_text(HERE), changed(platform="aws"))[0] == (
        (
            "platform local -> aws: machines do not move from one platform to another; instead: "
            "`leptonctl down --only LOCATION` with the old file, then `leptonctl up` with the new one"
        ),
        Action.FORBIDDEN,
    )
