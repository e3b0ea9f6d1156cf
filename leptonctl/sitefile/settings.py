"""Settings: which value of each role setting holds in a place, and where it was set. Resolved here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from leptonctl.sitefile.rollout import DEFAULTS
from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.software import RoleName, Software


@dataclass(frozen=True, slots=True)
class Resolved:
    """A setting's value as plain JSON data; `origin` is its path in the site file, or None for the default."""

    value: object
    origin: tuple[str | int, ...] | None


def resolve(site: Site, location: str, group: str | None, role: RoleName) -> dict[str, Resolved]:
    """Every setting of `role` that holds for a location address and a group of it (None: the location alone).

    The group holds over the location, the location over the site, the site over the default, setting by setting: a list
    or mapping that is set deeper replaces the whole one from further up. Settings come in the model's order. A setting
    that is written as null counts as set. The values are shared: nobody may change them. Raises KeyError where the
    location or group does not exist.
    """
    found = dict(_defaults(role))
    for path, software in scopes(site, location, group):
        settings = getattr(software, role)
        if settings is None:
            continue
        values = settings.model_dump(mode="json", include=settings.model_fields_set)
        found.update({name: Resolved(value, (*path, role, name)) for name, value in values.items()})
    return found


def resolve_rollout(site: Site, location: str) -> dict[str, Resolved]:
    """Every key of `rollout` that holds for a location: its own, else the site's, else the default of its tier."""
    path = tuple(location.split("/"))
    found = {key: Resolved(value, None) for key, value in DEFAULTS[path[0]].items()}
    for place, rollout in ((("rollout",), site.rollout), ((*path, "rollout"), site.location(location).rollout)):
        for key, value in rollout.model_dump(mode="json", exclude_none=True).items():
            found[key] = Resolved(value, (*place, key))
    return found


@cache
def _defaults(role: RoleName) -> dict[str, Resolved]:
    return {name: Resolved(value, None) for name, value in SETTINGS[role]().model_dump(mode="json").items()}


def scopes(site: Site, location: str, group: str | None) -> Iterator[tuple[tuple[str, ...], Software]]:
    """The `software` sections that hold for a place, from the site to the group, each with its path in the file."""
    yield ("software",), site.software
    place = site.location(location)
    path = tuple(location.split("/"))
    yield (*path, "software"), place.software
    if group is not None:
        yield (*path, "nodes", group, "software"), place.nodes[group].software
