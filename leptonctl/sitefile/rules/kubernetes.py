"""Rules on managed clusters: who reaches and rules them, whether they fit their network, and what runs on them."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from leptonctl.sitefile.aws import RESERVED_ADDRESSES, ZONES_LIMIT, partition_of, private_subnet, zone_count
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.kubernetes import KUBERNETES_VERSIONS, taints_of
from leptonctl.sitefile.rules.forms import is_host_name
from leptonctl.sitefile.rules.parts import locations, spoken
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.aws_model import Aws
    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.kubernetes import Addons, ClusterNodes, Kubernetes
    from leptonctl.sitefile.model import Location, Site

ADDRESSES_PER_NODE = 32
"""Set aside in the subnets for a node and its pods: the network plug-in gives each pod an address of the VPC."""
# Of EKS: interfaces of the control plane in each subnet, with room to replace them.
_CONTROL_PLANE_ADDRESSES = 6
_ZONES_AT_LEAST = 2
_NEEDED_INSIDE = ("ec2", "ecr.api", "ecr.dkr", "sts")
_ADMIN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+")
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_TAKEN_LABELS = ("kubernetes.io/", "k8s.io/", "lepton.site/")
_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9.:-]*(/[a-z0-9][a-z0-9._-]*)+"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_SERVICES_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_SERVICES_PREFIXES = (24, 12)
_TAKEN_NAMESPACES = ("default", "lepton-system")


def check_clusters(site: Site) -> Iterator[Finding]:
    """Every managed cluster."""
    for path, location in locations(site):
        if location.platform != "aws" or location.aws is None or location.aws.kubernetes is None:
            continue
        cluster, place = location.aws.kubernetes, (*path, "aws", "kubernetes")
        if cluster.version not in KUBERNETES_VERSIONS:
            message = f"{quoted(cluster.version)} is not a version that leptonctl knows"
            yield Finding("bad-value", (*place, "version"), message, f"use one of {', '.join(KUBERNETES_VERSIONS)}")
        yield from _check_admins(cluster, location.aws, place)
        yield from _check_ways_in(cluster, place)
        yield from _check_surroundings(location.aws, place)
        yield from _check_services(cluster, site, place)
        for name, nodes in cluster.nodes.items():
            yield from _check_nodes(nodes, (*place, "nodes", name))
        if all(taints_of(nodes) or nodes.desired == 0 for nodes in cluster.nodes.values()):
            message = "no group has machines without taints, and the cluster's own pods run nowhere else"
            hint = "add one such as `system: {type: m7i.large, desired: 2}`"
            yield Finding("missing-plain-nodes", (*place, "nodes"), message, hint, at="key")
        yield from _check_room(cluster, location, place)
        if cluster.addons is not None:
            if "claims" in location.storage:
                message = "the volumes that pods claim are the store `claims` of a location with add-ons"
                yield Finding(
                    "duplicate-store", (*path, "storage", "claims"), message, "give it another name", at="key"
                )
            yield from _check_addons(cluster.addons, cluster, location.aws, place)


def _check_admins(cluster: Kubernetes, aws: Aws, place: Path) -> Iterator[Finding]:
    for index, admin in enumerate(cluster.admins):
        found, where = _ADMIN.fullmatch(admin), (*place, "admins", index)
        if found is None:
            message = f"{quoted(admin)} is not the ARN of a role or user"
            yield Finding("bad-value", where, message, "write one such as arn:aws:iam::123456789012:role/platform")
        elif found["partition"] != partition_of(aws.region):
            message = f"{quoted(admin)} is not in the part of AWS that {aws.region} is in"
            yield Finding("bad-value", where, message, f"write arn:{partition_of(aws.region)}:iam::...")
        elif admin in cluster.admins[:index]:
            yield Finding("duplicate-user", where, f"{quoted(admin)} is named twice", "remove one of the two")


def _check_ways_in(cluster: Kubernetes, place: Path) -> Iterator[Finding]:
    for index, cidr in enumerate(cluster.api_from):
        where = (*place, "api_from", index)
        network = _network(cidr)
        if network is None:
            hint = "write one such as 203.0.113.0/24, or one address as /32"
            yield Finding("bad-network", where, f"{quoted(cidr)} is not an IPv4 network", hint)
        elif network.prefixlen == 0:
            message = f"{cidr} would let the whole world try the cluster's API"
            yield Finding("open-to-world", where, message, "name the networks that operators come from")


def _check_surroundings(aws: Aws, place: Path) -> Iterator[Finding]:
    if zone_count(aws) < _ZONES_AT_LEAST:
        message = "a cluster needs two zones, and the location has one"
        yield Finding("bad-zone", place, message, "add a zone under `zones` of the location", at="key")
    missing = [name for name in _NEEDED_INSIDE if name not in aws.endpoints]
    if aws.internet == "none" and missing:
        message = f"without internet, machines of a cluster need the endpoints {', '.join(missing)}"
        yield Finding("cannot-combine", place, message, "add them under `endpoints`", at="key")


def _check_services(cluster: Kubernetes, site: Site, place: Path) -> Iterator[Finding]:
    where, cidr = (*place, "service_cidr"), cluster.service_cidr
    # Where it is the default the place in the file is the cluster's.
    at: Path = where if "service_cidr" in cluster.model_fields_set else place
    network = _network(cidr)
    if network is None:
        yield Finding("bad-network", where, f"{quoted(cidr)} is not an IPv4 network", "write one such as 172.20.0.0/16")
        return
    smallest, largest = _SERVICES_PREFIXES
    if not any(network.subnet_of(private) for private in _SERVICES_PRIVATE):
        hint = "use part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        yield Finding("network-not-private", where, f"{network} is not a private network", hint)
    elif not largest <= network.prefixlen <= smallest:
        message, hint = f"{network} is not a size for services", f"use a prefix length from /{largest} to /{smallest}"
        yield Finding("network-size", where, message, hint)
    for path, location in locations(site):
        other = _network(location.network.cidr or "")
        if other is not None and other.overlaps(network):
            message = f"the services' range {network} overlaps the network {other} of {spoken(path)}"
            hint = "write another `service_cidr`, such as 172.20.0.0/16"
            yield Finding("network-overlap", at, message, hint, at="value" if at == where else "key")


def _check_nodes(nodes: ClusterNodes, place: Path) -> Iterator[Finding]:
    if not _TYPE.fullmatch(nodes.type):
        message = f"{quoted(nodes.type)} is not a machine type"
        yield Finding("bad-value", (*place, "type"), message, "write one such as g6.xlarge")
    if nodes.min > nodes.desired:
        message = f"{nodes.desired} wanted machines are fewer than the fewest, {nodes.min}"
        yield Finding("bad-count", place, message, "write `min`, `desired` and `max` in rising order", at="key")
    if nodes.desired > nodes.most:
        message = f"{nodes.desired} wanted machines are more than the most, {nodes.most}"
        yield Finding("bad-count", place, message, "write `min`, `desired` and `max` in rising order", at="key")
    yield from _check_labels(nodes, place)


def _check_labels(nodes: ClusterNodes, place: Path) -> Iterator[Finding]:
    for key, value in nodes.labels.items():
        if not _LABEL_KEY.fullmatch(key):
            message = f"{quoted(key)} is not the key of a label"
            yield Finding("bad-label", (*place, "labels", key), message, "write one such as team or example.com/team",
                          at="key")  # fmt: skip
        elif any(taken in key for taken in _TAKEN_LABELS):
            message = f"labels such as {quoted(key)} are set by Kubernetes or leptonctl"
            yield Finding("bad-label", (*place, "labels", key), message, "use a prefix of your own", at="key")
        if not _LABEL_VALUE.fullmatch(value):
            message = f"{quoted(value)} is not the value of a label"
            hint = "use at most 63 letters, digits, dashes, dots and underscores"
            yield Finding("bad-label", (*place, "labels", key), message, hint)
    for index, taint in enumerate(nodes.taints or ()):
        if not _LABEL_KEY.fullmatch(taint.key):
            message = f"{quoted(taint.key)} is not the key of a taint"
            yield Finding("bad-label", (*place, "taints", index, "key"), message, "write one such as nvidia.com/gpu")
        if taint.value is not None and not _LABEL_VALUE.fullmatch(taint.value):
            message = f"{quoted(taint.value)} is not the value of a taint"
            hint = "use at most 63 letters, digits, dashes, dots and underscores"
            yield Finding("bad-label", (*place, "taints", index, "value"), message, hint)


def _check_room(cluster: Kubernetes, location: Location, place: Path) -> Iterator[Finding]:
    """The private subnets hold the location's hosts, the control plane, and every group at its largest."""
    aws, network = location.aws, _network(location.network.cidr or "")
    if aws is None or network is None or not 16 <= network.prefixlen <= 24 or zone_count(aws) > ZONES_LIMIT:  # noqa: PLR2004 - said by its own rule
        return
    zones = range(zone_count(aws))
    reserved = RESERVED_ADDRESSES + _CONTROL_PLANE_ADDRESSES
    free = sum(private_subnet(str(network), zone).num_addresses - reserved for zone in zones)
    hosts = sum((group.count or 0) for group in location.nodes.values() if not group.aws.public)
    nodes = sum(group.most for group in cluster.nodes.values())
    if hosts + nodes * ADDRESSES_PER_NODE > free:
        message = (
            f"{network} has {free:,} private addresses for {hosts:,} hosts and {nodes:,} machines of the cluster "
            f"with {ADDRESSES_PER_NODE} each"
        )
        yield Finding("network-full", (*place, "nodes"), message, "use a larger network, or a smaller `max`", at="key")


def _check_addons(addons: Addons, cluster: Kubernetes, aws: Aws, place: Path) -> Iterator[Finding]:
    where = (*place, "addons")
    if addons.through == "public" and not cluster.api_from:
        message = "add-ons are put in through the API, and nothing outside the location reaches it"
        hint = "name your networks under `api_from`, or write `through: private` where leptonctl runs inside"
        yield Finding("cannot-combine", where, message, hint, at="key")
    if aws.internet == "none" and addons.registry is None:
        message = "without internet, the add-ons' images need a registry that the location reaches"
        yield Finding("cannot-combine", where, message, "write `registry`", at="key")
    if addons.registry is not None and not all(is_host_name(part) for part in _registry_parts(addons.registry)):
        message = f"{quoted(addons.registry)} is not a registry"
        yield Finding("bad-registry", (*where, "registry"), message, "write one such as registry.example.com/mirror")
    for key in ("device_plugin_image", "metrics_server_image"):
        image = getattr(addons, key)
        found = _IMAGE.fullmatch(image)
        if found is None:
            message = f"{quoted(image)} is not an image with its registry"
            yield Finding("bad-value", (*where, key), message, "write REGISTRY/NAME:VERSION")
        elif not found["digest"] and found["tag"] in {None, "latest"}:
            message = f"{quoted(image)} names no version"
            yield Finding("bad-value", (*where, key), message, "add :VERSION or @sha256:DIGEST")
    for name in addons.namespaces:
        if name in _TAKEN_NAMESPACES or name.startswith("kube-"):
            message = f"the namespace {quoted(name)} is not for your pods"
            yield Finding("bad-value", (*where, "namespaces", name), message, "use another name", at="key")


def _registry_parts(registry: str) -> Iterator[str]:
    host, *rest = registry.split("/")
    yield host.partition(":")[0]
    yield from (part.replace("_", "-") for part in rest)


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr) if "/" in cidr else None
    except ValueError:
        return None
