"""The managed Kubernetes cluster of a location on AWS (EKS): its keys, and what follows from its machine types."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, LogDays, Name, Text
from leptonctl.sitefile.effects import AWS, OnEdit, forbidden, in_place, no_effect, rolling

KUBERNETES_VERSIONS = ("1.33", "1.34", "1.35", "1.36")
"""The versions whose published schemas our own objects are checked against, oldest first."""
NODES_LIMIT = 450
"""Machines in a managed node group, by AWS's default quota."""

Accelerator = Literal["nvidia", "neuron"]
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

_NVIDIA = re.compile(r"(p[2-9]|g[3-9]|gr[0-9])[a-z0-9-]*\..+")
_NEURON = re.compile(r"(inf|trn)[0-9][a-z0-9-]*\..+")
_NEW_MACHINES = rolling("new machines come, then the old ones go; pods move", on=AWS)
_MACHINE_AFTER_MACHINE = rolling("machine after machine is made again; pods move", on=AWS)
_STARTED_AGAIN = in_place("what comes from the image is started again", on=AWS)


class Taint(Frozen):
    """What keeps pods off a group's machines, but for those that tolerate it."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (in_place("with NoExecute, pods that do not tolerate it go", on=AWS),)

    key: Text
    """Its key, such as `nvidia.com/gpu`."""
    value: Text | None = None
    """Its value."""
    effect: Effect = "NoSchedule"
    """What happens to pods that do not tolerate it."""


class ClusterNodes(Frozen):
    """Equal machines of a cluster: a managed node group. Kubernetes places pods on them; roles are not for them."""

    type: Annotated[Text, _NEW_MACHINES]
    """The cloud's name of the machine type, such as `g6.xlarge`. The machine image follows from it."""
    desired: Annotated[
        int, Field(ge=0, le=NODES_LIMIT), in_place("machines come or go; pods of those that go move", on=AWS)
    ] = 1
    """How many machines there should be."""
    min: Annotated[int, Field(ge=0, le=NODES_LIMIT), in_place(on=AWS)] = 0
    """The fewest that there may be."""
    max: Annotated[int | None, Field(ge=1, le=NODES_LIMIT), in_place(on=AWS)] = None
    """The most that there may be. Default: `desired`, and at least one."""
    disk_gib: Annotated[int, Field(ge=20, le=16384), _MACHINE_AFTER_MACHINE] = 100
    """Root disk in GiB; images and logs of pods are on it. It is encrypted."""
    capacity: Annotated[Literal["on-demand", "spot"], _NEW_MACHINES] = "on-demand"
    """What is bought. Spot machines may be stopped by AWS at any time."""
    labels: Annotated[dict[Text, Text], in_place("pods that are there stay", on=AWS)] = Field(default_factory=dict)
    """Labels of the machines, besides `lepton.site/tier`, `lepton.site/location`, `lepton.site/accelerator`."""
    taints: Annotated[
        tuple[Taint, ...] | None,
        Field(strict=False),
        in_place("with NoExecute, pods that do not tolerate it go", on=AWS),
    ] = None
    """Taints of the machines. Default: machines with accelerators are kept for pods that ask for one, others free."""

    @property
    def most(self) -> int:
        """The most machines that there may be."""
        return self.max if self.max is not None else max(1, self.desired)


class Namespace(Frozen):
    """A namespace for the operator's own pods: closed to everything but name lookups until a policy opens it."""

    pod_security: Annotated[
        Literal["privileged", "baseline", "restricted"], in_place("it holds for pods that start from then on", on=AWS)
    ] = "restricted"
    """The pod security standard that is enforced in it."""


class Addons(Frozen):
    """What is put into the cluster: device plug-in, metrics, storage and priority classes, namespaces."""

    through: Annotated[Literal["public", "private"], no_effect("the next run uses it")] = "public"
    """The end of the API that leptonctl speaks to. `public` needs `api_from`.

    `private` works only where leptonctl itself runs in a network that reaches the location's, such as over a VPN.
    """
    namespaces: Annotated[
        dict[Name, Namespace],
        in_place("one that is removed here stays in the cluster, closed, with what is in it", on=AWS),
    ] = Field(default_factory=dict)
    """Namespaces by name."""
    registry: Annotated[Text | None, _STARTED_AGAIN] = None
    """A registry, with a path if it has one, that images are taken from in place of the makers' own."""
    # As in deployments/static/nvidia-device-plugin.yml of github.com/NVIDIA/k8s-device-plugin at its tag v0.17.4.
    device_plugin_image: Annotated[Text, _STARTED_AGAIN] = "nvcr.io/nvidia/k8s-device-plugin:v0.17.4"
    """Image of the NVIDIA device plug-in, with its version."""
    # As in the makers' chart 3.13.1 (charts/metrics-server/Chart.yaml of github.com/kubernetes-sigs/metrics-server).
    # Their README names Kubernetes 1.31 as the oldest for 0.8.
    metrics_server_image: Annotated[Text, _STARTED_AGAIN] = "registry.k8s.io/metrics-server/metrics-server:v0.8.1"
    """Image of the metrics server, with its version."""


class Kubernetes(Frozen):
    """A managed cluster in the location's private subnets, in at least two zones."""

    version: Annotated[Text, rolling("the control plane first, then machine after machine; never back", on=AWS)]
    """Version such as `"1.35"`, in quotes. AWS raises it by one at a time and never goes back."""
    admins: Annotated[tuple[Text, ...], Field(strict=False, min_length=1, max_length=50), in_place(on=AWS)]
    """Roles and users (ARNs) that may do everything in it: nobody else may, not even who makes it."""
    api_from: Annotated[tuple[Text, ...], Field(strict=False, max_length=40), in_place(on=AWS)] = ()
    """Networks outside the site that reach the API. Default: none; it is then reached from the location alone."""
    service_cidr: Annotated[
        Text,
        forbidden(
            "a cluster keeps its range",
            instead="describe a second location with a cluster, move what runs in this one, and remove it",
            on=AWS,
        ),
    ] = "172.20.0.0/16"
    """Range of the addresses that services get inside the cluster; apart from every network of the site."""
    log_days: Annotated[LogDays, in_place("with fewer days, older records are deleted", on=AWS)] = 30
    """Days for which the control plane's logs are kept, all five kinds; AWS has these steps."""
    nodes: Annotated[
        dict[Name, ClusterNodes],
        Field(min_length=1, max_length=30),
        in_place("a group's machines come or go with it; pods of those that go move", on=AWS),
    ]
    """Managed node groups by name. At least one has machines without taints, for the cluster's own pods."""
    addons: Addons | None = None
    """What is put into it; left out, nothing is. `{}` takes the defaults."""


def accelerator_of(machine_type: str) -> Accelerator | None:
    """The maker of a machine type's accelerators, as far as Kubernetes nodes have an image for it."""
    # g4ad has AMD's, which the images for nodes have no driver for.
    if machine_type.startswith("g4ad."):
        return None
    if _NVIDIA.fullmatch(machine_type):
        return "nvidia"
    return "neuron" if _NEURON.fullmatch(machine_type) else None


def taints_of(nodes: ClusterNodes) -> tuple[Taint, ...]:
    """The taints that a group's machines get: those written, else one that keeps accelerators for who asks."""
    if nodes.taints is not None:
        return nodes.taints
    key = {"nvidia": "nvidia.com/gpu", "neuron": "aws.amazon.com/neuron"}.get(accelerator_of(nodes.type) or "")
    return (Taint(key=key, value="present"),) if key else ()
