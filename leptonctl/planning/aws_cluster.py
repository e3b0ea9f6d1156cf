"""A managed cluster as the arguments of its components: pure, from the site alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning import aws_tags
from leptonctl.planning.aws_cluster_types import (
    AddonsArgs,
    AmiType,
    ClusterArgs,
    ClusterNodesArgs,
    NamespaceArgs,
    TaintArgs,
)
from leptonctl.sitefile.aws import architecture_of
from leptonctl.sitefile.kubernetes import accelerator_of, taints_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.sitefile.kubernetes import Addons, ClusterNodes, Kubernetes

TIER_LABEL = "lepton.site/tier"
LOCATION_LABEL = "lepton.site/location"
ACCELERATOR_LABEL = "lepton.site/accelerator"
CLAIMS = "claims"
"""The store, by name, that the volumes which pods claim belong to. They hold data, and no stack knows them."""


def is_of_kubernetes(tags: Mapping[str, str]) -> bool:
    """Whether something with these tags is Kubernetes' to look after: a machine of a cluster, a volume of a pod."""
    return tags.get(aws_tags.ROLE) == "cluster" or tags.get(aws_tags.STORE) == CLAIMS


def cluster_name(site: str, location: str) -> str:
    """The name of a location's cluster in its account: `SITE_regions_west`. No other site's can be the same."""
    return "_".join((site, *location.split("/")))


def cluster_args(site: str, location: str, kubernetes: Kubernetes | None) -> ClusterArgs | None:
    """The arguments of a location's cluster; None where it has none."""
    if kubernetes is None:
        return None
    nodes = tuple(_nodes(location, name, group) for name, group in kubernetes.nodes.items())
    has_nvidia = any(group.accelerator == "nvidia" for group in nodes)
    return ClusterArgs(
        name=cluster_name(site, location),
        version=kubernetes.version,
        admins=kubernetes.admins,
        api_from=kubernetes.api_from,
        service_cidr=kubernetes.service_cidr,
        log_days=kubernetes.log_days,
        nodes=nodes,
        addons=_addons(kubernetes.addons, has_nvidia=has_nvidia) if kubernetes.addons is not None else None,
    )


def image_from(image: str, registry: str | None) -> str:
    """The image as it is pulled: from its maker's registry, or from one that stands in for it under the same path."""
    return image if registry is None else f"{registry}/{image.partition('/')[2]}"


def _nodes(location: str, name: str, group: ClusterNodes) -> ClusterNodesArgs:
    accelerator = accelerator_of(group.type)
    # A label's value has no slash.
    labels = {TIER_LABEL: _tier(location), LOCATION_LABEL: location.replace("/", "."), **group.labels}
    return ClusterNodesArgs(
        name=name,
        machine_type=group.type,
        ami_type=_ami_type(group.type),
        desired=group.desired,
        least=group.min,
        most=group.most,
        root_gib=group.disk_gib,
        is_spot=group.capacity == "spot",
        labels=labels | ({ACCELERATOR_LABEL: accelerator} if accelerator else {}),
        taints=tuple(TaintArgs(key=one.key, value=one.value, effect=one.effect) for one in taints_of(group)),
        accelerator=accelerator,
    )


def _ami_type(machine_type: str) -> AmiType:
    accelerator, is_arm = accelerator_of(machine_type), architecture_of(machine_type) == "arm64"
    if accelerator == "neuron":
        return "AL2023_x86_64_NEURON"
    if accelerator == "nvidia":
        return "AL2023_ARM_64_NVIDIA" if is_arm else "AL2023_x86_64_NVIDIA"
    return "AL2023_ARM_64_STANDARD" if is_arm else "AL2023_x86_64_STANDARD"


def _addons(addons: Addons, *, has_nvidia: bool) -> AddonsArgs:
    return AddonsArgs(
        namespaces=tuple(
            NamespaceArgs(name=name, pod_security=namespace.pod_security)
            for name, namespace in addons.namespaces.items()
        ),
        device_plugin_image=image_from(addons.device_plugin_image, addons.registry) if has_nvidia else None,
        metrics_server_image=image_from(addons.metrics_server_image, addons.registry),
    )


def _tier(location: str) -> str:
    return {"core": "core", "regions": "region", "edges": "edge"}[location.partition("/")[0]]
