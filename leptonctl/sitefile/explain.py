"""Explain: what holds in one place of a site, and where in the file it was set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leptonctl.errors import UsageProblem
from leptonctl.sitefile.model import Host
from leptonctl.sitefile.ranges import group_hosts
from leptonctl.sitefile.settings import Resolved, resolve, resolve_rollout
from leptonctl.sitefile.software import SETTINGS
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.sitefile.base import Frozen
    from leptonctl.sitefile.model import Location, NodeGroup, Site
    from leptonctl.sitefile.software import RoleName

_SSH_DEFAULTS: dict[str, object] = {"user": "root", "port": 22}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds for a location or a host.

    `facts` are the platform, network, machine and connection; `roles` are the settings of each role that the host has,
    or that some host of the location has, in running order. Every value has the path that set it, or None.
    """

    address: str
    tier: str
    group: str | None
    facts: Mapping[str, Resolved]
    roles: Mapping[RoleName, Mapping[str, Resolved]]


def explain(site: Site, address: str) -> Explanation:
    """What holds for a location or host address. Raises UsageProblem where the site has no such address."""
    locations = site.locations()
    if address in locations:
        return _explain_location(site, address, locations[address])
    location, _, host_name = address.rpartition("/")
    if location in locations:
        for group_name, group in locations[location].nodes.items():
            for host in group_hosts(group_name, group):
                if host.name == host_name:
                    return _explain_host(site, location, group_name, host)
            # The hosts of a scaling group have no names here: whichever it is, the same holds for it.
            if group.scaling is not None and host_name.startswith(f"{group_name}-"):
                return _explain_host(site, location, group_name, Host(name=host_name))
    raise _unknown(address, locations)


def _explain_location(site: Site, address: str, location: Location) -> Explanation:
    path = tuple(address.split("/"))
    facts = {"platform": Resolved(location.platform, (*path, "platform"))}
    facts["hosts"] = Resolved(sum(len(group_hosts(name, group)) for name, group in location.nodes.items()), None)
    facts |= _parent(site, address)
    facts |= _facts(location.network, (*path, "network"), "network")
    if location.aws is not None:
        facts |= _facts(location.aws, (*path, "aws"), "aws")
    if location.platform == "ssh":
        facts |= _connection(((location.ssh, (*path, "ssh")),))
    facts |= {f"rollout.{key}": value for key, value in resolve_rollout(site, address).items()}
    used = {role for group in location.nodes.values() for role in group.roles}
    roles = {role: resolve(site, address, None, role) for role in SETTINGS if role in used}
    return Explanation(address, _tier(address), None, facts, roles)


def _explain_host(site: Site, address: str, group_name: str, host: Host) -> Explanation:
    location = site.location(address)
    group = location.nodes[group_name]
    path = tuple(address.split("/"))
    here = (*path, "nodes", group_name)
    facts = {
        "platform": Resolved(location.platform, (*path, "platform")),
        "group": Resolved(group_name, here),
    }
    facts |= _facts(group.machine, (*here, "machine"), "machine")
    facts |= _facts(location.network, (*path, "network"), "network")
    if location.platform == "ssh":
        facts["ssh.hostname"] = Resolved(host.address or host.name, _host_path(group, host, here))
        own = (host, _host_path(group, host, here))
        facts |= _connection((own, (group.ssh, (*here, "ssh")), (location.ssh, (*path, "ssh"))))
    for name, store in location.volumes.items():
        if group_name in store.nodes:
            facts[f"storage.{name}"] = Resolved(store.mount_path, (*path, "storage", name, "mount_path"))
    roles = {role: resolve(site, address, group_name, role) for role in SETTINGS if role in group.roles}
    return Explanation(f"{address}/{host.name}", _tier(address), group_name, facts, roles)


def _tier(address: str) -> str:
    return {"core": "core", "regions": "region", "edges": "edge"}[address.partition("/")[0]]


def _parent(site: Site, address: str) -> dict[str, Resolved]:
    tier, _, name = address.partition("/")
    return {"parent": Resolved(site.edges[name].parent, (tier, name, "parent"))} if tier == "edges" else {}


def _facts(section: Frozen, path: tuple[str, ...], prefix: str) -> dict[str, Resolved]:
    values = section.model_dump(mode="json")
    return {
        f"{prefix}.{key}": Resolved(value, (*path, key) if key in section.model_fields_set else None)
        for key, value in values.items()
        if value is not None
    }


def _connection(sections: tuple[tuple[Any, tuple[str | int, ...]], ...]) -> dict[str, Resolved]:
    """How a host is reached: for each key the first section that sets it."""
    found: dict[str, Resolved] = {}
    for key in ("user", "port", "key", "jump", "known_hosts", "host_key"):
        value = Resolved(_SSH_DEFAULTS.get(key), None)
        for section, path in reversed(sections):
            if getattr(section, key, None) is not None:
                value = Resolved(getattr(section, key), (*path, key))
        if value.value is not None:
            found[f"ssh.{key}"] = value
    return found


def _host_path(group: NodeGroup, host: Host, here: tuple[str, ...]) -> tuple[str | int, ...]:
    """The path of the host's entry; that of the list where a range names it."""
    for index, entry in enumerate(group.hosts or ()):
        if entry is host or entry == host.name:
            return (*here, "hosts", index)
    return (*here, "hosts")


def _unknown(address: str, locations: Mapping[str, Location]) -> UsageProblem:
    known = list(locations)
    parent, _, _ = address.rpartition("/")
    if parent in locations:
        known += [
            f"{parent}/{host.name}"
            for name, group in locations[parent].nodes.items()
            for host in group_hosts(name, group)[:1000]
        ]
    hint = f"locations of this site: {', '.join(list(locations)[:10])}"
    return UsageProblem(f"the site has no address {quoted(address)}{did_you_mean(address, known)}", hint=hint)
