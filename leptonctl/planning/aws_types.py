"""What the Pulumi programs of AWS are given and what they give back: typed, frozen, with no Pulumi in it.

`planning.aws` computes `LocationArgs` from the site; the platform adds what only it knows (keys, peers, pinned images);
`stacks/aws` makes it so and exports the fields of `LocationOutputs`, one export a field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leptonctl.planning.aws_cluster_types import ClusterArgs, ClusterOutputs  # noqa: TC001 - read at run time by typed_json

Tier = Literal["core", "region", "edge"]
Architecture = Literal["x86_64", "arm64"]
Internet = Literal["nat", "nat-per-zone", "none"]
VolumeType = Literal["gp3", "io2"]
FileSystemKind = Literal["efs", "lustre"]
Capacity = Literal["on-demand", "spot", "block"]
ResourceRole = Literal["network", "group", "host", "volume", "store", "peering", "access", "cluster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuery:
    """Which machine image: the newest of this owner (account id) whose name fits, or the one with `image_id`."""

    owner: str
    name: str
    architecture: Architecture
    image_id: str | None = None

    @property
    def text(self) -> str:
        """The query on one line; images are pinned as long as this stays the same."""
        return self.image_id or f"{self.owner}/{self.name}/{self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostArgs:
    """One machine. `zone` counts from 0 in the location's zones. `host_key` is its public key, planted at creation.

    The platform fills `host_key`; None is only for plans. Zone and type are those that the site file wants, or others
    that were taken where AWS had no capacity (`planning.capacity`).
    """

    name: str
    address: str
    zone: int
    machine_type: str
    host_key: str | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports, both ends among them."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressArgs:
    """Who may reach a group's hosts: `ports` from `cidr`; None is every port, of every protocol."""

    name: str
    cidr: str
    ports: Ports | None = None
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingArgs:
    """Machines that come and go, in the zones of these numbers. `desired` is None where AWS and its policies decide.

    All of them have one host key, planted by the launch template: `host_key` is its public half. The platform fills it;
    None is only for plans.
    """

    address: str
    min: int
    max: int
    desired: int | None
    zones: tuple[int, ...]
    host_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupArgs:
    """Equal machines: `hosts`, or as `scaling` says.

    `pinned_image_id` is the image that the group runs already, `pinned_root_device` that image's root device; both are
    filled by `completed`. `network_cards` above 0 gives each machine so many EFA devices (one a network card).
    `capacity` is what is bought, `reservation` the id of a capacity reservation or block. `fallback_types` may be taken
    instead of `machine_type`, in order. `placement` is a strategy, None for none. `zones` are those that its machines
    may be in.
    """

    name: str
    machine_type: str
    root_gib: int
    image: ImageQuery
    hosts: tuple[HostArgs, ...]
    zones: tuple[int, ...]
    ingress: tuple[IngressArgs, ...]
    is_public: bool = False
    pinned_image_id: str | None = None
    placement: Literal["cluster", "spread"] | None = None
    pinned_root_device: str | None = None
    network_cards: int = 0
    capacity: Capacity = "on-demand"
    reservation: str | None = None
    fallback_types: tuple[str, ...] = ()
    scaling: ScalingArgs | None = None

    @property
    def machine_types(self) -> tuple[str, ...]:
        """Every machine type that the group may have, the wanted one first."""
        return (self.machine_type, *self.fallback_types)

    @property
    def wanted(self) -> str:
        """The types on one line; what was chosen among them holds as long as this stays the same."""
        return ",".join(self.machine_types)

    @property
    def is_in_one_zone(self) -> bool:
        """Whether its machines must share a zone: neither a cluster placement nor EFA reaches over zones."""
        return self.placement == "cluster" or bool(self.network_cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeArgs:
    """A volume of one host (EBS). `address` is `LOCATION/STORE/HOST`, `host` the host's name. It holds data."""

    address: str
    store: str
    host: str
    size_gib: int
    type: VolumeType = "gp3"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketArgs:
    """A bucket of objects (S3) that hosts of `groups` may use. `address` is `LOCATION/NAME`. It holds data."""

    address: str
    name: str
    groups: tuple[str, ...]
    kept_versions_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemArgs:
    """A shared file system (EFS, FSx for Lustre) in the location's network; it holds data.

    `size_gib` and `mbps_per_tib` are for `lustre` only. `address` is `LOCATION/NAME`.
    """

    address: str
    name: str
    kind: FileSystemKind
    size_gib: int | None = None
    mbps_per_tib: int = 125


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerArgs:
    """A location above this one that it is peered with.

    The ids are that location's outputs, filled by the platform. Before its stack exists they are empty, and everything
    that needs them is unknown in a preview.
    """

    address: str
    region: str
    cidr: str
    route_table_count: int
    vpc_id: str = ""
    route_table_ids: tuple[str, ...] = ()
    zone_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkArgs:
    """The location's VPC. `zones` are names, or empty for the first `zone_count` that the region has."""

    cidr: str
    zone_count: int
    zones: tuple[str, ...] = ()
    internet: Internet = "nat"
    endpoints: tuple[str, ...] = ()
    flow_log_days: int = 30
    has_public_subnets: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationArgs:
    """One location on AWS: all that its stack makes.

    From the site alone: everything but the fields under "filled by the platform". `peers` are the locations above this
    one that it is peered with.
    """

    site: str
    owner: str
    location: str
    tier: Tier
    region: str
    network: NetworkArgs
    groups: tuple[GroupArgs, ...]
    volumes: tuple[VolumeArgs, ...] = ()
    buckets: tuple[BucketArgs, ...] = ()
    file_systems: tuple[FileSystemArgs, ...] = ()
    cluster: ClusterArgs | None = None
    peers: tuple[PeerArgs, ...] = ()
    # The location's part of the site file, exported so that a later plan can say what an edit does.
    section: str = ""
    # Filled by the platform (and the ids in peers, keys in hosts, pinned images in groups).
    public_keys: tuple[str, ...] = ()
    # Stores whose data the operator has named: those alone are not protected from deletion.
    deletable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeys:
    """The public halves of keys: who may log in, and the host keys of hosts and of scaling groups by their names."""

    operators: tuple[str, ...] = ()
    hosts: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocationSecrets:
    """What a stack needs and no file may hold: private host keys (OpenSSH text). Never shown.

    `host_keys` are by host name, `group_keys`, of scaling groups, by group name.
    """

    host_keys: dict[str, str] = field(default_factory=dict, repr=False)
    group_keys: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOutputs:
    """A machine that is there. `host_key` is the public key that was planted when it was made.

    `zone` and `machine_type` are what was chosen for it, `wanted` the types that could be chosen from.
    """

    address: str
    group: str
    instance_id: str
    private_ip: str
    host_key: str
    zone: int
    machine_type: str
    wanted: str
    public_ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutputs:
    """The image that a group runs, and the query that found it; `root_device` only where a launch template needs it."""

    query: str
    image_id: str
    root_device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOutputs:
    """A scaling group that is there: AWS's name of it, and the public host key that all its machines have."""

    address: str
    name: str
    host_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutputs:
    """A volume, bucket or file system. `endpoint` is the bucket's name or the file system's DNS name."""

    address: str
    kind: Literal["volume", "bucket", "efs", "lustre"]
    id: str
    endpoint: str = ""
    mount_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationOutputs:
    """What a stack exports: one export a field, of the same name.

    `hosts`, `groups` (those that are scaled) and `stores` are by address, `images` by group.
    `jump` is the address of the host that the location's other hosts are reached through, where there is a public one.
    `section` is the part of the site file that it was made from.
    """

    location: str
    region: str
    vpc_id: str
    cidr: str
    public_subnet_ids: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    route_table_ids: tuple[str, ...]
    zone_id: str
    zone_name: str
    images: dict[str, ImageOutputs]
    hosts: dict[str, HostOutputs]
    stores: dict[str, StoreOutputs]
    groups: dict[str, GroupOutputs] = field(default_factory=dict)
    jump: str | None = None
    section: str = ""
    cluster: ClusterOutputs | None = None


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """A resource that the stack registers: its Pulumi type and name, and what it stands for in the operator's words.

    `address` is the site's address of the thing it belongs to (`core`, `core/train-1`, `core/data/train-1`).
    """

    type: str
    name: str
    role: ResourceRole
    address: str
    is_data: bool = False
