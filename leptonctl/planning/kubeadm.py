"""Clusters of hosts: who is what in them, in which order they change, and which edits they cannot take. Pure.

A location's hosts that have the role `kubernetes` are one cluster. The managed cluster of `aws.kubernetes` is another
thing (`planning.aws_cluster`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leptonctl.planning.kubeadm_config import Node, documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.desired import DesiredHost, DesiredLocation
    from leptonctl.planning.observed import HostLook

ROLE = "kubernetes"
GPU_ROLE = "gpu_container_toolkit"
Part = Literal["first", "control_plane", "worker"]

# What a cluster keeps for its life, in the operator's words.
_KEPT = {
    "control_plane": "a host keeps its part in a cluster",
    "api_address": "a cluster keeps its address",
    "api_port": "a cluster keeps its port",
    "pod_cidr": "a cluster keeps the range of its pods",
    "service_cidr": "a cluster keeps the range of its services",
}
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The hosts of a cluster by address, each kind in site order; the first of `control` begins it."""

    location: str
    control: tuple[str, ...]
    workers: tuple[str, ...]

    def part_of(self, address: str) -> Part:
        """What the host is in it."""
        if address == self.control[0]:
            return "first"
        return "control_plane" if address in self.control else "worker"


def cluster_of(location: DesiredLocation) -> Cluster | None:
    """The location's cluster of hosts; None where it has none, or no control plane (validate says so)."""
    control: list[str] = []
    workers: list[str] = []
    for host in location.hosts:
        role = host.role(ROLE)
        if role is not None:
            (control if role.settings["control_plane"] else workers).append(host.address)
    return Cluster(location.address, tuple(control), tuple(workers)) if control else None


def member_settings(
    site: str, location: DesiredLocation, cluster: Cluster, host: DesiredHost, hostnames: Mapping[str, str]
) -> dict[str, object]:
    """What the role is told beside the site file's settings: its part, who else is there, kubeadm's configuration.

    Where the first control plane host has no address yet, and there is no virtual one, there is no configuration.
    """
    role = host.role(ROLE)
    settings: Mapping[str, object] = role.settings if role is not None else {}
    api = settings["api_address"] or hostnames.get(cluster.control[0])
    node = Node(
        name=host.name,
        part=cluster.part_of(host.address),
        address=hostnames.get(host.address),
        labels=labels_of(location, host),
        cluster=f"{site}-{location.address.replace('/', '-')}",
        api=f"{api}:{settings['api_port']}" if api else None,
    )
    peers = [hostnames[address] for address in cluster.control if address in hostnames]
    return {
        "part": node.part,
        "node_name": node.name,
        "api_endpoint": node.api,
        "control_plane_addresses": peers,
        "labels": node.labels,
        "has_gpus": any(GPU_ROLE in {role.name for role in one.roles} for one in location.hosts),
        "configuration": documents(node, settings) if node.api and settings["version"] else [],
    }


def labels_of(location: DesiredLocation, host: DesiredHost) -> dict[str, str]:
    """Labels by which a workload asks for a place: the same as on a managed cluster's machines."""
    labels = {"lepton.site/tier": location.tier, "lepton.site/location": location.address.replace("/", ".")}
    if host.role(GPU_ROLE) is not None:
        labels["lepton.site/accelerator"] = "nvidia"
    return labels


def minor_of(version: str) -> tuple[int, int] | None:
    """The minor version as numbers; None where it is not `x.y.z`."""
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else None


def upgrade_path(running: str, wanted: str) -> tuple[str, ...]:
    """The minor versions from one to the other, both among them: `("1.30", "1.31", "1.32")`; going back has none."""
    now, then = minor_of(running), minor_of(wanted)
    if now is None or then is None or now[0] != then[0] or now > then:
        return ()
    return tuple(f"{now[0]}.{minor}" for minor in range(now[1], then[1] + 1))


def refused_upgrade(running: str, wanted: str) -> str | None:
    """Why a cluster cannot go from one version to the other at once; None where it can.

    kubeadm raises by one minor at a time and never goes back:
    https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/
    """
    path = upgrade_path(running, wanted)
    if not path:
        return f"Kubernetes runs as {running} and does not go back to {wanted}: write {running} or a later version"
    most = 2
    if len(path) > most:
        return (
            f"Kubernetes {running} -> {wanted} skips a minor version: go {' -> '.join(path)}, "
            f"with `leptonctl up` after each; next is version {path[1]}"
        )
    # Patches of the same minor may go back only by hand, too.
    return None


def refused_edits(location: DesiredLocation, looks: Mapping[str, HostLook]) -> Iterator[tuple[str, str]]:
    """The hosts whose cluster settings cannot become what the site file says, each with why and what to do instead."""
    for host in location.hosts:
        role, look = host.role(ROLE), looks.get(host.address)
        seen = look.roles.get(ROLE) if look is not None else None
        if role is None or seen is None:
            continue
        for key, reason in _KEPT.items():
            if key in seen.former_settings:
                yield host.address, f"{reason}: take the role kubernetes off the hosts first, then make a new cluster"
        running, wanted = seen.former_settings.get("version"), role.settings["version"]
        if isinstance(running, str) and isinstance(wanted, str):
            reason_against = refused_upgrade(running, wanted)
            if reason_against is not None:
                yield host.address, reason_against
