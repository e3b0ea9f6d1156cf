"""What a group declares of the GPUs of its hosts, as they are judged by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.readings import Declared

if TYPE_CHECKING:
    from leptonctl.sitefile.accelerators import Accelerators, Gpus


def declared_gpus(section: Accelerators, gpus: Gpus, host: str) -> Declared:
    """What a group declares of the GPUs of one of its hosts."""
    return Declared(
        count=gpus.count,
        vendor=gpus.vendor,
        model=gpus.model,
        memory_gib=gpus.memory_gib,
        serials=gpus.serials.get(host, ()),
        links=gpus.nvlinks,
        xgmi_peers=gpus.xgmi_peers,
        link_gbps=gpus.nvlink_gbps,
        pcie_width=gpus.pcie_lanes,
        pcie_generation=gpus.pcie_generation,
        has_nvswitch=gpus.nvswitch,
        all_reduce_gbps=gpus.all_reduce_gbps,
        infiniband_ports=section.infiniband.ports if section.infiniband else None,
        infiniband_gbps=section.infiniband.gbps if section.infiniband else None,
        ethernet=tuple(section.ethernet.items()),
    )
