"""Rules on the one host that serves a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import host_count
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location
    from leptonctl.sitefile.settings import Resolved
    from leptonctl.sitefile.software import RoleName


def check_server(server: str, location: Location, place: Path, role: RoleName, what: str) -> Iterator[Finding]:
    """The group that serves a store is there, has the role that does so, and is one host. `what` is what it serves."""
    where = (*place, "server")
    group = location.nodes.get(server)
    if group is None:
        message = f"there is no node group {quoted(server)} here{did_you_mean(server, location.nodes)}"
        hint = (
            f"groups of this location: {', '.join(location.nodes)}" if location.nodes else "describe it under `nodes`"
        )
        yield Finding("unknown-group", where, message, hint)
    elif role not in group.roles:
        message = f"the group {quoted(server)} has not the role '{role}' that serves this"
        yield Finding("store-role", where, message, "add the role to the group")
    elif host_count(group) != 1:
        message = f"a {what} is on one host, and the group {quoted(server)} is not one host"
        yield Finding("store-role", where, message, "name a group of one host")


def check_not_deleted(
    name: str, held: Mapping[str, Resolved], place: Path, role: RoleName, what: str
) -> Iterator[Finding]:
    """A store that is asked for is not among those that its server shall delete. `held` are the server's settings."""
    if name in cast("list[str]", held["delete"].value):
        message = f"the {what} {quoted(name)} is asked for here, and software.{role}.delete names it"
        yield Finding("deleted-store", place, message, "remove it from one of the two", at="key")
