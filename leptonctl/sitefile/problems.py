"""Problems: findings and flaws with their place in the file, sorted, each once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.errors import InvalidSite, Problem
from leptonctl.sitefile.words import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.sitefile.findings import Finding, Flaw
    from leptonctl.sitefile.source import Source


def invalid(source: Source, flaws: Iterable[Flaw], findings: Iterable[Finding] = ()) -> InvalidSite:
    """The error that carries every problem of a site file, in the order of the file."""
    of_findings = {finding: from_finding(finding, source) for finding in findings}
    # A line with a secret in it is shown by nobody, whatever else is wrong on it.
    hidden = {problem.line for finding, problem in of_findings.items() if not finding.shows_line}
    found = {*(from_flaw(flaw, source) for flaw in flaws), *of_findings.values()}
    shown = {replace(one, source_line=None) if one.line in hidden else one for one in found}
    problems = tuple(sorted(shown, key=_order))
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return InvalidSite(f"{visible(source.file)} has {count}", problems=problems)


def from_flaw(flaw: Flaw, source: Source) -> Problem:
    """The problem for a flaw of the text."""
    return Problem(
        rule=flaw.rule,
        message=visible(flaw.message),
        hint=flaw.hint,
        file=source.file,
        line=flaw.line,
        column=flaw.column,
        source_line=_line(source, flaw.line),
        width=flaw.width,
    )


def from_finding(finding: Finding, source: Source) -> Problem:
    """The problem for a finding, at its key or its value.

    What is said about a whole mapping or list stands at its key, and so does what is said about an empty value. A path
    that the file does not have gets the place of the nearest one above.
    """
    span = source.span(finding.path)
    if span is None:
        line, column, width = 1, 1, 1
    elif finding.at == "key" or span.kind == "collection" or source.is_blank(span):
        line, column, width = span.key_line, span.key_column, span.key_width
    else:
        line, column, width = span.line, span.column, span.width
    return Problem(
        rule=finding.rule,
        message=visible(finding.message),
        hint=visible(finding.hint) if finding.hint else None,
        file=source.file,
        line=line,
        column=column,
        source_line=_line(source, line) if finding.shows_line else None,
        width=width,
    )


def _line(source: Source, line: int | None) -> str | None:
    """A line of the file; None where there is none, or where there is nothing to see on it."""
    text = source.lines[line - 1] if line is not None and 0 < line <= len(source.lines) else ""
    return text if text.strip() else None


def _order(problem: Problem) -> tuple[int, int, str, str]:
    return problem.line or 0, problem.column or 0, problem.rule, problem.message
