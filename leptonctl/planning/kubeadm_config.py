"""kubeadm's configuration of a node, as typed documents. Pure.

Fields and their forms are those of https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ (from 1.31
on) and .../kubeadm-config.v1beta3/ (before), and of .../kubelet-config.v1beta1/. Neither publishes a JSON schema; only
what is written here is known to be accepted. A join token is never among it: the role adds it on the host, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leptonctl.sitefile.rules.forms import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, object]

CRI_SOCKET = "unix:///run/containerd/containerd.sock"
# The first minor whose kubeadm reads v1beta4: its extra arguments are a list instead of a mapping.
_V1BETA4_FROM = 31
# kubeadm always makes a token at init; this one is never used, so it ends at once.
_UNUSED_FOR = "1m0s"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a cluster. `api` is `HOST:PORT`, `address` where the other hosts reach it (None: not known)."""

    name: str
    part: Literal["first", "control_plane", "worker"]
    address: str | None
    labels: Mapping[str, str]
    cluster: str
    api: str | None


def documents(node: Node, settings: Mapping[str, object]) -> list[Document]:
    """What `kubeadm init` (the first node) or `kubeadm join` (the others) is given with `--config`."""
    api = api_version(str(settings["version"]))
    if node.part != "first":
        return [_join(node, settings, api)]
    return [_init(node, settings, api), _cluster(node, settings, api), _kubelet()]


def api_version(version: str) -> str:
    """The version of kubeadm's own configuration that fits a version of Kubernetes."""
    return "kubeadm.k8s.io/v1beta4" if int(version.split(".")[1]) >= _V1BETA4_FROM else "kubeadm.k8s.io/v1beta3"


def _init(node: Node, settings: Mapping[str, object], api: str) -> Document:
    return {
        "apiVersion": api,
        "kind": "InitConfiguration",
        "bootstrapTokens": [{"ttl": _UNUSED_FOR, "usages": ["signing", "authentication"]}],
        "nodeRegistration": _registration(node, api),
        **_local_endpoint(node, settings),
    }


def _cluster(node: Node, settings: Mapping[str, object], api: str) -> Document:
    return {
        "apiVersion": api,
        "kind": "ClusterConfiguration",
        "clusterName": node.cluster,
        "kubernetesVersion": f"v{settings['version']}",
        "controlPlaneEndpoint": node.api,
        "networking": {"podSubnet": settings["pod_cidr"], "serviceSubnet": settings["service_cidr"]},
    }


def _join(node: Node, settings: Mapping[str, object], api: str) -> Document:
    discovery: Document = {"bootstrapToken": {"apiServerEndpoint": node.api}}
    found: Document = {
        "apiVersion": api,
        "kind": "JoinConfiguration",
        "discovery": discovery,
        "nodeRegistration": _registration(node, api),
    }
    if node.part == "control_plane":
        found["controlPlane"] = _local_endpoint(node, settings)
    return found


def _kubelet() -> Document:
    """One manager of control groups on a host: systemd, as the role container_runtime sets containerd up."""
    return {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd"}


def _registration(node: Node, api: str) -> Document:
    arguments = {"node-labels": ",".join(f"{key}={value}" for key, value in sorted(node.labels.items()))}
    if node.address is not None and is_ip_address(node.address):
        arguments["node-ip"] = node.address
    as_list = [{"name": name, "value": value} for name, value in sorted(arguments.items())]
    return {
        "name": node.name,
        "criSocket": CRI_SOCKET,
        "kubeletExtraArgs": as_list if api.endswith("v1beta4") else arguments,
    }


def _local_endpoint(node: Node, settings: Mapping[str, object]) -> Document:
    endpoint: Document = {"bindPort": settings["api_port"]}
    if node.address is not None and is_ip_address(node.address):
        endpoint["advertiseAddress"] = node.address
    return {"localAPIEndpoint": endpoint}
