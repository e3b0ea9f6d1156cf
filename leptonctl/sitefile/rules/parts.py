"""The parts of a site, each with its path in the file: what every rule walks over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site
    from leptonctl.sitefile.software import Software


def locations(site: Site) -> Iterator[tuple[Path, Location]]:
    """Every location, in tier order."""
    for address, location in site.locations().items():
        yield tuple(address.split("/")), location


def groups(site: Site) -> Iterator[tuple[Path, Location, str, NodeGroup]]:
    """Every node group, with the path of the group, its location and its name."""
    for path, location in locations(site):
        for name, group in location.nodes.items():
            yield (*path, "nodes", name), location, name, group


def sections(site: Site) -> Iterator[tuple[Path, Software, list[NodeGroup]]]:
    """Every `software` section, with the groups that it may hold for."""
    yield ("software",), site.software, [group for _, _, _, group in groups(site)]
    for path, location in locations(site):
        yield (*path, "software"), location.software, list(location.nodes.values())
        for name, group in location.nodes.items():
            yield (*path, "nodes", name, "software"), group.software, [group]


def spoken(path: Path) -> str:
    """A location's path as its address."""
    return "/".join(str(part) for part in path)
