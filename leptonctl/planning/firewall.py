"""Firewall: which ports of a host are open to whom, from what the roles of the site need. Pure.

All that is not named here is dropped, but for SSH, answers, loopback and the ICMP that networks need, which the role's
template has.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TYPE_CHECKING

from leptonctl.planning.served import Audience, served, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation, Settings
    from leptonctl.sitefile.software import RoleName

ROLE = "hardening"
_ANYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Opening:
    """A port that is open to addresses and ranges, sorted. `role` is who needs it."""

    role: str
    protocol: str
    port: str
    sources: tuple[str, ...]


def openings(
    desired: Desired, hostnames: Mapping[str, str]
) -> Callable[[DesiredLocation, DesiredHost], dict[str, object]]:
    """Give a function that tells what the role `hardening` of a host has to know: `openings`, in order of its roles.

    `hostnames` maps host address to how other hosts reach it now. One that is not known yet is opened to when it is. A
    port that is for nobody who is known is left out: it stays closed. Ranges that lie in each other become one, in
    `ssh_from` too: nftables takes no others.
    """
    servers = tuple(sorted(_names(desired, hostnames, "monitoring_server")))
    senders = tuple(sorted({*servers, *_names(desired, hostnames, "edge")}))
    by_location = {
        location.address: tuple(sorted(hostnames[host.address] for host in location.hosts if host.address in hostnames))
        for location in desired.locations
    }

    site = tuple(sorted({name for names in by_location.values() for name in names}))

    @cache
    def peers(role: RoleName) -> tuple[str, ...]:
        return tuple(_names(desired, hostnames, role))

    def of_host(location: DesiredLocation, host: DesiredHost) -> dict[str, object]:
        role = host.role(ROLE)
        own: Settings = role.settings if role is not None else {}
        gateway = host.role("edge_gateway")
        inside = (str(gateway.settings["tunnel_cidr"]),) if gateway is not None else ()

        # Functions: on a large site the lists are long, and most hosts serve few of them.
        who: dict[Audience, Callable[[RoleName], tuple[str, ...]]] = {
            Audience.MONITORING: lambda _: (*servers, *texts(own.get("translated_from"))) if servers else (),
            Audience.SENDERS: lambda _: (*(one for one in senders if one != hostnames.get(host.address)), *inside),
            Audience.TUNNELS: lambda _: inside,
            Audience.LOCATION: lambda _: by_location.get(location.address, ()),
            Audience.PEERS: peers,
            Audience.SITE: lambda _: site,
            Audience.OPERATORS: lambda _: texts(own.get("operators")),
            Audience.BOXES: lambda _: texts(gateway.settings["boxes_from"] if gateway else ()) or _ANYWHERE,
        }
        return {
            "ssh_from": list(merged(texts(own.get("ssh_from")))),
            "openings": [{**asdict(one), "sources": list(one.sources)} for one in _of_host(host, who)],
        }

    return of_host


def _of_host(host: DesiredHost, who: Mapping[Audience, Callable[[RoleName], tuple[str, ...]]]) -> Iterator[Opening]:
    for role in host.roles:
        for one in served(role.name, role.settings):
            sources = merged(source for audience in one.audiences for source in who[audience](role.name))
            if sources:
                yield Opening(role.name, one.protocol, str(one.port), sources)


def merged(sources: Iterable[str]) -> tuple[str, ...]:
    """Addresses and ranges without those that lie in others, sorted; names, which no firewall takes, come last."""
    found: dict[int, list[IPv4Network | IPv6Network]] = {4: [], 6: []}
    names: set[str] = set()
    for source in sources:
        try:
            network = ip_network(source, strict=False)
        except ValueError:
            names.add(source)
        else:
            found[network.version].append(network)
    ranges = [one for networks in found.values() for one in collapse_addresses(networks)]  # type: ignore[type-var]
    alone = {4: 32, 6: 128}
    texts = (str(one.network_address) if one.prefixlen == alone[one.version] else str(one) for one in ranges)
    return (*texts, *sorted(names))


def _names(desired: Desired, hostnames: Mapping[str, str], role: RoleName) -> Iterator[str]:
    for location in desired.locations:
        for host in location.hosts:
            if host.address in hostnames and any(one.name == role for one in host.roles):
                yield hostnames[host.address]
