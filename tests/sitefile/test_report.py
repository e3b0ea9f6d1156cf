"""Reports: text that is safe on a terminal with its caret in the right column, and SARIF."""

from __future__ import annotations

from leptonctl.errors import Problem
from leptonctl.sitefile.report import as_sarif, as_text


def problem(line: str, column: int, width: int = 1) -> Problem:
    return Problem("r", "wrong", file="a.yaml", line=7, column=column, source_line=line, width=width)


def test_the_caret_stands_under_what_is_meant() -> None:
    assert as_text([problem("  cout: 3", 3, 4)]) == "a.yaml:7:3: wrong\n  7 |   cout: 3\n    |   ^^^^\n"


def test_the_caret_counts_columns_of_wide_and_written_out_characters() -> None:
    assert as_text([problem("日\t\x1b: x", 6)]) == ("a.yaml:7:6: wrong\n  7 | 日\\t\\x1b: x\n    |           ^\n")


def test_a_long_line_is_cut_around_the_place() -> None:
    text = as_text([problem("a" * 5000 + "X" + "b" * 5000, 5001)])
    _, line, caret = text.splitlines()
    assert len(line) < 180
    assert line[caret.index("^")] == "X"


def test_a_problem_without_a_place_has_its_hint_alone() -> None:
    assert as_text([Problem("r", "gone", "look", where="core/a-1")]) == "core/a-1: gone\n  = look\n"
    assert as_text([Problem("r", "gone")]) == "gone\n"


def test_escapes_in_messages_and_names_are_written_out() -> None:
    text = as_text([Problem("r", "a\x1b[2Jb", "c\rd", file="\x1b]0;x\x07.yaml", line=1, column=1)])
    assert text == "\\x1b]0;x\\x07.yaml:1:1: a\\x1b[2Jb\n  = c\\rd\n"


def test_sarif_names_rules_and_regions() -> None:
    log = as_sarif([problem("  cout: 3", 3, 4), Problem("s", "gone", "look", file="/x y.yaml")], version="1.2")
    assert log["version"] == "2.1.0"
    assert log["runs"] == [
        {
            "tool": {
                "driver": {
                    "name": "leptonctl",
                    "version": "1.2",
                    "rules": [
                        {"id": "r", "shortDescription": {"text": "r"}},
                        {"id": "s", "shortDescription": {"text": "s"}},
                    ],
                }
            },
            "columnKind": "unicodeCodePoints",
            "results": [
                {
                    "ruleId": "r",
                    "ruleIndex": 0,
                    "level": "error",
                    "message": {"text": "wrong"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "a.yaml"},
                                "region": {"startLine": 7, "startColumn": 3, "endLine": 7, "endColumn": 7},
                            }
                        }
                    ],
                },
                {
                    "ruleId": "s",
                    "ruleIndex": 1,
                    "level": "error",
                    "message": {"text": "gone (look)"},
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///x%20y.yaml"}}}],
                },
            ],
        }
    ]
