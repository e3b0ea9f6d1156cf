"""What was read of the GPUs of one host, whatever it was read with.

None is the card's own "not offered". What was there and not understood is named in `unreadable`: that is not None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leptonctl.health.level import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.health.policy import Policy

PROGRAMS = {"nvidia": "nvidia-smi", "amd": "rocm-smi"}
"""What is read by maker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuReading:
    """One GPU. Field names are also the names in `unreadable`.

    `bus_id` is `DOMAIN:BUS:DEVICE.FUNCTION` in lower case with a domain of four digits, as the kernel writes it.
    Counters of volatile errors count from the last load of the driver. `margin_c` is the distance to the temperature
    at which the card slows down. `recovery` names what the driver asks for to get the GPU back, or is None.
    `xgmi_peers` are the other GPUs that it reaches over XGMI; that and `performance_level` are of AMD's alone.
    """

    bus_id: str
    uuid: str
    model: str
    serial: str | None = None
    memory_mib: int | None = None
    memory_used_mib: int | None = None
    is_persistent: bool | None = None
    is_ecc_on: bool | None = None
    ecc_uncorrectable: int | None = None
    ecc_correctable: int | None = None
    remap_failed: bool | None = None
    remap_pending: bool | None = None
    remapped_uncorrectable: int | None = None
    retired_single_bit: int | None = None
    retired_double_bit: int | None = None
    retirement_pending: bool | None = None
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    pcie_replays: int | None = None
    temperature_c: int | None = None
    temperature_max_c: int | None = None
    memory_temperature_c: int | None = None
    memory_temperature_max_c: int | None = None
    margin_c: int | None = None
    slowdowns: tuple[str, ...] = ()
    power_w: float | None = None
    recovery: str | None = None
    xgmi_peers: int | None = None
    performance_level: str | None = None
    fabric_state: str | None = None
    fabric_status: str | None = None
    process_count: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReading:
    """One NVLink of a GPU (by UUID). `speed_gbps` is GB/s in one direction, None while the link is down."""

    gpu_uuid: str
    link: int
    speed_gbps: float | None
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PortReading:
    """A network port. `gbps` is Gbit/s, None where it tells none; `down_count` how often its link was lost."""

    name: str
    is_up: bool
    state: str
    gbps: float | None
    down_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class XidEvent:
    """An error that the driver wrote to the kernel log. `at_s` is Unix time; `unit` is the part of the GPU it names."""

    at_s: float
    bus_id: str
    code: int
    text: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverError:
    """An error that amdgpu wrote to the kernel log. `name` is one of amdgpu.toml, `bus_id` None where it names no GPU.

    `part` is the part of the GPU, `count` how many errors it counted; None where it does not say.
    """

    at_s: float
    bus_id: str | None
    name: str
    part: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmiReading:
    """What the maker's program said: the driver's versions and every GPU that answered."""

    driver_version: str
    cuda_version: str | None
    attached_count: int
    gpus: tuple[GpuReading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What is there of each part, None where it is not.

    `module` is the driver that the kernel runs, `library` what programs load with it, and `described` are the drivers
    that descriptions of the GPUs for containers (CDI) name. The last three are versions of Debian packages.
    """

    module: str | None = None
    library: str | None = None
    described: tuple[str, ...] = ()
    fabric_manager: str | None = None
    toolkit: str | None = None
    toolkit_library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnResult:
    """One test of a burn. `gpu` is the GPU's number, None for all; `is_load` is False for a look at software only."""

    test: str
    is_load: bool
    status: Literal["pass", "fail", "warn", "skip"]
    gpu: int | None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnReading:
    """What a burn came to, and which program did it."""

    program: str
    results: tuple[BurnResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllReduceReading:
    """An all-reduce over `rank_count` GPUs: bus bandwidth at its largest messages, in GB/s, and how much was wrong."""

    bus_gbps: float
    size_bytes: int
    rank_count: int
    wrong_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the site file says the host has. None is not said, and then not judged; `model` is a part of the name."""

    count: int
    vendor: str = "nvidia"
    model: str | None = None
    memory_gib: int | None = None
    serials: tuple[str, ...] = ()
    links: int | None = None
    xgmi_peers: int | None = None
    link_gbps: float | None = None
    pcie_width: int | None = None
    pcie_generation: int | None = None
    has_nvswitch: bool = False
    all_reduce_gbps: float | None = None
    infiniband_ports: int | None = None
    infiniband_gbps: float | None = None
    ethernet: tuple[tuple[str, float], ...] = ()

    @property
    def program(self) -> str:
        """The program that tells of GPUs of this maker, and the name of that source."""
        return PROGRAMS[self.vendor]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReading:
    """What was read on one host.

    `unread` names each source that gave no answer, or one that was not understood, with the reason. `now_s` and
    `booted_s` are the host's own clock. `driver_errors` are amdgpu's, None of a host with another maker's GPUs.
    `fabric_manager_active` is None where there is no such unit. `drill` is the fault that somebody laid there on
    purpose.
    """

    now_s: float
    booted_s: float
    smi: SmiReading | None = None
    pci_bus_ids: tuple[str, ...] | None = None
    links: tuple[LinkReading, ...] | None = None
    xids: tuple[XidEvent, ...] | None = None
    driver_errors: tuple[DriverError, ...] | None = None
    fabric_manager_active: bool | None = None
    burn: BurnReading | None = None
    all_reduce: AllReduceReading | None = None
    drill: str | None = None
    infiniband: tuple[PortReading, ...] | None = None
    ethernet: tuple[PortReading, ...] | None = None
    zombie_count: int | None = None
    versions: Versions | None = None
    unread: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One host to judge, and by what."""

    reading: HostReading
    declared: Declared
    policy: Policy
    level: Level = Level.QUICK

    @property
    def gpus(self) -> tuple[GpuReading, ...]:
        """The GPUs that answered."""
        return self.reading.smi.gpus if self.reading.smi else ()
