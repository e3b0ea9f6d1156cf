"""Preflight: what would stop the site from being made, of all platforms at once; nothing is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import PreflightFailed, Problem
from leptonctl.planning.checks import failed, problems
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leptonctl.planning.checks import Check
    from leptonctl.session import Session
    from leptonctl.sitefile.model import PlatformName


def ask(session: Session, addresses: Iterable[str]) -> tuple[Check, ...]:
    """Every check of these locations. Raises `Refused` where an existing host's key is not the one that is known."""
    by_platform: dict[PlatformName, list[str]] = {}
    for address in addresses:
        by_platform.setdefault(session.location(address).platform, []).append(address)
    found: list[Check] = []
    for name, own in by_platform.items():
        try:
            found += session.platform(name).preflight(tuple(session.location(address) for address in own))
        except PreflightFailed as error:
            own_problems = error.problems or (Problem("preflight", error.message, error.hint),)
            found += map(failed, own_problems)
    return tuple(found)


def pass_or_raise(session: Session, checks: tuple[Check, ...]) -> None:
    """Say what is not known, and raise `PreflightFailed` with everything that is in the way."""
    for one in checks:
        if one.is_ok is None:
            where = one.where or session.desired.site
            session.report(Progress("preflight", "warning", where, f"not known: {one.message}"))
    found = problems(checks)
    if found:
        message = found[0].message if len(found) == 1 else f"{len(found)} things are in the way"
        raise PreflightFailed(message, hint=found[0].hint if len(found) == 1 else None, problems=found)
