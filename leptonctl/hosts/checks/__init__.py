"""Checks: what `verify` asks on a host for each of its roles, as data; the remote program carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks import (
    accelerators,
    ceph,
    containers,
    edge,
    hardening,
    hdfs,
    host,
    kubernetes,
    monitoring,
    nfs,
    objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leptonctl.hosts.checks.kinds import Check
    from leptonctl.planning.desired import DesiredRole, Settings
    from leptonctl.sitefile.software import RoleName

# Programs of a role's `files` that it feeds to Python on a host and that only look.
LOOKING_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "base": ("look.py",),
    "container_runtime": ("containers.py",),
    "gpu_driver": ("look.py",),
    "fpga": ("fpga.py",),
    "kubernetes": ("look.py",),
}


def checks_for(role: DesiredRole) -> tuple[Check, ...]:
    """What must hold on a host that has this role with these settings."""
    return _CHECKS[role.name](role.settings)


_CHECKS: dict[RoleName, Callable[[Settings], tuple[Check, ...]]] = {
    "base": host.base,
    "gpu_driver": accelerators.gpu_driver,
    "fpga": accelerators.fpga,
    "container_runtime": containers.container_runtime,
    "gpu_container_toolkit": accelerators.gpu_container_toolkit,
    "gpu_health": accelerators.gpu_health,
    "kubernetes": kubernetes.kubernetes,
    "storage_ceph": ceph.storage_ceph,
    "monitoring_agent": monitoring.monitoring_agent,
    "monitoring_server": monitoring.monitoring_server,
    "dashboards": monitoring.dashboards,
    "storage_hdfs": hdfs.storage_hdfs,
    "edge_gateway": edge.edge_gateway,
    "edge": edge.edge,
    "storage_nfs": nfs.storage_nfs,
    "storage_object": objects.storage_object,
    "hardening": hardening.hardening,
}
