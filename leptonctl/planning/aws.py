"""A location on AWS as the arguments of its stack: pure, from the site alone, then completed with what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster import cluster_args
from leptonctl.planning.aws_ingress import cidr_of, ingress_of
from leptonctl.planning.aws_types import (
    BucketArgs,
    FileSystemArgs,
    GroupArgs,
    HostArgs,
    ImageQuery,
    IngressArgs,
    LocationArgs,
    LocationOutputs,
    NetworkArgs,
    PeerArgs,
    PublicKeys,
    ScalingArgs,
    Tier,
    VolumeArgs,
)
from leptonctl.sitefile.aws import DEFAULT_DISK_GIB, architecture_of, group_zones, zone_count
from leptonctl.sitefile.model import Edge, Region
from leptonctl.sitefile.ranges import group_hosts
from leptonctl.sitefile.section import section_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.sitefile.aws_model import Aws
    from leptonctl.sitefile.model import Location, NodeGroup, Site

_TIERS: dict[str, Tier] = {"core": "core", "regions": "region", "edges": "edge"}


def location_args(site: Site, address: str) -> LocationArgs | None:
    """The arguments of the location's stack as far as the site says them; None for one that is not on AWS."""
    location = site.location(address)
    aws = location.aws
    if location.platform != "aws" or aws is None:
        return None
    cidr = cidr_of(location)
    peers = tuple(_peer(site, above) for above in _above(site, address))
    return LocationArgs(
        site=site.site,
        owner=site.owner,
        location=address,
        tier=_TIERS[address.partition("/")[0]],
        region=aws.region,
        network=NetworkArgs(
            cidr=cidr,
            zone_count=zone_count(aws),
            zones=aws.zones,
            internet=aws.internet,
            endpoints=tuple(sorted(set(aws.endpoints))),
            flow_log_days=aws.flow_log_days,
            has_public_subnets=_has_public_subnets(location),
        ),
        groups=tuple(
            _group(address, name, aws=aws, group=group, ingress=ingress_of(site, address, name, peers))
            for name, group in location.nodes.items()
        ),
        volumes=tuple(_volumes(address, location)),
        buckets=tuple(
            BucketArgs(
                address=f"{address}/{name}",
                name=name,
                groups=bucket.nodes,
                kept_versions_days=bucket.old_versions_days,
            )
            for name, bucket in aws.buckets.items()
        ),
        file_systems=tuple(
            FileSystemArgs(
                address=f"{address}/{name}",
                name=name,
                kind=system.kind,
                size_gib=system.size_gib,
                mbps_per_tib=system.throughput_mbps_per_tib,
            )
            for name, system in aws.file_systems.items()
        ),
        cluster=cluster_args(site.site, address, aws.kubernetes),
        peers=peers,
        section=section_text(location),
    )


def completed(
    args: LocationArgs,
    *,
    keys: PublicKeys | None = None,
    above: Mapping[str, LocationOutputs] | None = None,
    previous: LocationOutputs | None = None,
    deletable: tuple[str, ...] = (),
) -> LocationArgs:
    """The arguments with what the platform knows.

    `above` are the outputs of the locations that this one is peered with (one that is missing stays unknown);
    `previous` are this stack's own outputs: a group keeps its image while the query is the same, and a host that is
    there keeps the key that was planted.
    """
    keys = keys or PublicKeys()
    images = previous.images if previous else {}
    there = previous.hosts if previous else {}
    pinned = {
        group.name: images[group.name]
        for group in args.groups
        if group.name in images and images[group.name].query == group.image.text
    }
    groups = tuple(
        replace(
            group,
            pinned_image_id=pinned[group.name].image_id if group.name in pinned else None,
            pinned_root_device=pinned[group.name].root_device or None if group.name in pinned else None,
            hosts=tuple(
                replace(
                    host, host_key=there[host.address].host_key if host.address in there else keys.hosts.get(host.name)
                )
                for host in group.hosts
            ),
            scaling=_keyed(group.scaling, previous, keys.groups.get(group.name)) if group.scaling else None,
        )
        for group in args.groups
    )
    peers = tuple(
        replace(
            peer,
            vpc_id=above[peer.address].vpc_id,
            route_table_ids=above[peer.address].route_table_ids,
            zone_id=above[peer.address].zone_id,
        )
        if above and peer.address in above
        else peer
        for peer in args.peers
    )
    return replace(args, public_keys=keys.operators, groups=groups, peers=peers, deletable=deletable)


def _keyed(scaling: ScalingArgs, previous: LocationOutputs | None, host_key: str | None) -> ScalingArgs:
    known = previous.groups.get(scaling.address) if previous else None
    return replace(scaling, host_key=host_key or (known.host_key if known else None))


def _above(site: Site, address: str) -> tuple[str, ...]:
    """The locations on AWS that this one is peered with: the core, and for an edge its region too."""
    location = site.location(address)
    above = ["core"] if isinstance(location, Edge | Region) else []
    if isinstance(location, Edge):
        above.append(f"regions/{location.parent}")
    return tuple(one for one in above if site.location(one).platform == "aws")


def _peer(site: Site, address: str) -> PeerArgs:
    location = site.location(address)
    aws = _aws(location)
    return PeerArgs(
        address=address,
        region=aws.region,
        cidr=cidr_of(location),
        # One for each zone's private subnet, and the one that public subnets share.
        route_table_count=zone_count(aws) + _has_public_subnets(location),
    )


def _group(address: str, name: str, *, aws: Aws, group: NodeGroup, ingress: tuple[IngressArgs, ...]) -> GroupArgs:
    machine_type = group.machine.type or ""
    zones = group_zones(aws, group)
    image = group.aws.image
    return GroupArgs(
        name=name,
        machine_type=machine_type,
        root_gib=group.machine.disk_gib or DEFAULT_DISK_GIB,
        image=ImageQuery(
            owner=image.owner, name=image.name, architecture=architecture_of(machine_type), image_id=image.id
        ),
        hosts=tuple(
            HostArgs(
                name=host.name,
                address=f"{address}/{host.name}",
                zone=zones[number % len(zones)],
                machine_type=machine_type,
            )
            for number, host in enumerate(group_hosts(name, group))
        ),
        zones=zones if group.aws.zone is not None else tuple(range(zone_count(aws))),
        ingress=ingress,
        is_public=group.aws.public,
        placement=group.aws.placement,
        network_cards=group.aws.network_cards,
        capacity=group.aws.capacity,
        reservation=group.aws.reservation,
        fallback_types=group.aws.fallback_types,
        scaling=None
        if group.scaling is None
        else ScalingArgs(
            address=f"{address}/{name}",
            min=group.scaling.min,
            max=group.scaling.max,
            desired=group.scaling.desired,
            zones=zones,
        ),
    )


def _volumes(address: str, location: Location) -> list[VolumeArgs]:
    return [
        VolumeArgs(
            address=f"{address}/{store_name}/{host.name}", store=store_name, host=host.name, size_gib=store.size_gib
        )
        for store_name, store in location.volumes.items()
        for group_name, group in location.nodes.items()
        if group_name in store.nodes
        for host in group_hosts(group_name, group)
    ]


def _has_public_subnets(location: Location) -> bool:
    return _aws(location).internet != "none" or any(group.aws.public for group in location.nodes.values())


def _aws(location: Location) -> Aws:
    """The location's section; there in every checked site."""
    if location.aws is None:
        raise ValueError("a location on aws without its section: the site was not checked")
    return location.aws
