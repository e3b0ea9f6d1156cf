"""Settings of the roles at the two ends of a bad uplink: the box at the edge, and the gateway of its region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Port, Settings

if TYPE_CHECKING:
    from ipaddress import IPv4Network


class EdgeBox(Settings):
    """What lets a box live with a bad uplink: a tunnel to its region, buffers, a watchdog, and state that it pulls."""

    scrape_interval_s: Annotated[int, Field(ge=1, le=3600)] = 15
    """Seconds between two scrapes of the box by itself."""
    buffer_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """Hours for which metrics are kept while nobody takes them. The servers take samples that are as old as that."""
    watchdog_s: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds without a sign of life of systemd after which the machine's watchdog starts it again; 0: never."""
    read_only_root: Annotated[bool, rolling("it is in force, or no longer, from the next start of the box on")] = False
    """Whether what is written to the root goes to memory and is gone at the next start (overlayroot)."""
    signer: Text | None = None
    """Public key (`ssh-ed25519 AAAA...`) of whoever may publish the box's state. Without it nothing is pulled."""
    pull_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """Minutes between two looks for newer state."""


class EdgeGateway(Settings):
    """A region's end of the tunnels of its edges: what they fetch, send and are told goes through it."""

    tunnel_port: Port = 51820
    """UDP port of the tunnels."""
    tunnel_cidr: Text = "10.213.0.0/16"
    """Range of the addresses in the tunnels."""
    boxes_from: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """IPv4 ranges that boxes come from, such as `203.0.113.0/24`. None: from anywhere, but on AWS only from networks of
    edges on AWS; write `0.0.0.0/0` for a region there whose boxes are who knows where."""
    package_cache_port: Port = 3142
    """Where boxes fetch Debian packages (apt-cacher-ng)."""
    image_cache_port: Port = 5000
    """Where boxes fetch container images (docker-registry)."""
    image_upstream: Text | None = None
    """The registry that images are fetched from and kept, such as `https://registry-1.docker.io`; boxes ask here first.
    It has to answer when the cache starts. None: images are pushed to it."""
    log_port: Port = 19532
    """Where boxes send their journals."""
    state_port: Port = 8470
    """Where published state of boxes is served."""


def room_for_boxes(network: IPv4Network) -> int:
    """How many boxes have a place in a gateway's range: its first address is the gateway's, two are nobody's."""
    return network.num_addresses - 3
