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


class Network(Frozen):
    """The location's own network."""

    cidr: Text | None = None
    """IPv4 range such as `10.80.1.0/24`. Default on `local`: a free one is picked when the network is made."""


class Store(Frozen):
    """A volume that every host of the named groups gets. It holds data: it is kept until the operator names it."""

    size_gib: Annotated[int, Field(ge=1, le=1_000_000)]
    """Size in GiB. The local platform cannot enforce it and says so."""
    mount_path: Text
    """Where it is mounted on the host: an absolute path, not one of the system's."""
    nodes: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
    """Groups whose hosts get one volume each."""


class Aws(Frozen):
    """Where on AWS the location is."""

    region: Text
    """AWS region such as `eu-central-1`."""
    zones: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Availability zones; empty lets the plan take the first ones."""


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
