"""Settings that roles get from what a group declares of its hosts, beside the `software` section. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leptonctl.sitefile.accelerators import Gpus
    from leptonctl.sitefile.model import NodeGroup
    from leptonctl.sitefile.software import RoleName


GPU_TOOLKIT = "gpu_container_toolkit"


def declared_settings(group: NodeGroup, role: RoleName) -> dict[str, object]:
    """What the role is to find on the hosts of a group; nothing for roles that drive no accelerators.

    `container_runtime` is told whether containers may ask for the runtime `nvidia`: where its toolkit will be.
    """
    if role == "container_runtime":
        roles: tuple[str, ...] = group.roles
        return {"gpu_handler": GPU_TOOLKIT in roles}
    if role != "gpu_driver":
        return {}
    gpus = group.accelerators.gpus if group.accelerators else None
    return {"declared": _gpus(gpus) if gpus else {}}


def _gpus(gpus: Gpus) -> dict[str, object]:
    return {"count": gpus.count, "model": gpus.model, "nvswitch": gpus.nvswitch}
