"""The result that every verb answers with: its schema is in the repository, and text from elsewhere is shown safely."""

import json

import pytest

from leptonctl.assets import asset
from leptonctl.render import render
from leptonctl.render.text import literal
from leptonctl.result import ChangeResult, HostResult, LocationResult, ProblemResult, Result, result_schema


def a_result(**changes: object) -> Result:
    host = HostResult(address="core/box-1", status="failed", detail="task 'x' failed: \x1b[31mno\x07")
    location = LocationResult(address="core", tier="core", platform="local", status="failed", hosts=(host,))
    problem = ProblemResult(rule="base", where="core/box-1", message="no \x1b]0;title\x07", hint="mend it")
    change = ChangeResult(action="create", kind="host", address="core/box-1", location="core")
    values: dict[str, object] = {
        "verb": "up",
        "site": "demo",
        "exit_code": 5,
        "locations": (location,),
        "changes": (change,),
        "problems": (problem,),
        "data": {"message": "0 of 1 hosts"},
    }
    return Result.model_validate(values | changes)


def test_the_schema_in_templates_is_made_from_the_model() -> None:
    """Where this fails, run `make docs`."""
    assert json.loads(asset("templates", "result.schema.json").read_text()) == result_schema()


def test_terminal_escapes_of_a_host_are_shown_and_never_sent(capsys: pytest.CaptureFixture[str]) -> None:
    render(a_result(), "text")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "no \\x1b]0;title\\x07" in out


def test_text_names_the_host_the_reason_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    render(a_result(), "text")
    assert capsys.readouterr().out == (
        "  + host     core/box-1\n"
        "failed       core/box-1\n"
        "             task 'x' failed: \\x1b[31mno\\x07\n"
        "\n"
        "core/box-1: base: no \\x1b]0;title\\x07\n"
        "  mend it\n"
        "\n"
        "0 of 1 hosts\n"
    )


def test_json_is_one_object_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    render(a_result(), "json")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["schema"] == "leptonctl.result/1"
    assert captured.err == ""


def test_newlines_and_tabs_stay_and_other_control_characters_are_made_visible() -> None:
    assert literal("a\tb\nc\rd\x00\x9b") == "a\tb\nc\\x0dd\\x00\\x9b"
