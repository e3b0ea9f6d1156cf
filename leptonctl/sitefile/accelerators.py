"""The `accelerators` section of a node group: what its hosts are to have. Declared, compared, never inferred."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, Text
from leptonctl.sitefile.effects import OnEdit, no_effect, rolling

_DRIVER = rolling("the role `gpu_driver` runs again on the hosts that have it")


class Health(Frozen):
    """How the health of the accelerators is judged."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next health check uses it"),)

    shadow: bool = False
    """Whether findings are only reported: then nothing is taken out of service."""
    policy: dict[Text, Annotated[int, Field(ge=0, le=2**40)]] = Field(default_factory=dict)
    """Thresholds over those of the health policy, by name; `leptonctl explain policy` lists them."""


class Gpus(Frozen):
    """The GPUs of each host. What is not declared is not judged, but the count always is."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next health check compares with it"),)

    count: Annotated[int, Field(ge=1, le=64), _DRIVER]
    """How many each host has."""
    vendor: Annotated[Literal["nvidia", "amd"], _DRIVER] = "nvidia"
    """Whose they are."""
    model: Annotated[Text | None, _DRIVER] = None
    """A part of the name that the driver gives, such as `H100`."""
    memory_gib: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Memory of each, in GiB."""
    serials: dict[Text, Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]] = Field(default_factory=dict)
    """Serial numbers, by the host's name."""
    nvlinks: Annotated[int, Field(ge=1, le=128)] | None = None
    """NVLinks of each."""
    nvlink_gbps: Annotated[float, Field(gt=0, le=10000)] | None = None
    """GB/s of each NVLink in one direction, such as 26.562 (H100)."""
    xgmi_peers: Annotated[int, Field(ge=1, le=63)] | None = None
    """How many other GPUs each of AMD's reaches over XGMI, such as 7 on a host with eight MI300X."""
    nvswitch: Annotated[bool, _DRIVER] = False
    """Whether the GPUs are behind an NVSwitch: then Fabric Manager has to run."""
    all_reduce_gbps: Annotated[float, Field(gt=0, le=100000)] | None = None
    """Bus bandwidth, in GB/s, that an all-reduce over all GPUs of the group must reach (`health --level nccl`)."""
    pcie_lanes: Annotated[int, Field(ge=1, le=32)] | None = None
    """PCIe lanes of each slot."""
    pcie_generation: Annotated[int, Field(ge=1, le=8)] | None = None
    """The PCIe generation that card and slot can do, such as 5."""


class Fpgas(Frozen):
    """The FPGA cards of each host. What is not declared is not judged."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (rolling("the role `fpga` runs again on the hosts that have it"),)

    count: Annotated[int, Field(ge=1, le=64)]
    """How many each host has."""
    model: Text | None = None
    """The card, such as `U250` or `PAC D5005`."""
    shell: Text | None = None
    """What each card is loaded with: the name that AMD's driver gives (VBNV), or the id of Intel's bitstream."""


class InfiniBand(Frozen):
    """The InfiniBand ports of each host."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next health check compares with it"),)

    ports: Annotated[int, Field(ge=1, le=64)]
    """How many have to be up."""
    gbps: Annotated[float, Field(gt=0, le=10000)] | None = None
    """Gbit/s of each, such as 400 (NDR)."""


class Accelerators(Frozen):
    """What the hosts of a group have beside their CPUs."""

    gpus: Gpus | None = None
    """GPUs."""
    fpgas: Fpgas | None = None
    """FPGA cards."""
    infiniband: InfiniBand | None = None
    """The InfiniBand ports that the GPUs speak to other hosts through; judged with the GPUs."""
    ethernet: Annotated[
        dict[Text, Annotated[float, Field(gt=0, le=10000)]], no_effect("the next health check compares with it")
    ] = Field(default_factory=dict)
    """Interfaces that have to be up, by name, with the Gbit/s of each; judged with the GPUs."""
    health: Health = Health()
    """How their health is judged."""
