"""The site model of AWS: the `aws` section of a location and of a node group, buckets and file systems."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from leptonctl.sitefile.base import Frozen, LogDays, Name, Text
from leptonctl.sitefile.effects import AWS, OnEdit, When, forbidden, in_place, replace
from leptonctl.sitefile.kubernetes import Kubernetes

Endpoint = Literal["ec2", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "secretsmanager", "ssm", "sts"]

_STORES = in_place("an added one is made; one that is removed from the file is kept until you name it", on=AWS)


class Image(Frozen):
    """Which machine image a group starts from (aws). A group keeps the image that it has until this is changed."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (replace("the hosts start from the other image; volumes are kept", on=AWS),)

    id: Text | None = None
    """One image, such as `ami-0123456789abcdef0`. Without it, the newest that fits `owner` and `name` is taken."""
    owner: Text = "136693071363"
    """Account that publishes the image, as its number or `amazon`. Default: Debian."""
    name: Text = "debian-13-a??64-*"
    """Name of the image; `*` is any text, `?` any character. The architecture follows from the machine type."""


ANOTHER_GROUP = "add a group beside it with the new value, then remove this one"


class AwsGroup(Frozen):
    """What only AWS has for a node group."""

    public: Annotated[
        bool,
        forbidden("a machine stays in its subnet for life", instead=ANOTHER_GROUP, on=AWS),
    ] = False
    """Whether the machines get a public address. The first such host is the way to the location's other hosts."""
    zone: Annotated[Text | None, forbidden("a machine stays in its zone for life", instead=ANOTHER_GROUP, on=AWS)] = (
        None
    )
    """Availability zone for all machines of the group. Default: they are spread over the location's zones."""
    image: Image = Image()
    """Machine image."""
    placement: Annotated[
        Literal["cluster", "spread"] | None,
        forbidden("a machine keeps the placement it started with", instead=ANOTHER_GROUP, on=AWS),
    ] = None
    """`cluster` puts machines close together in one zone, `spread` on separate hardware."""
    network_cards: Annotated[
        int,
        Field(ge=0, le=32),
        forbidden("a machine keeps the network cards it started with", instead=ANOTHER_GROUP, on=AWS),
    ] = 0
    """EFA devices of each machine, one a network card; 0 for an ordinary network. They are in one zone."""
    capacity: Annotated[
        Literal["on-demand", "spot", "block"],
        forbidden("a machine stays as it was bought", instead=ANOTHER_GROUP, on=AWS),
    ] = "on-demand"
    """What is bought. Spot machines may be stopped by AWS at any time; `block` is a capacity block of `reservation`."""
    reservation: Annotated[Text | None, in_place("it holds for machines that are made from now on", on=AWS)] = None
    """Capacity reservation or block, such as `cr-0123456789abcdef0`, that the machines are taken from."""
    fallback_types: Annotated[
        tuple[Text, ...],
        Field(strict=False, max_length=20),
        in_place("it holds for machines that are made from now on", on=AWS),
    ] = ()
    """Machine types to take instead, in this order, where AWS has no capacity for `type` in any of the zones."""


class Scaling(Frozen):
    """Machines that come and go: an Auto Scaling group (aws). Its hosts are found at each run."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (in_place("AWS starts hosts, or stops some", on=AWS),)

    min: Annotated[int, Field(ge=0, le=10_000)]
    """Machines that are always there."""
    max: Annotated[int, Field(ge=1, le=10_000)]
    """Machines that there are at most."""
    desired: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Machines that every `up` asks for. Default: `min` at first; from then on AWS and its policies decide."""


class Bucket(Frozen):
    """A bucket of objects (S3): private, encrypted, versioned. It holds data: kept until the operator names it."""

    nodes: Annotated[tuple[Name, ...], Field(strict=False), in_place("what the hosts may do changes", on=AWS)] = ()
    """Groups whose hosts may read and write it."""
    old_versions_days: Annotated[
        int, Field(ge=1, le=3650), in_place("with fewer days, older versions are deleted", on=AWS)
    ] = 30
    """Days for which overwritten and deleted objects are kept."""


class FileSystem(Frozen):
    """A shared file system, encrypted. It holds data: it is kept until the operator names it."""

    kind: Annotated[
        Literal["efs", "lustre"],
        forbidden("the data does not move by itself", instead="add a file system beside it and copy the data", on=AWS),
    ]
    """`efs` grows by itself; `lustre` (FSx) has a size and is in one zone."""
    size_gib: Annotated[
        int | None,
        in_place("it grows while it is used", on=AWS, when=When.LARGER),
        forbidden("it cannot shrink", instead="add a smaller one beside it and copy the data", on=AWS),
    ] = None
    """Size in GiB (lustre): 1200, 2400, or a multiple of 2400."""
    throughput_mbps_per_tib: Annotated[
        Literal[125, 250, 500, 1000], in_place("it is slower while it changes, for minutes to hours", on=AWS)
    ] = 125
    """MB/s for each TiB (lustre)."""


class Aws(Frozen):
    """Where on AWS the location is, and what only AWS has."""

    region: Annotated[
        Text,
        forbidden(
            "nothing moves from one region to another",
            instead="describe a new location in the other region, move the data, and remove this one",
            on=AWS,
        ),
    ]
    """AWS region such as `eu-central-1`."""
    zones: Annotated[
        tuple[Text, ...],
        Field(strict=False),
        in_place("new hosts are spread over the new zone too", on=AWS, when=When.AT_END),
        forbidden(
            "networks, hosts and volumes stay in their zone for life",
            instead="add zones behind those that are there, or describe a new location",
            on=AWS,
        ),
    ] = ()
    """Availability zones, at most three; empty takes the region's first two. More may be added later, at the end."""
    internet: Annotated[
        Literal["nat", "nat-per-zone", "none"],
        in_place("connections to the internet break while gateways come and go", on=AWS),
    ] = "nat"
    """How private hosts reach the internet: one gateway, one a zone, or not at all (endpoints only)."""
    endpoints: Annotated[tuple[Endpoint, ...], Field(strict=False), in_place(on=AWS)] = ()
    """AWS services that are reached inside the network, each at a price. S3 always is, for nothing."""
    ssh_from: Annotated[tuple[Text, ...], Field(strict=False, max_length=40), in_place(on=AWS)] = ()
    """Networks outside the site that may reach the hosts by SSH, such as `203.0.113.0/24`. Default: none."""
    flow_log_days: Annotated[LogDays, in_place("with fewer days, older records are deleted", on=AWS)] = 30
    """Days for which the record of network flows is kept; AWS has these steps."""
    buckets: Annotated[dict[Name, Bucket], _STORES] = Field(default_factory=dict)
    """Buckets by name."""
    file_systems: Annotated[dict[Name, FileSystem], _STORES] = Field(default_factory=dict)
    """Shared file systems by name."""
    kubernetes: Kubernetes | None = None
    """A managed Kubernetes cluster (EKS) in the location's network."""
