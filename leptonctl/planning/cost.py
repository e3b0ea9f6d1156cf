"""What a thing costs an hour, from public prices with source and date. Pure; what is not in the book is not known.

On demand, Linux, shared tenancy; without data transfer, requests and what is stored in buckets and file systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leptonctl.planning.estimate import HOURS_PER_MONTH, Price
from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.observed import ObservedResource

EVERYWHERE = "*"
# Types of AWS that cost nothing by themselves.
FREE_TYPES = frozenset({
    "vpc", "subnet", "route-table", "internet-gateway", "security-group", "security-group-rule", "launch-template",
    "vpc-peering-connection", "vpc-flow-log", "network-interface", "role", "auto-scaling-group", "placement-group",
    "iam-instance-profile", "iam-policy",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by name and region: of machine types, and of the other parts (`nat-gateway`, `public-ipv4`).

    A part whose price is the same in every commercial region stands under `EVERYWHERE`.
    """

    machines: Mapping[tuple[str, str], Price]
    parts: Mapping[tuple[str, str], Price]

    def machine(self, type_: str, region: str) -> Price | None:
        """A machine type in a region; None where it is not known."""
        return self.machines.get((type_, region))

    def part(self, name: str, region: str) -> Price | None:
        """A part in a region; None where it is not known."""
        everywhere = self.parts.get((name, EVERYWHERE)) if partition_of(region) == "aws" else None
        return self.parts.get((name, region)) or everywhere


FREE = Price(0.0, as_of="", source="costs nothing by itself")


def price_of(resource: ObservedResource, book: PriceBook) -> Price | None:
    """What a thing on AWS costs an hour for as long as it is there; None where that is not known.

    Read from its properties: `type` (AWS's word), `region`, and of a machine `machine` and `capacity`.
    """
    type_, region = str(resource.properties.get("type", "")), str(resource.properties.get("region", ""))
    if type_ in FREE_TYPES:
        return FREE
    if type_ == "instance":
        return _machine(resource, region, book)
    if type_ == "vpc-endpoint":
        # Interface endpoints are paid by zone, which their listing does not price; gateway endpoints are free.
        return FREE if resource.properties.get("service") == "Gateway" else None
    names = {"natgateway": "nat-gateway", "elastic-ip": "public-ipv4", "eks-cluster": "eks-control-plane"}
    return book.part(names[type_], region) if type_ in names else None


def price_text(price: Price | None) -> str:
    """A price for people, with its month, source and date."""
    if price is None:
        return "what it costs is not known"
    if price.usd_per_hour == 0:
        return "it costs nothing by itself"
    month = price.usd_per_hour * HOURS_PER_MONTH
    return f"it costs {price.usd_per_hour:g} USD per hour, {month:.2f} per month ({price.source}, {price.as_of})"


def _machine(resource: ObservedResource, region: str, book: PriceBook) -> Price | None:
    if resource.status == "stopped":
        return FREE
    is_on_demand = resource.properties.get("capacity") in {None, ""}
    return book.machine(str(resource.properties.get("machine")), region) if is_on_demand else None
