"""Rules on who watches: one monitoring server in a location, and all come together at the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import is_ip_address
from leptonctl.sitefile.rules.parts import groups, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site

_SERVER = "monitoring_server"
_DASHBOARDS: Literal["dashboards"] = "dashboards"
_CORE = ("core",)


def check_monitoring_servers(site: Site) -> Iterator[Finding]:
    """One host watches a location: two would each send every alert. All others send what they have to the core's."""
    first: dict[Path, str] = {}
    places: dict[Path, Path] = {}
    for path, _, name, group in groups(site):
        if _SERVER not in group.roles:
            continue
        location, place = path[:-2], (*path, "roles", group.roles.index(_SERVER))
        count = group.count or len(group.hosts or ())
        if group.scaling is not None:
            message = "a monitoring server needs a host that stays, and those of a scaling group come and go"
            yield Finding("scaled-hosts", place, message, "give the role to a group of one host")
            continue
        if location in first:
            message = f"a host of the group '{first[location]}' of {spoken(location)} is a monitoring server already"
            hint = "keep the role on one host of the location"
            yield Finding("several-monitoring-servers", place, message, hint)
        elif count > 1 or any(isinstance(host, str) and "[" in host for host in group.hosts or ()):
            message = "every host of this group would be a monitoring server"
            hint = "give the role to a group of one host"
            yield Finding("several-monitoring-servers", place, message, hint)
        first.setdefault(location, name)
        places.setdefault(location, place)
    if len(first) > 1 and _CORE not in first:
        message = "several locations have a monitoring server, and the core, where all metrics come together, has none"
        hint = "give the role to a host of the core too"
        yield Finding("several-monitoring-servers", list(places.values())[1], message, hint)


def check_dashboards(site: Site) -> Iterator[Finding]:
    """Grafana has a password that not all the world knows, and an address that is one."""
    for path, _, name, group in groups(site):
        if _DASHBOARDS not in group.roles:
            continue
        place = (*path, "roles", group.roles.index(_DASHBOARDS))
        held = resolve(site, spoken(path[:-2]), name, _DASHBOARDS)
        if held["admin_password"].value is None:
            message = "Grafana would have the password that everybody knows"
            hint = "set software.dashboards.admin_password: env:GRAFANA_PASSWORD, or another reference"
            yield Finding("dashboard-login", held["admin_password"].origin or place, message, hint)
        if not is_ip_address(address := str(held["address"].value)):
            message = f"{quoted(address)} is not an address to listen on"
            yield Finding(
                "dashboard-login", held["address"].origin or place, message, "write 127.0.0.1, or 0.0.0.0 for all"
            )
