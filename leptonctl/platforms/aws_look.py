"""What was found on AWS in the words of the site: resources, and how each host is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from leptonctl.planning import aws_tags
from leptonctl.planning.comparison import Thing
from leptonctl.planning.observed import Disagreement, Endpoint, ObservedLocation, ObservedResource
from leptonctl.platforms.aws_listing import SCALING_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from leptonctl.planning.desired import ResourceKind
    from leptonctl.platforms.aws_listing import Found

LOGIN = "root"
_PRICED = {
    "machine": "InstanceType", "capacity": "InstanceLifecycle", "volume_type": "VolumeType", "size_gib": "Size",
    "storage_gib": "StorageCapacity", "service": "VpcEndpointType", "used": "SizeInBytes",
}  # fmt: skip
_STORES = {"bucket": "bucket", "elasticfilesystem-file-system": "efs", "fsx-file-system": "lustre"}


@dataclass(frozen=True, slots=True)
class Jump:
    """A way through a machine with a public address, and the host keys that were planted there."""

    through: str
    host_keys: tuple[str, ...]


def observed_location(
    location: str,
    found: Sequence[Found],
    *,
    key: Path,
    disagreements: tuple[Disagreement, ...] = (),
    jump: Jump | None = None,
    section: str = "",
) -> ObservedLocation | None:
    """A location from what carries its mark; None where nothing does.

    `key` is the site's private SSH key. `disagreements` are what is known besides the things themselves. `jump` is the
    way to the hosts where none of them has a public address. `section` is the part of the site file that was applied
    last.
    """
    network = {"section": section} if section else {}
    roots = {one.address: one.details.get("Size") for one in found if _is_root_disk(one)}
    resources = tuple(resource for one in found if (resource := _resource(one, network, roots)) is not None)
    if not resources:
        return None
    hosts = {one.address: one for one in found if one.type == "instance" and one.status == "running"}
    jump = jump_through(tuple(hosts.values())) or jump
    endpoints = {address: endpoint for address, one in hosts.items() if (endpoint := _endpoint(one, key, jump))}
    return ObservedLocation(location, resources, endpoints, disagreements)


def jump_through(machines: Sequence[Found]) -> Jump | None:
    """The way through the first machine, by address in the site, that has a public address; None where none has."""
    # One that the site file names stays; those of scaling groups come and go.
    in_order = sorted(machines, key=lambda one: (one.scaling is not None, one.address))
    public = [one for one in in_order if one.details.get("PublicIpAddress")]
    return Jump(f"{LOGIN}@{public[0].details['PublicIpAddress']}", _host_keys(public[0])) if public else None


def things_of(found: Sequence[Found]) -> tuple[Thing, ...]:
    """The things of the site by themselves; machines of a scaling group are the group's own."""
    resources = [_resource(one, {}, {}) for one in found if one.type != "instance" or aws_tags.HOST in one.tags]
    return tuple(Thing(one.kind, one.address, one.id) for one in resources if one is not None)


def leftover(one: Found, *, stands_under: str = "") -> ObservedResource:
    """Anything with the mark, whatever it is. `properties` are what its price follows from."""
    kind = one.tags.get(aws_tags.ROLE, "network")
    details = {name: one.details[word] for name, word in _PRICED.items() if word in one.details}
    return ObservedResource(
        kind=cast("ResourceKind", kind),
        address=one.address if is_data(one) or one.type == "instance" else f"{one.address} {one.type}",
        location=one.location,
        id=one.id,
        status=one.status or "there",
        properties={"type": one.type, "region": one.region, **details},
        is_data=is_data(one),
        platform="aws",
        stands_under=stands_under,
    )


def is_data(one: Found) -> bool:
    """Whether it holds data that the operator has to name: volumes of stores, buckets, file systems."""
    is_volume = one.type == "volume" and one.tags.get(aws_tags.ROLE) == "volume"
    return is_volume or one.type in _STORES


def host_key_of(one: Found) -> str:
    """The public host key that was planted when the machine was made; "" where its tag is missing."""
    return one.tags.get(aws_tags.HOST_KEY, "")


def cluster_properties(one: Found) -> dict[str, object]:
    """What a cluster is as its plan is compared with it: version, who reaches its API, its groups."""
    ways = one.details.get("resourcesVpcConfig") or {}
    # Where the public end is closed, AWS still says what it would be open to.
    is_open = ways.get("endpointPublicAccess", False)
    return {
        "version": one.details.get("version"),
        "api_from": tuple(sorted(ways.get("publicAccessCidrs") or ())) if is_open else (),
        "nodes": {
            name: {
                "type": next(iter(group.get("instanceTypes") or ()), None),
                "desired": (group.get("scalingConfig") or {}).get("desiredSize"),
                "min": (group.get("scalingConfig") or {}).get("minSize"),
                "max": (group.get("scalingConfig") or {}).get("maxSize"),
            }
            for name, group in one.details.get("nodes", {}).items()
        },
    }


def _is_root_disk(one: Found) -> bool:
    return one.type == "volume" and one.tags.get(aws_tags.ROLE) == "host"


def _resource(one: Found, network: Mapping[str, object], roots: Mapping[str, object]) -> ObservedResource | None:
    kind: Literal["network", "group", "host", "volume", "store", "cluster"]
    properties: dict[str, object]
    if one.type == "vpc":
        kind, properties = "network", {"cidr": one.details.get("CidrBlock"), "region": one.region, **network}
        properties["owner"] = one.tags.get(aws_tags.OWNER)
    elif one.type == "instance":
        kind, properties = "host", {"type": one.details.get("InstanceType"), "region": one.region}
        properties["root_gib"] = roots.get(one.address)
        properties |= {"scaling": one.scaling} if one.scaling is not None else {}
    elif one.type == SCALING_GROUP:
        kind, properties = "group", _sizes(one) | {"region": one.region}
    elif one.type == "volume" and is_data(one):
        kind, properties = "volume", {"size_gib": one.details.get("Size"), "region": one.region}
    elif one.type == "eks-cluster" and one.status != "deleting":
        kind, properties = "cluster", cluster_properties(one)
    elif one.type in _STORES:
        kind, properties = "store", {"kind": _STORES[one.type], "region": one.region}
    else:
        return None
    return ObservedResource(
        kind=kind,
        address=one.address,
        location=one.location,
        id=one.id,
        status=one.status or "available",
        properties=properties,
        is_data=is_data(one),
        platform="aws",
    )


def _sizes(one: Found) -> dict[str, object]:
    """How large a scaling group is and may be; only machines in service count."""
    states = [machine.get("LifecycleState") for machine in one.details.get("Instances", ())]
    words = {"min": "MinSize", "max": "MaxSize", "desired": "DesiredCapacity"}
    return {name: one.details.get(word) for name, word in words.items()} | {"host_count": states.count("InService")}


def _endpoint(one: Found, key: Path, jump: Jump | None) -> Endpoint | None:
    public, private = one.details.get("PublicIpAddress"), one.details.get("PrivateIpAddress")
    address = public or private
    if not address:
        return None
    way = None if public else jump
    return Endpoint(
        hostname=str(address),
        user=LOGIN,
        key=key,
        jump=way.through if way else None,
        host_keys=_host_keys(one),
        jump_host_keys=way.host_keys if way else (),
        # Inside the site's networks: what the public address leads to is closed to the other hosts.
        site_hostname=private,
        started_at=one.details.get("LaunchTime"),
    )


def _host_keys(one: Found) -> tuple[str, ...]:
    host_key = host_key_of(one)
    return (host_key,) if host_key else ()
