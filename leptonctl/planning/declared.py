"""Settings that roles get from what a group declares of its hosts, beside the `software` section. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from leptonctl.planning.gpus import declared_gpus

if TYPE_CHECKING:
    from leptonctl.sitefile.accelerators import Accelerators, Fpgas, Gpus
    from leptonctl.sitefile.model import NodeGroup
    from leptonctl.sitefile.software import RoleName


def declared_settings(group: NodeGroup, role: RoleName) -> dict[str, object]:
    """What the role is to find on the hosts of a group; nothing for roles that drive no accelerators.

    `container_runtime` is told whether containers may ask for the runtime `nvidia`: where its toolkit will be.
    """
    section = group.accelerators
    if role == "container_runtime":
        return {"gpu_handler": "gpu_container_toolkit" in group.roles}
    if role == "gpu_driver":
        return {"declared": _gpus(section.gpus) if section and section.gpus else {}}
    if role == "gpu_health":
        return {"declared": _judged_by(section, section.gpus) if section and section.gpus else {}}
    if role == "fpga":
        return {"declared": _fpgas(section.fpgas) if section and section.fpgas else {}}
    return {}


def _gpus(gpus: Gpus) -> dict[str, object]:
    return {"count": gpus.count, "model": gpus.model, "nvswitch": gpus.nvswitch}


def _fpgas(fpgas: Fpgas) -> dict[str, object]:
    return {"count": fpgas.count, "model": fpgas.model, "shell": fpgas.shell}


def _judged_by(section: Accelerators, gpus: Gpus) -> dict[str, object]:
    """What the collector on the host judges by. Serial numbers are a host's own, and its settings are the group's."""
    declared = asdict(declared_gpus(section, gpus, ""))
    ethernet = [list(one) for one in declared["ethernet"]]
    return {"declared": {**declared, "serials": [], "ethernet": ethernet}, "policy": dict(section.health.policy)}
