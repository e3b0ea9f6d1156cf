"""Peering: the way between a location's network and one above it, with routes and names in both directions.

All of it belongs to the lower location's stack, also what is made in the upper one's network: a region that comes or
goes leaves the core's stack alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import LocationArgs, PeerArgs


@dataclass(frozen=True, slots=True)
class PeeringArgs:
    """The location, the one above it, and the lower network's own parts."""

    location: LocationArgs
    peer: PeerArgs
    vpc_id: pulumi.Input[str]
    route_table_ids: Sequence[pulumi.Input[str]]
    zone_id: pulumi.Input[str]


class Peering(pulumi.ComponentResource):
    """A peering connection, accepted, with a route in every route table of both networks."""

    def __init__(self, name: str, args: PeeringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:peering:Peering", name, None, opts)
        location, peer = args.location, args.peer
        is_same_region = peer.region == location.region
        own = pulumi.ResourceOptions(parent=self)
        tags = tags_of(location, "peering", name)
        connection = aws.ec2.VpcPeeringConnection(
            f"{name}-connection",
            vpc_id=args.vpc_id,
            peer_vpc_id=known(peer.vpc_id),
            peer_region=None if is_same_region else peer.region,
            auto_accept=True if is_same_region else None,
            tags=tags,
            opts=own,
        )
        ready: list[pulumi.Resource] = [connection]
        if not is_same_region:
            ready.append(
                aws.ec2.VpcPeeringConnectionAccepter(
                    f"{name}-accepted",
                    vpc_peering_connection_id=connection.id,
                    auto_accept=True,
                    region=peer.region,
                    tags=tags,
                    opts=own,
                )
            )
        # A route into a connection that is not accepted yet fails in AWS.
        after = pulumi.ResourceOptions(parent=self, depends_on=ready)
        for number, table_id in enumerate(args.route_table_ids):
            aws.ec2.Route(
                f"{name}-there-{number + 1}",
                route_table_id=table_id,
                destination_cidr_block=peer.cidr,
                vpc_peering_connection_id=connection.id,
                opts=after,
            )
        for number in range(peer.route_table_count):
            is_known = number < len(peer.route_table_ids)
            aws.ec2.Route(
                f"{name}-back-{number + 1}",
                route_table_id=known(peer.route_table_ids[number] if is_known else ""),
                destination_cidr_block=location.network.cidr,
                vpc_peering_connection_id=connection.id,
                region=None if is_same_region else peer.region,
                opts=after,
            )
        aws.route53.ZoneAssociation(
            f"{name}-names-there",
            zone_id=known(peer.zone_id),
            vpc_id=args.vpc_id,
            vpc_region=location.region,
            opts=own,
        )
        aws.route53.ZoneAssociation(
            f"{name}-names-back",
            zone_id=args.zone_id,
            vpc_id=known(peer.vpc_id),
            vpc_region=peer.region,
            opts=own,
        )
        self.register_outputs({})


def known(value: str) -> pulumi.Output[str]:
    """The value as an output; one that a stack above has yet to give is unknown, never filled in."""
    if value:
        return pulumi.Output.from_input(value)
    nothing: asyncio.Future[str] = asyncio.Future()
    nothing.set_result("")
    is_known: asyncio.Future[bool] = asyncio.Future()
    is_known.set_result(False)
    return pulumi.Output(set(), nothing, is_known)
