"""The site model: every key that a site file may have. Its JSON Schema is printed by `leptonctl schema`.

This module holds shapes only. Rules that look at more than one field are in `rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from leptonctl.sitefile.base import Frozen, Name, Text
from leptonctl.sitefile.software import Port, RoleName, Software

PlatformName = Literal["local", "ssh", "aws"]


class Ssh(Frozen):
    """How hosts are reached. Set for a location, a node group or one host; the deeper one holds, key by key."""

    user: Text | None = None
    """Login name; it must be root or may become root with sudo without a password. Default: root."""
    port: Port | None = None
    """TCP port of the SSH server. Default: 22."""
    key: Text | None = None
    """Path of the private key file, relative to the site file. Default: what ssh itself would use."""
    jump: Text | None = None
    """A host to go through, as `[USER@]HOST[:PORT]`."""
    known_hosts: Text | None = None
    """File with the hosts' keys, relative to the site file. Default: `~/.ssh/known_hosts`."""


class Host(Frozen):
    """One existing machine (platform `ssh`)."""

    name: Text
    """Its name in the site; also the name it is reached by where there is no `address`."""
    address: Text | None = None
    """IP address or DNS name that it is reached by."""
    user: Text | None = None
    """Login name, over the location's and group's."""
    port: Port | None = None
    """TCP port of its SSH server, over the location's and group's."""
    host_key: Text | None = None
    """Its public host key as `ssh-ed25519 AAAA...`; over the known_hosts file."""


class Machine(Frozen):
    """What a machine of a group is: a size (local), a cloud type (aws), or what a host must at least have (ssh)."""

    cpus: Annotated[float, Field(gt=0, le=4096)] | None = None
    """CPUs; on `local` the share of this machine that a host may use."""
    memory_gib: Annotated[float, Field(gt=0, le=65536)] | None = None
    """Memory in GiB."""
    type: Text | None = None
    """The cloud's name of the machine type, such as `g6.xlarge` (aws)."""
    disk_gib: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Root disk in GiB (aws)."""


def _mapping_or_text(value: object) -> str:
    return "mapping" if isinstance(value, (dict, Host)) else "text"


# Told apart before they are checked, so that a wrong host is one problem and not one for each alternative.
HostEntry = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Host, Tag("mapping")],
    Discriminator(_mapping_or_text),
]


class Image(Frozen):
    """Which machine image a group starts from (aws). A group keeps the image that it has until this is changed."""

    id: Text | None = None
    """One image, such as `ami-0123456789abcdef0`. Without it, the newest that fits `owner` and `name` is taken."""
    owner: Text = "136693071363"
    """Account that publishes the image, as its number or `amazon`. Default: Debian."""
    name: Text = "debian-13-a??64-*"
    """Name of the image; `*` is any text, `?` any character. The architecture follows from the machine type."""


class AwsGroup(Frozen):
    """What only AWS has for a node group."""

    public: bool = False
    """Whether the machines get a public address. The first such host is the way to the location's other hosts."""
    zone: Text | None = None
    """Availability zone for all machines of the group. Default: they are spread over the location's zones."""
    image: Image = Image()
    """Machine image."""
    placement: Literal["cluster", "spread"] | None = None
    """`cluster` puts machines close together in one zone, `spread` on separate hardware."""
    network_cards: Annotated[int, Field(ge=0, le=32)] = 0
    """EFA devices of each machine, one a network card; 0 for an ordinary network. They are in one zone."""
    capacity: Literal["on-demand", "spot"] = "on-demand"
    """What is bought. Spot machines may be stopped by AWS at any time."""
    reservation: Text | None = None
    """Capacity reservation, such as `cr-0123456789abcdef0`, that the machines are taken from."""


class NodeGroup(Frozen):
    """Equal machines of a location."""

    count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """How many machines to create (local, aws)."""
    hosts: Annotated[tuple[HostEntry, ...], Field(strict=False)] | None = None
    """The machines that exist (ssh): names, ranges like `box-[001:400].example.com`, or mappings."""
    machine: Machine = Machine()
    """Size or type of each machine."""
    roles: Annotated[tuple[RoleName, ...], Field(strict=False)] = ("base",)
    """What each machine is for."""
    software: Software = Software()
    """Settings for this group, over the location's and the site's."""
    ssh: Ssh = Ssh()
    """How this group's hosts are reached, over the location's."""
    aws: AwsGroup = AwsGroup()
    """What only AWS has: image, placement, capacity (aws)."""


class Network(Frozen):
    """The location's own network."""

    cidr: Text | None = None
    """IPv4 range such as `10.80.1.0/24`. Default on `local`: a free one is picked when the network is made.

    On `aws` it must be written.
    """


class Store(Frozen):
    """A volume that every host of the named groups gets. It holds data: it is kept until the operator names it."""

    size_gib: Annotated[int, Field(ge=1, le=1_000_000)]
    """Size in GiB. The local platform cannot enforce it and says so."""
    mount_path: Text | None = None
    """Where it is mounted on the host (local): an absolute path, not one of the system's.

    On `aws` a volume is attached and not mounted: the host has it as
    `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_VOLUME`.
    """
    nodes: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
    """Groups whose hosts get one volume each."""


class Bucket(Frozen):
    """A bucket of objects (S3): private, encrypted, versioned. It holds data: kept until the operator names it."""

    nodes: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Groups whose hosts may read and write it."""
    old_versions_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days for which overwritten and deleted objects are kept."""


class FileSystem(Frozen):
    """A shared file system, encrypted. It holds data: it is kept until the operator names it."""

    kind: Literal["efs", "lustre"]
    """`efs` grows by itself; `lustre` (FSx) has a size and is in one zone."""
    size_gib: int | None = None
    """Size in GiB (lustre): 1200, 2400, or a multiple of 2400."""
    throughput_mbps_per_tib: Literal[125, 250, 500, 1000] = 125
    """MB/s for each TiB (lustre)."""


Endpoint = Literal["ec2", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "secretsmanager", "ssm", "sts"]


class Aws(Frozen):
    """Where on AWS the location is, and what only AWS has."""

    region: Text
    """AWS region such as `eu-central-1`."""
    zones: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Availability zones, at most three; empty takes the region's first two. More may be added later, at the end."""
    internet: Literal["nat", "nat-per-zone", "none"] = "nat"
    """How private hosts reach the internet: one gateway, one a zone, or not at all (endpoints only)."""
    endpoints: Annotated[tuple[Endpoint, ...], Field(strict=False)] = ()
    """AWS services that are reached inside the network, each at a price. S3 always is, for nothing."""
    ssh_from: Annotated[tuple[Text, ...], Field(strict=False, max_length=40)] = ()
    """Networks outside the site that may reach the hosts by SSH, such as `203.0.113.0/24`. Default: none."""
    flow_log_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 731, 1827, 3653] = 30
    """Days for which the record of network flows is kept; AWS has these steps."""
    buckets: dict[Name, Bucket] = Field(default_factory=dict)
    """Buckets by name."""
    file_systems: dict[Name, FileSystem] = Field(default_factory=dict)
    """Shared file systems by name."""


class Location(Frozen):
    """The core, one region or one edge: the unit of planning, locking and failure."""

    platform: PlatformName
    """Where the machines come from."""
    network: Network = Network()
    """The location's network."""
    nodes: dict[Name, NodeGroup] = Field(default_factory=dict)
    """Node groups by name."""
    storage: dict[Name, Store] = Field(default_factory=dict)
    """Volumes by name."""
    software: Software = Software()
    """Settings for this location, over the site's."""
    ssh: Ssh = Ssh()
    """How hosts are reached (ssh)."""
    aws: Aws | None = None
    """Where the location is (aws)."""


class Region(Location):
    """A serving location."""


class Edge(Location):
    """A location close to the data."""

    parent: Name
    """The region that this edge belongs to."""


class Site(Frozen):
    """All that one file describes."""

    site: Name
    """The site's name; it marks everything that is created."""
    owner: Text
    """Who answers for the site: a person or team, as a mail address or name."""
    software: Software = Software()
    """Settings that hold everywhere unless set deeper."""
    core: Location
    """Training, storage, control."""
    regions: dict[Name, Region] = Field(default_factory=dict)
    """Serving locations by name."""
    edges: dict[Name, Edge] = Field(default_factory=dict)
    """Boxes close to the data, by name."""

    def location(self, address: str) -> Location:
        """The location with this address; KeyError where there is none."""
        tier, _, name = address.partition("/")
        if address == "core":
            return self.core
        return self.edges[name] if tier == "edges" else self.regions[name]

    def locations(self) -> dict[str, Location]:
        """Every location by its address (`core`, `regions/west`, `edges/shop`), in tier order, then file order."""
        found: dict[str, Location] = {"core": self.core}
        found.update({f"regions/{name}": region for name, region in self.regions.items()})
        found.update({f"edges/{name}": edge for name, edge in self.edges.items()})
        return found
