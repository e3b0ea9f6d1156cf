"""Estimate: what the locations on AWS cost, draw and emit, as far as the catalogue knows it. Pure.

What is not known is named and left out, never filled in: a sum is of the known parts. Only machines have prices in the
catalogue; what else AWS charges for is named.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from leptonctl.planning.aws_types import GroupArgs, LocationArgs
    from leptonctl.planning.desired import Desired

HOURS_PER_MONTH = 730
"""AWS's own month: 365 days of 24 hours, by 12."""
VCPU_IDLE_W, VCPU_BUSY_W = 0.74, 3.5
MEMORY_W_PER_GIB = 0.392
PUE = 1.135
"""Cloud Carbon Footprint: watts of a vCPU where its family is not known, of memory, and AWS's average overhead."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine type. `accelerator` with a count of 0 is a part of one."""

    vcpus: int
    memory_gib: float
    accelerator: str | None = None
    accelerator_count: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """USD an hour on demand, as of a date, from a source."""

    usd_per_hour: float
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class PowerRange:
    """Watts from idle to busy."""

    idle_w: float
    busy_w: float


@dataclass(frozen=True, slots=True)
class Carbon:
    """Grams of CO2 equivalent a kWh, and the grid and year that they are of."""

    g_per_kwh: float
    basis: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known: machines by type, prices by type and region, accelerators by model, carbon by region."""

    machines: Mapping[str, MachineFacts]
    prices: Mapping[tuple[str, str], Price]
    accelerators: Mapping[str, PowerRange]
    carbon: Mapping[str, Carbon]


@dataclass(frozen=True, slots=True)
class PricedMachines:
    """Machines of a type: how many, and the price of one."""

    machine_type: str
    count: int
    price: Price


@dataclass(frozen=True, slots=True)
class Estimate:
    """One location. `unpriced` and `unmeasured` name what is left out of the sums, with the reason.

    `power` is at the wall of the data centre, of machines with known figures; None where there are none. `carbon` is
    None where that of the region is not known.
    """

    location: str
    region: str
    machines: tuple[PricedMachines, ...]
    unpriced: tuple[str, ...]
    power: PowerRange | None
    unmeasured: tuple[str, ...]
    carbon: Carbon | None

    @property
    def usd_per_hour(self) -> float:
        """The sum of what has a price."""
        return sum(part.count * part.price.usd_per_hour for part in self.machines)

    @property
    def usd_per_month(self) -> float:
        """The same for a month."""
        return self.usd_per_hour * HOURS_PER_MONTH

    @property
    def kg_co2e_per_month(self) -> tuple[float, float] | None:
        """Idle and busy all month; None where the power or the carbon is not known."""
        if self.power is None or self.carbon is None:
            return None
        low, high = (
            watts / 1000 * HOURS_PER_MONTH * self.carbon.g_per_kwh / 1000
            for watts in (self.power.idle_w, self.power.busy_w)
        )
        return low, high


def estimates(want: Desired, catalogue: Catalogue) -> tuple[Estimate, ...]:
    """One for each location on AWS, in site order."""
    return tuple(_estimate(location.aws, catalogue) for location in want.locations if location.aws is not None)


def _estimate(args: LocationArgs, catalogue: Catalogue) -> Estimate:
    priced: list[PricedMachines] = []
    unpriced: list[str] = []
    unmeasured: list[str] = []
    idle_w = busy_w = 0.0
    for group in args.groups:
        count = _count(group)
        name = f"{count} {group.machine_type} ({group.name})"
        reason = _why_unpriced(group, args.region, catalogue)
        if reason is not None and count:
            unpriced.append(f"{name}: {reason}")
        elif count:
            price = catalogue.prices[group.machine_type, args.region]
            priced.append(PricedMachines(group.machine_type, count, price))
        facts = catalogue.machines.get(group.machine_type)
        if facts is None:
            unmeasured += [name] if count else []
            continue
        power, is_whole = power_of(facts, catalogue)
        idle_w, busy_w = idle_w + count * power.idle_w, busy_w + count * power.busy_w
        if count and not is_whole:
            unmeasured.append(f"accelerators {facts.accelerator} of {name}")
    return Estimate(
        location=args.location,
        region=args.region,
        machines=tuple(priced),
        unpriced=(*unpriced, *_more_machines(args.groups), *_other_charges(args)),
        power=PowerRange(idle_w * PUE, busy_w * PUE) if busy_w else None,
        unmeasured=tuple(unmeasured),
        carbon=catalogue.carbon.get(args.region),
    )


def power_of(facts: MachineFacts, catalogue: Catalogue) -> tuple[PowerRange, bool]:
    """Watts of a machine without overhead, and whether its accelerators are in them."""
    memory_w = facts.memory_gib * MEMORY_W_PER_GIB
    idle_w, busy_w = facts.vcpus * VCPU_IDLE_W + memory_w, facts.vcpus * VCPU_BUSY_W + memory_w
    if facts.accelerator is None:
        return PowerRange(idle_w, busy_w), True
    each = catalogue.accelerators.get(facts.accelerator)
    if each is None or not facts.accelerator_count:
        return PowerRange(idle_w, busy_w), False
    number = facts.accelerator_count
    return PowerRange(idle_w + number * each.idle_w, busy_w + number * each.busy_w), True


def _count(group: GroupArgs) -> int:
    """How many machines are counted: those that are listed, or that a scaling group starts with."""
    if group.scaling is None:
        return len(group.hosts)
    return group.scaling.min if group.scaling.desired is None else group.scaling.desired


def _why_unpriced(group: GroupArgs, region: str, catalogue: Catalogue) -> str | None:
    """Why the price of a group's machines is not known; None where it is."""
    if group.capacity != "on-demand":
        return f"the price of {group.capacity} capacity is made by AWS from hour to hour"
    if group.reservation is not None:
        return "the reservation has a price of its own"
    if (group.machine_type, region) not in catalogue.prices:
        return f"no price in the catalogue for {region}"
    return None


def _more_machines(groups: Iterable[GroupArgs]) -> Iterator[str]:
    """What scaling groups may grow by."""
    for group in groups:
        if group.scaling is not None and group.scaling.max > _count(group):
            yield f"up to {group.scaling.max - _count(group)} more {group.machine_type} ({group.name})"


def _other_charges(args: LocationArgs) -> Iterator[str]:
    """What else AWS charges for; none of it has a price in the catalogue."""
    disks_gib = sum(_count(group) * group.root_gib for group in args.groups)
    volumes = Counter(volume.type for volume in args.volumes)
    if disks_gib:
        yield f"root disks, {disks_gib:,} GiB"
    for kind, number in sorted(volumes.items()):
        size = sum(volume.size_gib for volume in args.volumes if volume.type == kind)
        yield f"{number} {kind} volumes, {size:,} GiB"
    gateways = {"nat": 1, "nat-per-zone": args.network.zone_count, "none": 0}[args.network.internet]
    if gateways:
        yield f"{gateways} NAT gateway{'s' if gateways > 1 else ''}"
    if args.network.endpoints:
        yield f"{len(args.network.endpoints)} endpoints in {args.network.zone_count} zones"
    public = sum(_count(group) for group in args.groups if group.is_public)
    if public or gateways:
        yield f"{public + gateways} public IPv4 addresses"
    for bucket in args.buckets:
        yield f"bucket {bucket.name}"
    for system in args.file_systems:
        yield f"file system {system.name} ({system.kind})"
    yield "traffic, requests, logs, keys"
