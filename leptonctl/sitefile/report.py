"""Reports: problems as text with line and caret, and as SARIF. Nothing here prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import RULES
from leptonctl.sitefile.words import columns, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.errors import Problem

_LINE_LIMIT = 160
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def as_text(problems: Iterable[Problem]) -> str:
    """The problems one after the other, each with its line and a caret where it has them; ends with a line end."""
    return "".join(f"{one_as_text(problem)}\n" for problem in problems)


def one_as_text(problem: Problem) -> str:
    """`site.yaml:12:5: message`, the line, a caret under what is meant, and the hint. Safe to show on a terminal."""
    lines = [f"{_place(problem)}{visible(problem.message)}"]
    gutter = ""
    if problem.source_line is not None and problem.line is not None and problem.column is not None:
        number = str(problem.line)
        gutter = " " * len(number)
        text, before, width = _cut(problem.source_line, problem.column, problem.width)
        lines += [f"  {number} | {text}", f"  {gutter} | {' ' * before}{'^' * width}"]
    if problem.hint:
        lines.append(f"  {gutter} = {visible(problem.hint)}" if gutter else f"  = {visible(problem.hint)}")
    return "\n".join(lines)


def as_sarif(problems: Iterable[Problem], *, version: str) -> dict[str, object]:
    """The problems as a SARIF 2.1.0 log of one run of leptonctl `version`, as plain JSON data."""
    found = list(problems)
    rules = sorted({problem.rule for problem in found})
    driver = {
        "name": "leptonctl",
        "version": version,
        "rules": [{"id": rule, "shortDescription": {"text": RULES.get(rule, rule)}} for rule in rules],
    }
    results = [_result(problem, rules.index(problem.rule)) for problem in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _place(problem: Problem) -> str:
    parts = [problem.file, problem.line, problem.column] if problem.file else [problem.where]
    known = [visible(str(part)) for part in parts if part is not None]
    return f"{':'.join(known)}: " if known else ""


def _cut(line: str, column: int, width: int) -> tuple[str, int, int]:
    """The part of a line around a column, made visible; the columns before the caret, and the caret's width."""
    start = 0 if len(line) <= _LINE_LIMIT else max(0, min(column - _LINE_LIMIT // 2, len(line) - _LINE_LIMIT))
    piece = line[start : start + _LINE_LIMIT]
    left, right = "..." if start else "", "..." if start + _LINE_LIMIT < len(line) else ""
    before = left + visible(piece[: column - 1 - start])
    meant = visible(piece[column - 1 - start : column - 1 - start + width])
    return f"{left}{visible(piece)}{right}".rstrip(), columns(before), max(columns(meant), 1)


def _result(problem: Problem, rule_index: int) -> dict[str, object]:
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    result: dict[str, object] = {
        "ruleId": problem.rule,
        "ruleIndex": rule_index,
        "level": "error",
        "message": {"text": text},
    }
    if problem.file is not None:
        place: dict[str, object] = {"artifactLocation": {"uri": _uri(problem.file)}}
        if problem.line is not None:
            column = problem.column or 1
            place["region"] = {
                "startLine": problem.line,
                "startColumn": column,
                "endLine": problem.line,
                "endColumn": column + problem.width,
            }
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(file: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - only needed for this format

    return f"file://{quote(file)}" if file.startswith("/") else quote(file)
