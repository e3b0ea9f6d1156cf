"""Who may reach a node group's hosts on AWS: rules of its security group, from what its roles serve. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.aws_types import IngressArgs, Ports
from leptonctl.planning.served import Audience, served, texts
from leptonctl.sitefile.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.aws_types import PeerArgs
    from leptonctl.planning.served import Served
    from leptonctl.sitefile.model import Location, Site
    from leptonctl.sitefile.software import RoleName

_SSH = Ports(22, 22)
_SENDERS: tuple[RoleName, ...] = ("monitoring_server", "edge")


def ingress_of(site: Site, address: str, group_name: str, peers: tuple[PeerArgs, ...]) -> tuple[IngressArgs, ...]:
    """What may reach a group's hosts; `peers` are the networks of the locations above that this one is peered with.

    All of the location's own network; SSH from the locations above it and from the networks that the operator named;
    and what the roles serve, from the networks of other locations on AWS whose roles ask for it. Nothing is open to the
    world unless the site file names it.
    """
    location = site.location(address)
    found = [IngressArgs(name="own-network", cidr=cidr_of(location))]
    ssh_from = location.aws.ssh_from if location.aws is not None else []
    found += [
        IngressArgs(name=f"ssh-{_dashed(cidr)}", cidr=cidr, ports=_SSH)
        for cidr in dict.fromkeys((*(peer.cidr for peer in peers), *ssh_from))
    ]
    for role in location.nodes[group_name].roles:
        settings = {key: one.value for key, one in resolve(site, address, group_name, role).items()}
        for one in served(role, settings):
            cidrs = (cidr for audience in one.audiences for cidr in _networks(site, address, role, audience, peers))
            named = texts(settings["boxes_from"]) if Audience.BOXES in one.audiences else ()
            found += [_rule(role, one, cidr) for cidr in dict.fromkeys((*cidrs, *named))]
    # Two roles may serve one port to the same network, and AWS takes a rule once.
    return tuple({(rule.cidr, rule.ports, rule.protocol): rule for rule in reversed(found)}.values())[::-1]


def _rule(role: RoleName, one: Served, cidr: str) -> IngressArgs:
    first, _, last = str(one.port).partition("-")
    # The name is the rule's in the state: that of the metrics is kept from before there were others.
    what = "metrics" if role == "monitoring_agent" else f"{role.replace('_', '-')}-{one.port}"
    return IngressArgs(
        name=f"{what}-{_dashed(cidr)}", cidr=cidr, ports=Ports(int(first), int(last or first)), protocol=one.protocol
    )


def _networks(
    site: Site, address: str, role: RoleName, audience: Audience, peers: tuple[PeerArgs, ...]
) -> Iterator[str]:
    """The networks beside the location's own in which those are whom a port is for, as far as they are on AWS.

    People and what comes through tunnels are none of them: the first come by SSH, the second are inside UDP.
    """
    match audience:
        case Audience.MONITORING:
            yield from (peer.cidr for peer in peers)
            yield from _with_roles(site, address, ("monitoring_server",))
        case Audience.SENDERS:
            yield from _with_roles(site, address, _SENDERS)
        case Audience.PEERS:
            yield from _with_roles(site, address, (role,))
        case Audience.SITE:
            others = (one for other, one in site.locations().items() if other != address and one.platform == "aws")
            yield from map(cidr_of, others)
        case Audience.BOXES:
            yield from _with_roles(site, address, ("edge",))
        case _:
            pass


def _with_roles(site: Site, address: str, roles: tuple[RoleName, ...]) -> Iterator[str]:
    for other, location in site.locations().items():
        is_asking = any(set(roles) & set(group.roles) for group in location.nodes.values())
        if other != address and location.platform == "aws" and is_asking:
            yield cidr_of(location)


def cidr_of(location: Location) -> str:
    """The location's network; there in every checked site."""
    if location.network.cidr is None:
        raise ValueError("a location on aws without a network: the site was not checked")
    return location.network.cidr


def _dashed(cidr: str) -> str:
    return cidr.replace(".", "-").replace("/", "-")
