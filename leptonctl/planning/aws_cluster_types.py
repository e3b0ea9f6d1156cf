"""A managed cluster as its components are given it, and what they give back: typed, frozen, with no Pulumi in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

AmiType = Literal[
    "AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "AL2023_x86_64_NVIDIA", "AL2023_ARM_64_NVIDIA",
    "AL2023_x86_64_NEURON",
]  # fmt: skip
"""The machine images that AWS keeps for nodes: Amazon Linux 2023, with the driver of the accelerators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaintArgs:
    """A taint of a group's machines. `effect` is Kubernetes' word (`NoSchedule`)."""

    key: str
    value: str | None
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNodesArgs:
    """A managed node group: `least` <= `desired` <= `most` machines, each with a root disk of `root_gib`."""

    name: str
    machine_type: str
    ami_type: AmiType
    desired: int
    least: int
    most: int
    root_gib: int
    is_spot: bool
    labels: dict[str, str]
    taints: tuple[TaintArgs, ...]
    accelerator: Literal["nvidia", "neuron"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceArgs:
    """A namespace and the pod security standard (`restricted`) that is enforced in it."""

    name: str
    pod_security: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonsArgs:
    """What is put into a cluster. Images carry their registry and version, as they are pulled.

    `device_plugin_image` is None where no group has accelerators of NVIDIA.
    """

    namespaces: tuple[NamespaceArgs, ...]
    device_plugin_image: str | None
    metrics_server_image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterArgs:
    """A cluster. `admins` are ARNs; `api_from` are networks: without one the API has no public end."""

    name: str
    version: str
    admins: tuple[str, ...]
    api_from: tuple[str, ...]
    service_cidr: str
    log_days: int
    nodes: tuple[ClusterNodesArgs, ...]
    addons: AddonsArgs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOutputs:
    """A cluster that is there. `certificate` is its authority's, base64 of PEM; `nodes` AWS's name of each group."""

    name: str
    version: str
    endpoint: str
    certificate: str
    oidc_issuer: str
    oidc_provider_arn: str
    nodes: dict[str, str] = field(default_factory=dict)
