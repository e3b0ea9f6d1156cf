"""What a region offers to an account, compared with what locations ask for: zones, machine types, images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning.checks import Check
from leptonctl.sitefile.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from leptonctl.planning.aws_types import GroupArgs, ImageQuery, LocationArgs
    from leptonctl.platforms.aws_cloud import AwsCloud


def zone_checks(cloud: AwsCloud, locations: Iterable[LocationArgs]) -> tuple[Check, ...]:
    """A check for each zone that is asked for and not there."""
    known = zones_of(cloud)
    return tuple(
        Check(
            rule="aws_zone",
            message=f"zone {zone} is not one of this account's in {cloud.region}",
            is_ok=False,
            hint=f"write some of {', '.join(known)}" + did_you_mean(zone, known),
            where=one.location,
        )
        for one in locations
        for zone in one.network.zones
        if zone not in known
    )


def with_zones(cloud: AwsCloud, args: LocationArgs) -> LocationArgs:
    """The arguments with the names of the zones that are taken where the site file names none."""
    if args.network.zones:
        return args
    zones = tuple(zones_of(cloud)[: args.network.zone_count])
    return replace(args, network=replace(args.network, zones=zones))


def zones_of(cloud: AwsCloud) -> list[str]:
    """The zones of the region that are open, in order of their names; no local or wavelength zones."""
    found = cloud.call("ec2", "describe_availability_zones")["AvailabilityZones"]
    return sorted(one["ZoneName"] for one in found if one.get("State", "available") == "available" and _is_plain(one))


def type_checks(cloud: AwsCloud, locations: Sequence[LocationArgs]) -> Iterator[Check]:
    """One check a machine type: whether it is offered in the zones that its groups use."""
    wanted: dict[str, dict[str, str]] = {}
    fallbacks: dict[str, str] = {}
    for one in locations:
        for group in one.groups:
            for zone in _zones(one, group):
                wanted.setdefault(group.machine_type, {}).setdefault(zone, one.location)
            for name in group.fallback_types:
                fallbacks.setdefault(name, one.location)
    if not wanted:
        return
    offered = _offers(cloud, {*wanted, *fallbacks})
    yield from (_not_there(cloud, name, where) for name, where in sorted(fallbacks.items()) if name not in offered)
    for machine_type, zones in sorted(wanted.items()):
        there = offered.get(machine_type, frozenset())
        missing = [zone for zone in sorted(zones) if zone not in there]
        if not missing:
            message = f"machine type {machine_type} is offered in {', '.join(sorted(zones))}"
            yield Check(rule="aws_machine_type", message=message, is_ok=True)
        elif not there:
            yield _not_there(cloud, machine_type, zones[missing[0]])
        else:
            yield Check(
                rule="aws_machine_type",
                message=f"machine type {machine_type} is not offered in {', '.join(missing)}",
                is_ok=False,
                hint=f"it is in {', '.join(sorted(there))}: name those under `zones`, or as the group's `zone`",
                where=zones[missing[0]],
            )


def _not_there(cloud: AwsCloud, machine_type: str, where: str) -> Check:
    return Check(
        rule="aws_machine_type",
        message=f"machine type {machine_type} is not offered in {cloud.region}",
        is_ok=False,
        hint="`aws ec2 describe-instance-type-offerings` lists what is",
        where=where,
    )


def image_checks(cloud: AwsCloud, locations: Iterable[LocationArgs]) -> Iterator[Check]:
    """One check a query for a machine image; a group that has its image already keeps it."""
    queries = {group.image.text: (group.image, one.location) for one in locations for group in one.groups}
    for text, (query, location) in sorted(queries.items()):
        found = _images(cloud, query)
        if found:
            yield Check(
                rule="aws_image", message=f"machine image {found[-1]} fits {text} in {cloud.region}", is_ok=True
            )
        else:
            yield Check(
                rule="aws_image",
                message=f"no machine image fits {text} in {cloud.region}",
                is_ok=False,
                hint="write another `image` for the group; `aws ec2 describe-images` lists what there is",
                where=location,
            )


def vcpus_of(cloud: AwsCloud, types: frozenset[str]) -> dict[str, int]:
    """The vCPUs of each machine type, as AWS says now; a type that it does not know is left out."""
    if not types:
        return {}
    filters = [{"Name": "instance-type", "Values": sorted(types)}]
    pages = cloud.pages("ec2", "describe_instance_types", Filters=filters)
    return {one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for page in pages for one in page["InstanceTypes"]}


def _offers(cloud: AwsCloud, types: Iterable[str]) -> Mapping[str, frozenset[str]]:
    filters = [{"Name": "instance-type", "Values": sorted(types)}]
    pages = cloud.pages("ec2", "describe_instance_type_offerings", LocationType="availability-zone", Filters=filters)
    found: dict[str, set[str]] = {}
    for page in pages:
        for one in page["InstanceTypeOfferings"]:
            found.setdefault(one["InstanceType"], set()).add(one["Location"])
    return {name: frozenset(zones) for name, zones in found.items()}


def _images(cloud: AwsCloud, query: ImageQuery) -> list[str]:
    """The images that fit, oldest first."""
    if query.image_id is not None:
        filters = [{"Name": "image-id", "Values": [query.image_id]}]
        arguments: dict[str, object] = {"Filters": filters}
    else:
        wanted = {"name": query.name, "architecture": query.architecture, "state": "available"}
        filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
        arguments = {"Filters": filters, "Owners": [query.owner]}
    found = cloud.call("ec2", "describe_images", **arguments)["Images"]
    return [one["ImageId"] for one in sorted(found, key=lambda one: str(one.get("CreationDate", "")))]


def _zones(location: LocationArgs, group: GroupArgs) -> list[str]:
    numbers = group.scaling.zones if group.scaling is not None else [host.zone for host in group.hosts]
    return [location.network.zones[number] for number in dict.fromkeys(numbers) if number < len(location.network.zones)]


def _is_plain(zone: Mapping[str, str]) -> bool:
    return zone.get("ZoneType", "availability-zone") == "availability-zone"
