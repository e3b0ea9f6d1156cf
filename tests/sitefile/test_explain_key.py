from __future__ import annotations

from pathlib import Path

import pytest

from leptonctl.errors import UsageProblem
from leptonctl.sitefile.explain_key import explain_key
from leptonctl.sitefile.load import load_site

SITE = load_site(Path(__file__).parents[1] / "engine/sites/thin.yaml", environ={}).site


def test_a_key_is_told_with_its_value_its_place_and_what_changing_it_does() -> None:
    found = explain_key(SITE, "core.nodes.box.machine.type")
    assert (found.value, found.origin) == ("m5.large", ("core", "nodes", "box", "machine", "type"))
    assert found.text == "The cloud's name of the machine type, such as `g6.xlarge` (aws)."
    assert [one.text for one in found.effects] == [
        "in place: the host is stopped and started",
        "replace: another processor architecture needs another image",
    ]


def test_a_default_has_no_place_in_the_file() -> None:
    found = explain_key(SITE, "core.aws.flow_log_days")
    assert (found.value, found.origin) == (30, None)


def test_only_the_effects_on_the_locations_platform_are_told() -> None:
    assert [one.on for one in explain_key(SITE, "core.storage.data.size_gib").effects] == [("aws",), ("aws",)]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("core.nodes.bx", "core.nodes has no key 'bx' (did you mean 'box'?)", "keys there: box"),
        ("core.aws.region.x", "core.aws.region has no key 'x'", "core.aws.region is a value, with nothing under it"),
    ],
)
def test_a_key_that_is_not_there_is_told_with_those_that_are(path: str, message: str, hint: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        explain_key(SITE, path)
    assert (caught.value.message, caught.value.hint) == (message, hint)
