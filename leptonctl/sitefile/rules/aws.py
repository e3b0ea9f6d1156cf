"""Rules on AWS: where a location is, who may reach it, and what its groups and stores ask for."""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from leptonctl.sitefile.aws import REGION, ZONES_LIMIT, host_zones, partition_of
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.aws_model import Aws, FileSystem
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site

_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")
_RESERVATION = re.compile(r"cr-[0-9a-f]{8,17}")
_OWNER = re.compile(r"[0-9]{12}|amazon|aws-marketplace")
# The engine writes its whole state after each step: a stack is to stay well below a thousand resources. A host and a
# volume are two each; the rest of a location is far below what is left over.
_PARTS_LIMIT = 400
_SMALLEST_DISK_GIB = 8
# Of AWS, for a spread placement group.
_SPREAD_LIMIT = 7
_LUSTRE_FIRST_GIB = 1200
_LUSTRE_STEP_GIB = 2400


def check_aws(site: Site) -> Iterator[Finding]:
    """Every location on AWS."""
    first: tuple[Path, str] | None = None
    for path, location in locations(site):
        if location.platform != "aws":
            continue
        aws = location.aws
        if aws is None:
            hint = "write an `aws` section with a `region`"
            yield Finding("missing-aws", path, "a location on aws needs to say where it is", hint, at="key")
            continue
        if location.network.cidr is None:
            message, hint = "a location on aws needs a network", "write one such as `network: {cidr: 10.64.0.0/20}`"
            yield Finding("missing-network", path, message, hint, at="key")
        if not REGION.fullmatch(aws.region):
            message = f"{quoted(aws.region)} is not an AWS region"
            yield Finding("bad-value", (*path, "aws", "region"), message, "write one such as eu-central-1")
        else:
            yield from _check_zones(aws, path)
            first = first or (path, aws.region)
            if partition_of(first[1]) != partition_of(aws.region):
                message = f"{aws.region} and {first[1]}, where {spoken(first[0])} is, are in separate parts of AWS"
                hint = "describe them as two sites: networks and accounts do not reach over"
                yield Finding("two-partitions", (*path, "aws", "region"), message, hint)
        yield from _check_ways_in(aws, path)
        yield from _check_stores(location, aws, path)
        yield from _check_size(location, path)
        for name, group in location.nodes.items():
            yield from _check_group(group, aws, (*path, "nodes", name))


def _check_zones(aws: Aws, path: Path) -> Iterator[Finding]:
    for index, zone in enumerate(aws.zones):
        place = (*path, "aws", "zones", index)
        if not re.fullmatch(rf"{re.escape(aws.region)}[a-z]", zone):
            message = f"{quoted(zone)} is not a zone of {aws.region}"
            yield Finding("bad-zone", place, message, f"write one such as {aws.region}a")
        elif zone in aws.zones[:index]:
            yield Finding("bad-zone", place, f"the zone {quoted(zone)} is named twice", "remove one of the two")
    if len(aws.zones) > ZONES_LIMIT:
        message = f"a location has at most {ZONES_LIMIT} zones"
        yield Finding("bad-zone", (*path, "aws", "zones"), message, "remove the others", at="key")


def _check_ways_in(aws: Aws, path: Path) -> Iterator[Finding]:
    for index, cidr in enumerate(aws.ssh_from):
        place = (*path, "aws", "ssh_from", index)
        try:
            network = IPv4Network(cidr)
        except ValueError:
            message = f"{quoted(cidr)} is not an IPv4 network"
            yield Finding("bad-network", place, message, "write one such as 203.0.113.0/24, or one address as /32")
            continue
        if network.prefixlen == 0:
            message = f"{cidr} would let the whole world try to log in"
            yield Finding("open-to-world", place, message, "name the networks that operators come from")


def _check_group(group: NodeGroup, aws: Aws, path: Path) -> Iterator[Finding]:
    own, place = group.aws, (*path, "aws")
    if group.machine.disk_gib is not None and group.machine.disk_gib < _SMALLEST_DISK_GIB:
        message = f"a root disk of {group.machine.disk_gib} GiB is too small for a machine image"
        where = (*path, "machine", "disk_gib")
        yield Finding("bad-value", where, message, f"write {_SMALLEST_DISK_GIB} or more")
    forms = (
        (("image", "id"), own.image.id, _IMAGE, "a machine image", "ami-0123456789abcdef0"),
        (("image", "owner"), own.image.owner, _OWNER, "an account that publishes images", "136693071363"),
        (("reservation",), own.reservation, _RESERVATION, "a capacity reservation", "cr-0123456789abcdef0"),
    )
    for keys, value, form, what, example in forms:
        if value is not None and not form.fullmatch(value):
            message = f"{quoted(value)} is not {what}"
            yield Finding("bad-value", (*place, *keys), message, f"write one such as {example}")
    if own.zone is not None and own.zone not in aws.zones:
        message = f"the location has no zone {quoted(own.zone)}{did_you_mean(own.zone, aws.zones)}"
        yield Finding("bad-zone", (*place, "zone"), message, "name it under `zones` of the location too")
        return
    if own.network_cards and own.public:
        message = "machines with EFA get no public address"
        yield Finding("cannot-combine", (*place, "public"), message, "reach them through a public group", at="key")
    if own.placement == "spread" and max(Counter(host_zones(aws, group)).values(), default=0) > _SPREAD_LIMIT:
        message = f"a spread group takes at most {_SPREAD_LIMIT} hosts in a zone"
        yield Finding("cannot-combine", (*place, "placement"), message, "use more zones, or fewer hosts", at="key")


def _check_stores(location: Location, aws: Aws, path: Path) -> Iterator[Finding]:
    taken = dict.fromkeys(location.nodes, "group")
    stores = (
        *((("storage", name), name) for name in location.storage),
        *((("aws", "buckets", name), name) for name in aws.buckets),
        *((("aws", "file_systems", name), name) for name in aws.file_systems),
    )
    for keys, name in stores:
        if name in taken:
            message = f"a {taken[name]} of this location is named {quoted(name)} already"
            yield Finding("duplicate-store", (*path, *keys), message, "give it another name", at="key")
        taken.setdefault(name, "store")
    for name, bucket in aws.buckets.items():
        for index, group in enumerate(bucket.nodes):
            place = (*path, "aws", "buckets", name, "nodes", index)
            if group not in location.nodes:
                message = f"there is no node group {quoted(group)} here{did_you_mean(group, location.nodes)}"
                known = ", ".join(location.nodes)
                hint = f"groups of this location: {known}" if known else "describe the group under `nodes`"
                yield Finding("unknown-group", place, message, hint)
            elif group in bucket.nodes[:index]:
                yield Finding("duplicate-group", place, f"the group {quoted(group)} is named twice", "remove one")
    for name, system in aws.file_systems.items():
        yield from _check_file_system(system, (*path, "aws", "file_systems", name))


def _check_file_system(system: FileSystem, place: Path) -> Iterator[Finding]:
    size = system.size_gib
    if system.kind == "efs":
        for key in sorted(system.model_fields_set & {"size_gib", "throughput_mbps_per_tib"}):
            message = f"efs has no {quoted(key)}: it grows by itself"
            yield Finding("cannot-combine", (*place, key), message, "remove it", at="key")
    elif size is None:
        yield Finding("bad-value", place, "lustre needs a size", "write `size_gib: 1200`, or more", at="key")
    elif size != _LUSTRE_FIRST_GIB and (size < _LUSTRE_STEP_GIB or size % _LUSTRE_STEP_GIB):
        message = f"lustre is not made in {size} GiB"
        yield Finding("bad-value", (*place, "size_gib"), message, "write 1200, 2400, or a multiple of 2400")


def _check_size(location: Location, path: Path) -> Iterator[Finding]:
    counts = {name: group.count or 0 for name, group in location.nodes.items()}
    volumes = sum(counts.get(group, 0) for store in location.volumes.values() for group in set(store.nodes))
    parts = sum(counts.values()) + volumes
    if parts > _PARTS_LIMIT:
        message = f"{parts:,} hosts and volumes are too many for one location on aws; it takes {_PARTS_LIMIT}"
        hint = "make equal machines one group with `scaling`, or split it into several locations"
        yield Finding("location-size", path, message, hint, at="key")
