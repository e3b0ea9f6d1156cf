"""Settings that follow from the whole site rather than from one place in the file: who is watched, who joins whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning import ceph, firewall, hdfs, nfs, objects
from leptonctl.planning.kubeadm import ROLE, cluster_of, member_settings
from leptonctl.planning.monitoring import AGENT, SERVER, prometheus_port, sender_settings, server_settings, watch
from leptonctl.planning.scaling import every_role
from leptonctl.planning.tunnels import (
    BOX,
    GATEWAY,
    RUNTIME,
    box_settings,
    gateway_settings,
    mirror_settings,
    tunnels,
)
from leptonctl.sitefile.software import ROLE_NEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.desired import Desired, DesiredRole


def roles_by_host(desired: Desired, hostnames: Mapping[str, str]) -> dict[str, tuple[DesiredRole, ...]]:
    """Every host's roles with the derived settings filled in.

    `hostnames` maps host address to how other hosts of the site reach it now. A host without one can't be scraped yet
    and is left out of the server's `targets`: `unknown_targets` tells which hosts those are. `watched_roles` are those
    whose alerts and dashboards the servers get. The firewall of a host gets its `openings`, a part of HDFS who the
    others are.
    """
    watched, watching = watched_roles(desired), watch(desired)
    tunnelled = tunnels(desired)
    openings = firewall.openings(desired, hostnames)
    files = hdfs.hdfs_of(desired)
    stored = {
        ceph.ROLE: ceph.settings_by_host(desired, hostnames),
        nfs.ROLE: nfs.settings_by_host(desired, hostnames),
        objects.ROLE: objects.settings_by_host(desired),
    }
    found: dict[str, tuple[DesiredRole, ...]] = {}
    for location in desired.locations:
        cluster = cluster_of(location)
        for host in location.hosts:
            names = {role.name for role in host.roles}
            more: dict[str, dict[str, object]] = {}
            if SERVER in names:
                more["dashboards"] = {"prometheus_port": prometheus_port(host)}
                more[SERVER] = {**server_settings(desired, watching, hostnames, host), "watched_roles": watched}
            if BOX in names:
                inside = {one.gateway: str(one.address) for one in tunnelled if host.address in one.boxes}
                more[BOX] = {
                    **sender_settings(watching, hostnames, location, host, inside=inside),
                    **box_settings(tunnelled, hostnames, host),
                }
                more[RUNTIME] = mirror_settings(tunnelled, hostnames, host)
            if GATEWAY in names:
                more[GATEWAY] = gateway_settings(tunnelled, host)
                # It replaces the time service that the role base would install: that one has to run again.
                more["base"] = {"time_service": "chrony"}
            if firewall.ROLE in names:
                more[firewall.ROLE] = openings(location, host)
            if cluster is not None and host.role(ROLE) is not None:
                more[ROLE] = member_settings(desired.site, location, cluster, host, hostnames)
            if hdfs.ROLE in names:
                more[hdfs.ROLE] = hdfs.member_settings(files, host, hostnames)
            more |= {name: told[host.address] for name, told in stored.items() if host.address in told}
            found[host.address] = _with_more(host.roles, more) if more else host.roles
    return found


def _with_more(roles: tuple[DesiredRole, ...], more: Mapping[str, dict[str, object]]) -> tuple[DesiredRole, ...]:
    """The roles with what follows from the whole site beside the settings of each."""
    return tuple(replace(role, settings={**role.settings, **more.get(role.name, {})}) for role in roles)


def watched_roles(desired: Desired) -> list[str]:
    """The roles of the site, each once, in running order."""
    named = {role.name for role in every_role(desired)}
    return [name for name in ROLE_NEEDS if name in named]


def unknown_targets(desired: Desired, hostnames: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts with an agent whose name is not known yet, so that the server's targets will change."""
    return tuple(
        host.address
        for location in desired.locations
        for host in location.hosts
        if host.address not in hostnames and host.role(AGENT) is not None
    )
