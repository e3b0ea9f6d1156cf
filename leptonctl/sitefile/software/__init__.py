"""The settings of every role: the `software` section, for the site, a location or a node group.

A class in this folder is the typed twin of `playbooks/roles/<role>/meta/argument_specs.yml`: the field `timezone` of
`base` is the Ansible variable `base_timezone`, with the same type and default. A test holds the two together.
"""

from __future__ import annotations

from typing import Literal

from leptonctl.sitefile.base import Frozen
from leptonctl.sitefile.software.accelerators import Fpga, GpuContainerToolkit, GpuDriver, GpuHealth
from leptonctl.sitefile.software.ceph import StorageCeph
from leptonctl.sitefile.software.containers import ContainerRuntime
from leptonctl.sitefile.software.edge import EdgeBox, EdgeGateway
from leptonctl.sitefile.software.hardening import Hardening
from leptonctl.sitefile.software.hdfs import StorageHdfs
from leptonctl.sitefile.software.host import Base
from leptonctl.sitefile.software.kubernetes import HostCluster
from leptonctl.sitefile.software.monitoring import Dashboards, MonitoringAgent, MonitoringServer
from leptonctl.sitefile.software.nfs import StorageNfs
from leptonctl.sitefile.software.objects import StorageObject


class Software(Frozen):
    """Settings by role. What is set deeper (location, then node group) holds over what is set further up."""

    base: Base | None = None
    """Settings of the role `base`."""
    container_runtime: ContainerRuntime | None = None
    """Settings of the role `container_runtime`."""
    dashboards: Dashboards | None = None
    """Settings of the role `dashboards`."""
    edge: EdgeBox | None = None
    """Settings of the role `edge`."""
    edge_gateway: EdgeGateway | None = None
    """Settings of the role `edge_gateway`."""
    fpga: Fpga | None = None
    """Settings of the role `fpga`."""
    gpu_container_toolkit: GpuContainerToolkit | None = None
    """Settings of the role `gpu_container_toolkit`."""
    gpu_driver: GpuDriver | None = None
    """Settings of the role `gpu_driver`."""
    gpu_health: GpuHealth | None = None
    """Settings of the role `gpu_health`."""
    kubernetes: HostCluster | None = None
    """Settings of the role `kubernetes`."""
    monitoring_agent: MonitoringAgent | None = None
    """Settings of the role `monitoring_agent`."""
    monitoring_server: MonitoringServer | None = None
    """Settings of the role `monitoring_server`."""
    storage_hdfs: StorageHdfs | None = None
    """Settings of the role `storage_hdfs`."""
    storage_nfs: StorageNfs | None = None
    """Settings of the role `storage_nfs`."""
    storage_object: StorageObject | None = None
    """Settings of the role `storage_object`."""
    storage_ceph: StorageCeph | None = None
    """Settings of the role `storage_ceph`."""
    hardening: Hardening | None = None
    """Settings of the role `hardening`."""


RoleName = Literal[
    "base",
    "gpu_driver",
    "fpga",
    "container_runtime",
    "gpu_container_toolkit",
    "kubernetes",
    "storage_ceph",
    "monitoring_agent",
    "gpu_health",
    "monitoring_server",
    "dashboards",
    "storage_hdfs",
    "edge_gateway",
    "edge",
    "storage_nfs",
    "storage_object",
    "hardening",
]

# The order in which roles run on a host, and what each needs beside it on the same host.
ROLE_NEEDS: dict[RoleName, tuple[RoleName, ...]] = {
    "base": (),
    "gpu_driver": ("base",),
    "fpga": ("base",),
    "container_runtime": ("base",),
    "gpu_container_toolkit": ("base", "gpu_driver", "container_runtime"),
    "kubernetes": ("base", "container_runtime"),
    "storage_ceph": ("base",),
    "monitoring_agent": ("base",),
    "gpu_health": ("base", "monitoring_agent"),
    "monitoring_server": ("base", "monitoring_agent"),
    "dashboards": ("base", "monitoring_agent", "monitoring_server"),
    "storage_hdfs": ("base",),
    "edge_gateway": ("base",),
    "edge": ("base", "monitoring_agent"),
    "storage_nfs": ("base",),
    "storage_object": ("base",),
    "hardening": ("base",),
}

# What a role leaves on a host that it is taken off: folders with data, which go only where the operator names them.
ROLE_DATA: dict[RoleName, tuple[str, ...]] = {
    "container_runtime": ("/var/lib/containerd", "/var/lib/docker", "/var/lib/containers"),
    "kubernetes": ("/var/lib/leptonctl/etcd.kept",),
    "storage_ceph": ("/var/lib/ceph",),
    "edge": ("/var/lib/prometheus/agent",),
    "edge_gateway": ("/var/cache/apt-cacher-ng", "/var/lib/docker-registry", "/var/log/journal/remote"),
    "monitoring_server": ("/var/lib/prometheus/metrics2", "/var/lib/prometheus/alertmanager"),
    "dashboards": ("/var/lib/grafana",),
    "storage_hdfs": ("/var/lib/hadoop",),
    "storage_object": ("/srv/objects",),
}

# Roles that are never taken off a host: accounts, clock and limits are how it is, and the others rest on them.
ROLES_THAT_STAY: frozenset[RoleName] = frozenset({"base"})

SETTINGS: dict[RoleName, type[Frozen]] = {
    "base": Base,
    "gpu_driver": GpuDriver,
    "fpga": Fpga,
    "container_runtime": ContainerRuntime,
    "gpu_container_toolkit": GpuContainerToolkit,
    "kubernetes": HostCluster,
    "storage_ceph": StorageCeph,
    "monitoring_agent": MonitoringAgent,
    "gpu_health": GpuHealth,
    "monitoring_server": MonitoringServer,
    "dashboards": Dashboards,
    "storage_hdfs": StorageHdfs,
    "edge_gateway": EdgeGateway,
    "edge": EdgeBox,
    "storage_nfs": StorageNfs,
    "storage_object": StorageObject,
    "hardening": Hardening,
}
