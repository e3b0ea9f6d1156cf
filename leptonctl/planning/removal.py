"""Removal of roles: what becomes of those that left the site file and are still on a host. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from leptonctl.sitefile.software import ROLE_DATA, ROLE_NEEDS, ROLES_THAT_STAY

if TYPE_CHECKING:
    from collections.abc import Collection

ALL_DATA = "all"


class Fate(StrEnum):
    """What `up` does about a role that left the site file."""

    TO_REMOVE = "to_remove"
    """It is taken off the host."""
    STAYS = "stays"
    """It is never taken off: what it did is how the host is."""
    NOT_KNOWN = "not_known"
    """This leptonctl does not know the role: it is left as it is."""


@dataclass(frozen=True, slots=True)
class GoneRole:
    """A role that the host's manifest has and the site file does not give it.

    `kept` are the folders with its data that stay on the host, `deleted` those that go because the operator named them.
    """

    name: str
    fate: Fate
    kept: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @property
    def is_removed(self) -> bool:
        """Whether `up` takes it off."""
        return self.fate is Fate.TO_REMOVE

    def reasons(self, host: str) -> tuple[str, ...]:
        """What happens to it and to its data, in the operator's words."""
        return (
            _WORDS[self.fate],
            *((f"deletes {', '.join(self.deleted)}, as named",) if self.deleted else ()),
            *((f"keeps {', '.join(self.kept)} (--delete-data {host}:{self.name} deletes it)",) if self.kept else ()),
        )


_WORDS = {
    Fate.TO_REMOVE: "not in the site file any more: `up` takes it off the host",
    Fate.STAYS: "not in the site file any more: what it did stays on the host",
    Fate.NOT_KNOWN: "this leptonctl does not know the role: it is left as it is",
}


def gone_roles(host: str, names: Collection[str], delete_data: Collection[str] = ()) -> tuple[GoneRole, ...]:
    """The roles in the order in which they go: one that needs others goes before those.

    `host` is the host's address; `delete_data` has the roles whose data goes too, each as `HOST:ROLE`, or `all`.
    """
    order = [*reversed(ROLE_NEEDS), *sorted(set(names) - ROLE_NEEDS.keys())]
    return tuple(_gone(host, name, delete_data) for name in order if name in names)


def _gone(host: str, name: str, delete_data: Collection[str]) -> GoneRole:
    if name not in ROLE_NEEDS:
        return GoneRole(name, Fate.NOT_KNOWN)
    if name in ROLES_THAT_STAY:
        return GoneRole(name, Fate.STAYS)
    data = ROLE_DATA.get(name, ())
    if {ALL_DATA, f"{host}:{name}"} & set(delete_data):
        return GoneRole(name, Fate.TO_REMOVE, deleted=data)
    return GoneRole(name, Fate.TO_REMOVE, kept=data)


def is_any_removed(names: Collection[str]) -> bool:
    """Whether `up` takes one of these off."""
    return any(name in ROLE_NEEDS and name not in ROLES_THAT_STAY for name in names)
