"""Removal summary: roles that left the site file, in the shape that every verb answers with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.removal import gone_roles
from leptonctl.result import ProblemResult, RoleResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.observed import HostLook
    from leptonctl.planning.removal import GoneRole

_STILL_THERE = "the role left the site file and is still on the host"
_TAKE_OFF = "`leptonctl up` takes it off, and keeps its data"


def gone_role_results(host: str, roles: tuple[GoneRole, ...]) -> tuple[RoleResult, ...]:
    """What `up` does about each."""
    return tuple(RoleResult(name=role.name, state=role.fate.value, reasons=role.reasons(host)) for role in roles)


def still_there(host: str, look: HostLook | None) -> tuple[RoleResult, ...]:
    """The roles that left the site file and are still on the host."""
    return gone_role_results(host, gone_roles(host, look.gone_roles)) if look is not None else ()


def removal_problems(host: str, look: HostLook) -> Iterator[ProblemResult]:
    """A finding for each role that is to be taken off."""
    for role in gone_roles(host, look.gone_roles):
        if role.is_removed:
            yield ProblemResult(rule=role.name, where=host, message=_STILL_THERE, hint=_TAKE_OFF)
