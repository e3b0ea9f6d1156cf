"""The site model: every key that a site file may have. Its JSON Schema is printed by `leptonctl schema`.

This module holds shapes only. Rules that look at more than one field are in `rules`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Discriminator, Field, Tag

from leptonctl.sitefile.accelerators import Accelerators
from leptonctl.sitefile.aws_model import ANOTHER_GROUP, Aws, AwsGroup, Scaling
from leptonctl.sitefile.base import Frozen, Name, Text
from leptonctl.sitefile.effects import AWS, LOCAL, SSH, OnEdit, When, forbidden, in_place, no_effect, replace
from leptonctl.sitefile.rollout import Rollout
from leptonctl.sitefile.software import RoleName, Software
from leptonctl.sitefile.software.fields import Port
from leptonctl.sitefile.state import State
from leptonctl.sitefile.stores import Store
from leptonctl.sitefile.stores.volume import Volume

PlatformName = Literal["local", "ssh", "aws"]
AnyStore = TypeVar("AnyStore", bound=Frozen)


class Ssh(Frozen):
    """How hosts are reached. Set for a location, a node group or one host; the deeper one holds, key by key."""

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next connection uses it"),)

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

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next connection uses it"),)

    name: Annotated[Text, no_effect("another name is another host: it is configured, the old one is left as it is")]
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

    cpus: Annotated[float | None, Field(gt=0, le=4096), in_place(on=LOCAL), no_effect("it is checked", on=SSH)] = None
    """CPUs; on `local` the share of this machine that a host may use."""
    memory_gib: Annotated[
        float | None, Field(gt=0, le=65536), in_place(on=LOCAL), no_effect("it is checked", on=SSH)
    ] = None
    """Memory in GiB."""
    type: Annotated[
        Text | None,
        in_place("the host is stopped and started", on=AWS, when=When.SAME_ARCHITECTURE),
        replace("another processor architecture needs another image", on=AWS),
    ] = None
    """The cloud's name of the machine type, such as `g6.xlarge` (aws)."""
    disk_gib: Annotated[
        int | None,
        Field(ge=1, le=65536),
        in_place("the disk grows, its file system at the next start", on=AWS, when=When.LARGER),
        forbidden("a disk cannot shrink", instead=ANOTHER_GROUP, on=AWS),
    ] = None
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

    count: Annotated[
        int | None,
        Field(ge=1, le=100_000),
        in_place("hosts are added after the last one, or taken away from there; volumes are kept"),
    ] = None
    """How many machines to create (local, aws)."""
    scaling: Scaling | None = None
    """Machines that come and go within limits, instead of `count` (aws)."""
    hosts: Annotated[
        tuple[HostEntry, ...] | None,
        Field(strict=False),
        in_place("a new host is configured, one that is removed is left as it is", on=SSH),
    ] = None
    """The machines that exist (ssh): names, ranges like `box-[001:400].example.com`, or mappings."""
    machine: Machine = Machine()
    """Size or type of each machine."""
    accelerators: Accelerators | None = None
    """GPUs that each machine is to have."""
    roles: Annotated[
        tuple[RoleName, ...],
        Field(strict=False),
        in_place("a new role runs on the hosts; one that is removed is taken off them, and its data is kept"),
    ] = ("base",)
    """What each machine is for."""
    software: Software = Software()
    """Settings for this group, over the location's and the site's."""
    ssh: Ssh = Ssh()
    """How this group's hosts are reached, over the location's."""
    aws: AwsGroup = AwsGroup()
    """What only AWS has: image, placement, capacity (aws)."""


class Network(Frozen):
    """The location's own network."""

    cidr: Annotated[
        Text | None,
        forbidden(
            "a network keeps its range while it has hosts",
            instead="`leptonctl down --only LOCATION` (it keeps the data), then `leptonctl up`",
            on=(*LOCAL, *AWS),
        ),
    ] = None
    """IPv4 range such as `10.80.1.0/24`. Default on `local`: a free one is picked when the network is made.

    On `aws` it must be written.
    """


_STORES = in_place("an added one is made; one that is removed from the file is kept until you name it")


class Location(Frozen):
    """The core, one region or one edge: the unit of planning, locking and failure."""

    platform: Annotated[
        PlatformName,
        forbidden(
            "machines do not move from one platform to another",
            instead="`leptonctl down --only LOCATION` with the old file, then `leptonctl up` with the new one",
        ),
    ]
    """Where the machines come from."""
    network: Network = Network()
    """The location's network."""
    nodes: Annotated[
        dict[Name, NodeGroup],
        in_place("an added group is made; the hosts of a removed one are taken away, their volumes kept"),
    ] = Field(default_factory=dict)
    """Node groups by name."""
    storage: Annotated[dict[Name, Store], _STORES] = Field(default_factory=dict)
    """Stores by name: volumes, and what a storage role of the location's hosts serves."""
    software: Software = Software()
    """Settings for this location, over the site's."""
    rollout: Rollout = Rollout()
    """How a change reaches its hosts, over the site's."""
    ssh: Ssh = Ssh()
    """How hosts are reached (ssh)."""
    aws: Aws | None = None
    """Where the location is (aws)."""

    def stores(self, kind: type[AnyStore]) -> dict[str, AnyStore]:
        """Its stores of one kind, by name."""
        return {name: store for name, store in self.storage.items() if isinstance(store, kind)}

    @property
    def volumes(self) -> dict[str, Volume]:
        """Its volumes by name: what its platform makes."""
        return self.stores(Volume)


class Region(Location):
    """A serving location."""


class Edge(Location):
    """A location close to the data."""

    parent: Annotated[Name, in_place("the edge's network leaves the one region's and joins the other's")]
    """The region that this edge belongs to."""


_LOCATIONS = in_place("an added one is made; one that is removed is taken down, its data is kept")


class Site(Frozen):
    """All that one file describes."""

    site: Annotated[
        Name, no_effect("another name is another site beside this one: take this one down first, with the old file")
    ]
    """The site's name; it marks everything that is created."""
    owner: Annotated[
        Text, in_place("the marks of everything that is there are changed", on=AWS), no_effect(on=(*LOCAL, *SSH))
    ]
    """Who answers for the site: a person or team, as a mail address or name."""
    state: State = State()
    """Where the states of the stacks are kept (aws)."""
    software: Software = Software()
    """Settings that hold everywhere unless set deeper."""
    rollout: Rollout = Rollout()
    """How a change reaches hosts, everywhere unless set deeper."""
    core: Location
    """Training, storage, control."""
    regions: Annotated[dict[Name, Region], _LOCATIONS] = Field(default_factory=dict)
    """Serving locations by name."""
    edges: Annotated[dict[Name, Edge], _LOCATIONS] = Field(default_factory=dict)
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
