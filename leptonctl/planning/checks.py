"""Checks: what was asked before anything is made, and the answers. Types only; the asking is done by the platforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was asked. `is_ok` is None where it could not be asked: that is no reason to stop, and not yes.

    A check of a quota has its numbers: `asked` by the site file, `used` by everything else, the `limit` of the account,
    and the `code` under which more is asked for.
    """

    rule: str
    message: str
    is_ok: bool | None
    hint: str | None = None
    where: str | None = None
    asked: float | None = None
    used: float | None = None
    limit: float | None = None
    code: str | None = None


def problems(checks: Iterable[Check]) -> tuple[Problem, ...]:
    """What is in the way."""
    return tuple(Problem(one.rule, one.message, hint=one.hint, where=one.where) for one in checks if one.is_ok is False)


def failed(problem: Problem) -> Check:
    """A problem as the check that found it."""
    return Check(rule=problem.rule, message=problem.message, is_ok=False, hint=problem.hint, where=problem.where)
