"""Rules on clusters of hosts: one or three control plane hosts, an address of their own, settings that agree."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Literal

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.ranges import host_count
from leptonctl.sitefile.rules.forms import is_ip_address, url_flaw
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.software.kubernetes import MINORS
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Location, NodeGroup, Site
    from leptonctl.sitefile.settings import Resolved

_ROLE: Literal["kubernetes"] = "kubernetes"
_VERSION = re.compile(r"(\d+\.\d+)\.\d+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROL_COUNTS = (1, 3)
# One for a group; all others are the whole cluster's.
_OF_A_GROUP = "control_plane"


def check_host_clusters(site: Site) -> Iterator[Finding]:
    """Every location's cluster of hosts."""
    for path, location in locations(site):
        members = {name: group for name, group in location.nodes.items() if _ROLE in group.roles}
        if members:
            yield from _check_cluster(site, path, location, members)


def _check_cluster(site: Site, path: Path, location: Location, members: dict[str, NodeGroup]) -> Iterator[Finding]:
    address = spoken(path)
    settings = {name: resolve(site, address, name, _ROLE) for name in members}
    first = next(iter(members))
    held = settings[first]
    role_place = (*path, "nodes", first, "roles", members[first].roles.index(_ROLE))
    for name, one in settings.items():
        for key, value in one.items():
            if key != _OF_A_GROUP and value.value != held[key].value:
                message = f"the groups {first} and {name} are one cluster and differ in {key}"
                place = value.origin or held[key].origin or role_place
                yield Finding("cluster-settings", place, message, f"set {key} for {address} as a whole")
    for name, group in members.items():
        place = (*path, "nodes", name, "roles", group.roles.index(_ROLE))
        if group.scaling is not None:
            message = "a cluster's hosts stay, and those of a scaling group come and go"
            yield Finding("scaled-hosts", place, message, "give the role to a group with a count or hosts")
        if resolve(site, address, name, "container_runtime")["runtime"].value != "containerd":
            message = "Kubernetes runs its containers by containerd alone"
            yield Finding("cluster-runtime", place, message, "set container_runtime.runtime to containerd here")
        if "hardening" in group.roles:
            place = (*path, "nodes", name, "roles", group.roles.index("hardening"))
            message = "its firewall does not know the pod network, and would cut the cluster"
            yield Finding("cluster-firewall", place, message, "leave hardening out where kubernetes is")
    control = [name for name in members if settings[name][_OF_A_GROUP].value]
    count = sum(host_count(members[name]) for name in control)
    if count not in _CONTROL_COUNTS:
        place = settings[control[0]][_OF_A_GROUP].origin or role_place if control else role_place
        message = f"the cluster of {address} has {count or 'no'} control plane hosts"
        hint = "set software.kubernetes.control_plane: true for a group of one host, or of three"
        yield Finding("control-plane", place, message, hint)
    yield from _check_version(held, role_place)
    yield from _check_address(held, location, role_place, count)
    yield from _check_ranges(held, location, role_place)
    yield from _check_sources(held, role_place)


def _check_version(held: dict[str, Resolved], place: Path) -> Iterator[Finding]:
    version = held["version"].value
    if version is None:
        hint = 'set software.kubernetes.version for the location, such as "1.32.4"'
        yield Finding("cluster-version", place, "the cluster's version is not written", hint)
        return
    found = _VERSION.fullmatch(str(version))
    if found is None or found[1] not in MINORS:
        message = f"{quoted(str(version))} is not a version that leptonctl knows"
        hint = f"write it as x.y.z, of one of {', '.join(MINORS)}"
        yield Finding("cluster-version", held["version"].origin or place, message, hint)


def _check_address(held: dict[str, Resolved], location: Location, place: Path, control_count: int) -> Iterator[Finding]:
    address, origin = held["api_address"].value, held["api_address"].origin or place
    if address is None:
        if control_count > 1:
            message = "several control plane hosts have no address in common"
            yield Finding("api-address", place, message, "set software.kubernetes.api_address to a free one")
        return
    text = str(address)
    if not is_ip_address(text) or ":" in text:
        yield Finding("api-address", origin, f"{quoted(text)} is not an IPv4 address", "write a free one")
        return
    network = _network(location.network.cidr)
    if network is not None and IPv4Address(text) not in network:
        message = f"{text} is not in the location's network {network}"
        yield Finding("api-address", origin, message, "write a free address of that network")
    taken = {
        host if isinstance(host, str) else host.address
        for group in location.nodes.values()
        for host in group.hosts or ()
    }
    if text in taken:
        yield Finding("api-address", origin, f"{text} is a host's own address", "write a free one")


def _check_ranges(held: dict[str, Resolved], location: Location, place: Path) -> Iterator[Finding]:
    known = {"the location's network": _network(location.network.cidr)}
    for key in ("pod_cidr", "service_cidr"):
        origin, text = held[key].origin or place, str(held[key].value)
        network = _network(text)
        if network is None:
            yield Finding(
                "bad-network", origin, f"{quoted(text)} is not an IPv4 network", "write one such as 10.244.0.0/16"
            )
            continue
        for name, other in known.items():
            if other is not None and network.overlaps(other):
                yield Finding(
                    "network-overlap", origin, f"{network} overlaps {name} {other}", "give it a range of its own"
                )
        known[key] = network


def _network(cidr: str | None) -> IPv4Network | None:
    try:
        return IPv4Network(cidr) if cidr is not None and "/" in cidr else None
    except ValueError:
        return None


def _check_sources(held: dict[str, Resolved], place: Path) -> Iterator[Finding]:
    value = held["cni_manifest"]
    flaw = url_flaw(str(value.value), may_have_path=True) if value.value is not None else None
    if flaw is not None:
        shown = "this URL" if "@" in str(value.value) else quoted(str(value.value))
        hint = "write it as https://HOST[:PORT]/PATH"
        yield Finding("bad-url", value.origin or place, f"{shown} {flaw}", hint, shows_line="@" not in str(value.value))
    manifest, digest = held["cni_manifest"], held["cni_sha256"]
    if (manifest.value is None) != (digest.value is None):
        origin = manifest.origin or digest.origin or place
        message = "the manifest of the pod network and its digest go together"
        yield Finding("cni-digest", origin, message, "set cni_manifest and cni_sha256, or neither", at="key")
    elif digest.value is not None and not _SHA256.fullmatch(str(digest.value)):
        message = f"{quoted(str(digest.value))} is not a SHA-256"
        yield Finding(
            "cni-digest", digest.origin or place, message, "write its 64 hexadecimal digits, as sha256sum does"
        )
