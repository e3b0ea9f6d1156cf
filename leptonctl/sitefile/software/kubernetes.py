"""Settings of the role that makes a Kubernetes cluster of a location's hosts by kubeadm.

This is not the managed cluster of `aws.kubernetes`: there the cloud runs the control plane, here our hosts do.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import forbidden, no_effect, rolling
from leptonctl.sitefile.software.fields import Port, Settings

MINORS = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35")
"""The minor versions whose kubeadm configuration is known here, oldest first, without a gap."""

_KEPT = forbidden(
    "a cluster keeps its address ranges and its address",
    instead="take the role off the hosts (`up` with the role removed), then make a new cluster",
)


class HostCluster(Settings):
    """A Kubernetes cluster of the location's hosts. All keys but `control_plane` hold for the whole location."""

    version: Annotated[
        Text | None, rolling("the control plane first, then worker by worker, each drained; one minor at a time")
    ] = None
    """Version such as `1.32.4`. It has to be written: Kubernetes is never raised by itself."""
    control_plane: Annotated[
        bool,
        forbidden("a host keeps its part in a cluster", instead="take the role off it, then give it the other part"),
    ] = False
    """Whether the hosts of this node group are the control plane: one or three in a location."""
    api_address: Annotated[Text | None, _KEPT] = None
    """Virtual IPv4 address of the API, in the location's network. Three control plane hosts need it."""
    api_port: Annotated[Port, _KEPT] = 6443
    """Where the API is served."""
    pod_cidr: Annotated[Text, _KEPT] = "10.244.0.0/16"
    """Range of the pods' addresses."""
    service_cidr: Annotated[Text, _KEPT] = "10.96.0.0/12"
    """Range of the services' addresses (kubeadm's default)."""
    repository: Text = "https://pkgs.k8s.io/core:/stable:"
    """Where the packages are, or a mirror of it: below it is `/vMINOR/deb/` with the key as `Release.key`."""
    repository_key: Text = "DE15B14486CD377B9E876E1A234654DA9A296436"
    """Fingerprint of the one key that may sign them. Default: the Kubernetes project's."""
    cni_manifest: Text | None = None
    """URL of the manifest of the pod network, of a version that fits: the first control plane host applies it."""
    cni_sha256: Text | None = None
    """SHA-256 of that manifest; another content is not applied."""
    device_plugin_image: Text = "nvcr.io/nvidia/k8s-device-plugin:v0.17.4"
    """Image of the NVIDIA device plug-in; it runs where a host has the role gpu_container_toolkit."""
    join_minutes: Annotated[int, Field(ge=5, le=120), no_effect("the next host that joins uses it")] = 30
    """Minutes for which a join token is good. Each batch of hosts gets one of its own."""
