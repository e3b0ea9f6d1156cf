"""Rules on roles: each with what it needs, settings for roles that are used, ports that do not clash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.model import Host
from leptonctl.sitefile.rules.parts import groups, sections
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.software import ROLE_NEEDS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site
    from leptonctl.sitefile.software import RoleName

# The settings that are TCP ports, by role.
_PORTS: dict[RoleName, tuple[str, ...]] = {
    "container_runtime": ("metrics_port",),
    "monitoring_agent": ("port",),
    "monitoring_server": ("port", "alertmanager_port"),
    "dashboards": ("port",),
    "storage_object": ("port",),
    "edge_gateway": ("package_cache_port", "image_cache_port", "log_port", "state_port"),
}
_SSH_PORT = 22


def check_roles(site: Site) -> Iterator[Finding]:
    """The roles of a group are named once, each with those that it needs."""
    for path, _, _, group in groups(site):
        for index, role in enumerate(group.roles):
            place = (*path, "roles", index)
            if role in group.roles[:index]:
                yield Finding("duplicate-role", place, f"the role '{role}' is named twice", "remove one of the two")
                continue
            lacking = [needed for needed in ROLE_NEEDS[role] if needed not in group.roles]
            if lacking:
                message = f"the role '{role}' needs {' and '.join(lacking)} on the same hosts"
                yield Finding("role-needs", place, message, f"add {' and '.join(lacking)} to the roles of this group")


def check_unused_settings(site: Site) -> Iterator[Finding]:
    """Settings of a role that no host in their scope has are a mistake: they would silently do nothing."""
    for path, software, scope in sections(site):
        for role in sorted(software.model_fields_set):
            if getattr(software, role) is not None and not any(role in group.roles for group in scope):
                message = f"no host that this holds for has the role '{role}'"
                yield Finding(
                    "unused-setting", (*path, role), message, "add the role to a group, or remove this", "key"
                )


def check_ports(site: Site) -> Iterator[Finding]:
    """The services of one host listen on ports of their own, and not on that of ssh."""
    for path, location, name, group in groups(site):
        roles = [role for role in SETTINGS if role in group.roles and role in _PORTS]
        if roles:
            yield from _check_group_ports(site, path, roles, name, _ssh_ports(location, group))


def _check_group_ports(
    site: Site, path: Path, roles: list[RoleName], group: str, ssh_ports: set[int]
) -> Iterator[Finding]:
    taken: dict[object, tuple[str, Path | None]] = dict.fromkeys(ssh_ports, ("ssh", None))
    for role in roles:
        settings = resolve(site, "/".join(map(str, path[:-2])), group, role)
        for setting in _PORTS[role]:
            port, origin = settings[setting].value, settings[setting].origin
            other, other_origin = taken.setdefault(port, (f"{role}.{setting}", origin))
            if other == f"{role}.{setting}":
                continue
            message = f"{role}.{setting} and {other} are both {port} on the same host"
            place = origin or other_origin or (*path, "roles")
            yield Finding("port-clash", place, message, "give each its own port")


def _ssh_ports(location: Location, group: NodeGroup) -> set[int]:
    port = group.ssh.port or location.ssh.port or _SSH_PORT
    return {(host.port if isinstance(host, Host) else None) or port for host in group.hosts or ("",)}
