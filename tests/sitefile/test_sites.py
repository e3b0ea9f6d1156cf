"""Every file in tests/sites: the valid ones load, the invalid ones say exactly what the text beside them says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from leptonctl.errors import ExitCode, InvalidSite
from leptonctl.sitefile.findings import RULES
from leptonctl.sitefile.load import load_site
from leptonctl.sitefile.report import as_text
from leptonctl.sitefile.schema import schema_text, site_schema
from leptonctl.sitefile.source import Source

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

ROOT = Path(__file__).parents[2]
VALID = sorted((ROOT / "tests/sites/valid").glob("*.yaml"))
INVALID = sorted((ROOT / "tests/sites/invalid").glob("*.yaml"))
SAMPLES = sorted((ROOT / "templates").glob("*.yaml"))
# What the fixtures' variables hold.
ENVIRON = json.loads((ROOT / "tests/sites/environ.json").read_text(encoding="utf-8"))
# The rules that the JSON Schema knows too; the others are about the text, or about more than one value.
SHAPE_RULES = {"unknown-key", "missing-key", "wrong-type", "unknown-value", "out-of-range", "bad-name", "template-mark"}
# JSON has no keys but text, and the schema cannot look into variables.
NOT_IN_SCHEMA = {"wrong-type.key", "wrong-type.key-of-section", "bad-name.variable", "unknown-value.variable"}
NOT_IN_SCHEMA |= {"wrong-type.variable"}


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


@named([*VALID, *SAMPLES])
def test_a_valid_site_loads(path: Path) -> None:
    assert load_site(path, environ=ENVIRON).site.site


@named(INVALID)
def test_an_invalid_site_gives_exactly_the_text_beside_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(InvalidSite) as caught:
        load_site(Path(path.name), environ=ENVIRON)
    assert as_text(caught.value.problems) == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert path.name.partition(".")[0] in {problem.rule for problem in caught.value.problems}
    assert caught.value.exit_code == ExitCode.INVALID_SITE
    count = len(caught.value.problems)
    assert caught.value.message == f"{path.name} has {count} problem{'s' if count > 1 else ''}"


def test_every_rule_has_a_fixture_and_every_fixture_a_rule() -> None:
    # too-large needs a file that nobody wants in a repository: test_load makes one.
    assert {path.name.partition(".")[0] for path in INVALID} | {"too-large"} == set(RULES)


def test_no_expected_text_is_left_over() -> None:
    texts = sorted((ROOT / "tests/sites/invalid").glob("*.txt"))
    assert texts == sorted(path.with_suffix(".txt") for path in INVALID)


@named([path for path in INVALID if path.is_file()])
def test_no_expected_text_has_characters_that_a_terminal_acts_on(path: Path) -> None:
    text = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable()


def data_of(path: Path) -> Any:
    return Source(path.name, path.read_bytes().decode()).read().data


@cache
def validator() -> Validator:
    jsonschema.Draft202012Validator.check_schema(site_schema())
    return jsonschema.Draft202012Validator(site_schema())


def test_the_schema_in_templates_is_made_from_the_model() -> None:
    committed = (ROOT / "templates/site.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "write it again: leptonctl schema > templates/site.schema.json"
    assert json.loads(committed)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_key_of_the_schema_is_described() -> None:
    schema = site_schema()
    for definition in [schema, *schema["$defs"].values()]:
        assert definition["description"]
        for key, about in definition["properties"].items():
            assert about.get("description"), key


@named([path for path in [*VALID, *SAMPLES] if path.stem != "variables"])
def test_a_valid_site_passes_the_schema(path: Path) -> None:
    validator().validate(data_of(path))


@named([p for p in INVALID if p.name.partition(".")[0] in SHAPE_RULES and p.stem not in NOT_IN_SCHEMA])
def test_a_site_of_the_wrong_shape_fails_the_schema(path: Path) -> None:
    assert not validator().is_valid(data_of(path))


def is_read_quickly(path: Path) -> bool:
    source = Source(path.name, path.read_bytes().decode("utf-8", errors="replace"))
    return source.read() is not source.composed


@named([path for path in [*VALID, *SAMPLES, *INVALID] if path.is_file() and is_read_quickly(path)])
def test_the_reader_with_positions_reads_what_the_quick_one_reads(path: Path) -> None:
    source = Source(path.name, path.read_bytes().decode("utf-8", errors="replace"))
    assert repr(source.read().data) == repr(source.composed.data)
    assert source.composed.flaws == []
