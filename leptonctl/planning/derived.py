"""Settings that follow from the whole site rather than from one place in the file: who is watched, who joins whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning import ceph, firewall, hdfs
from leptonctl.planning.kubeadm import ROLE, cluster_of, kubernetes_of, member_settings
from leptonctl.planning.scaling import every_role
from leptonctl.sitefile.software import ROLE_NEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.desired import Desired, DesiredRole

SERVER = "monitoring_server"
AGENT = "monitoring_agent"


def roles_by_host(desired: Desired, hostnames: Mapping[str, str]) -> dict[str, tuple[DesiredRole, ...]]:
    """Every host's roles with the derived settings filled in.

    `hostnames` maps host address to how other hosts of the site reach it now. A host without one can't be scraped yet
    and is left out of the server's `targets`: `unknown_targets` tells which hosts those are. `watched_roles` are those
    whose alerts and dashboards the server gets. The firewall of a host gets its `openings`, a part of HDFS who the
    others are.
    """
    served: dict[str, object] = {"targets": scrape_targets(desired, hostnames), "watched_roles": watched_roles(desired)}
    openings = firewall.openings(desired, hostnames)
    files = hdfs.hdfs_of(desired)
    stored = ceph.settings_by_host(desired, hostnames)
    found: dict[str, tuple[DesiredRole, ...]] = {}
    for location in desired.locations:
        cluster = cluster_of(location)
        for host in location.hosts:
            names = {role.name for role in host.roles}
            more: dict[str, dict[str, object]] = {}
            if SERVER in names:
                more[SERVER] = served
            if firewall.ROLE in names:
                more[firewall.ROLE] = openings(location, host)
            if cluster is not None and kubernetes_of(host) is not None:
                more[ROLE] = member_settings(desired.site, location, cluster, host, hostnames)
            if hdfs.ROLE in names:
                more[hdfs.ROLE] = hdfs.member_settings(files, host, hostnames)
            if host.address in stored:
                more[ceph.ROLE] = stored[host.address]
            found[host.address] = _with_more(host.roles, more) if more else host.roles
    return found


def _with_more(roles: tuple[DesiredRole, ...], more: Mapping[str, dict[str, object]]) -> tuple[DesiredRole, ...]:
    """The roles with what follows from the whole site beside the settings of each."""
    return tuple(replace(role, settings={**role.settings, **more.get(role.name, {})}) for role in roles)


def scrape_targets(desired: Desired, hostnames: Mapping[str, str]) -> list[dict[str, str]]:
    """What Prometheus scrapes: one entry a host that has the agent and a known name, in site order."""
    return [
        {
            "host": host.address,
            "location": location.address,
            "tier": location.tier,
            "endpoint": f"{_in_url(hostnames[host.address])}:{role.settings['port']}",
        }
        for location in desired.locations
        for host in location.hosts
        for role in host.roles
        if role.name == AGENT and host.address in hostnames
    ]


def watched_roles(desired: Desired) -> list[str]:
    """The roles of the site, each once, in running order."""
    named = {role.name for role in every_role(desired)}
    return [name for name in ROLE_NEEDS if name in named]


def _in_url(hostname: str) -> str:
    """The name as it stands before a port: an IPv6 address needs brackets."""
    return f"[{hostname}]" if ":" in hostname else hostname


def unknown_targets(desired: Desired, hostnames: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts with an agent whose name is not known yet, so that the server's targets will change."""
    return tuple(
        host.address
        for location in desired.locations
        for host in location.hosts
        if host.address not in hostnames and any(role.name == AGENT for role in host.roles)
    )
