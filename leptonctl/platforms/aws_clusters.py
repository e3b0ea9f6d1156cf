"""Managed clusters on AWS: what is there of them by their mark, and what of a stack's state went with one that is gone.

A cluster that does not answer is not a cluster that is gone: that is asked of AWS, and nothing else is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning import aws_tags
from leptonctl.planning.aws_cluster import CLAIMS
from leptonctl.planning.aws_cluster_resources import KUBERNETES
from leptonctl.platforms.aws_listing import VOLUMES, Found, listed
from leptonctl.platforms.aws_sweep import marked, without_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.platforms.aws_cloud import AwsCloud
    from leptonctl.platforms.pulumi_state import Deployment

_TYPES = frozenset({"eks-cluster", "eks-nodegroup"})
_PROVIDER = "pulumi:providers:kubernetes"


def clusters(cloud: AwsCloud, site: str, location: str | None = None) -> tuple[Found, ...]:
    """The clusters with the mark, each followed by its node groups; those that are going are among them.

    `details` of a cluster is AWS's answer with `nodes`, the answers for its groups by the site's name for them.
    """
    found: list[Found] = []
    # A list gives names only; a site's clusters are named after it.
    names = [name for page in cloud.pages("eks", "list_clusters") for name in page["clusters"]]
    for name in names:
        if not name.startswith(f"{site}_"):
            continue
        there = cloud.call("eks", "describe_cluster", name=name)["cluster"]
        tags = there.get("tags") or {}
        if tags.get(aws_tags.SITE) != site or location not in {None, tags.get(aws_tags.LOCATION)}:
            continue
        groups = tuple(_groups(cloud, name))
        nodes = {one.tags.get(aws_tags.GROUP, one.id): one.details for one in groups}
        status = str(there.get("status", "")).lower()
        found.append(Found("eks-cluster", name, cloud.region, status, tags, {**there, "nodes": nodes}))
        found += groups
    return tuple(found)


def everything_marked(cloud: AwsCloud, site: str) -> tuple[Found, ...]:
    """Everything with the mark in the region, clusters with it, and in none; a key that AWS is deleting counts as gone.

    AWS keeps such a key for a week at least, without a price, and nothing can be done with it any more.
    """
    others = [one for one in marked(cloud, site) if one.type not in _TYPES]
    there = (*others, *clusters(cloud, site), *without_region(cloud, site))
    return tuple(one for one in there if not (one.type == "kms-key" and _is_going(cloud, one.id)))


def delete_claims(cloud: AwsCloud, site: str, location: str, delete_data: frozenset[str]) -> None:
    """Delete the volumes that pods of the location's cluster claimed, where the operator has named them."""
    if not {"all", f"{location}/{CLAIMS}"} & delete_data:
        return
    for one in listed(cloud, VOLUMES, site, location):
        if one.tags.get(aws_tags.STORE) == CLAIMS and one.status == "available":
            cloud.call("ec2", "delete_volume", VolumeId=one.id)


def without_what_is_inside(state: Deployment) -> Deployment:
    """The state without its clusters' contents: they are gone with their cluster, or go with it.

    What stands on them, such as the components that they are parts of, stays.
    """
    deployment = state["deployment"]
    resources = deployment.get("resources") or []
    gone = {one["urn"] for one in resources if _is_inside(one)}
    kept = [_freed(one, gone) for one in resources if one["urn"] not in gone]
    return {**state, "deployment": {**deployment, "resources": kept}}


def drop_if_gone(state: Deployment, cloud: AwsCloud, site: str, location: str) -> Deployment | None:
    """The state without the contents of a cluster that AWS no longer has; None where nothing is to be dropped."""
    if not any(_is_inside(one) for one in state["deployment"].get("resources") or ()):
        return None
    is_there = any(one.type == "eks-cluster" for one in clusters(cloud, site, location))
    return None if is_there else without_what_is_inside(state)


def _groups(cloud: AwsCloud, cluster: str) -> Iterator[Found]:
    pages = cloud.pages("eks", "list_nodegroups", clusterName=cluster)
    for name in [name for page in pages for name in page["nodegroups"]]:
        there = cloud.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
        status = str(there.get("status", "")).lower()
        yield Found("eks-nodegroup", f"{cluster}/{name}", cloud.region, status, there.get("tags") or {}, there)


def _is_going(cloud: AwsCloud, key: str) -> bool:
    return str(cloud.call("kms", "describe_key", KeyId=key)["KeyMetadata"]["KeyState"]) == "PendingDeletion"


def _is_inside(resource: Mapping[str, Any]) -> bool:
    return str(resource["type"]).startswith(KUBERNETES) or resource["type"] == _PROVIDER


def _freed(resource: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    """The resource without its links to what is gone: the engine refuses a state with such."""
    links = resource.get("dependencies") or []
    if not gone.intersection(links):
        return resource
    by_property = {
        name: [urn for urn in urns if urn not in gone]
        for name, urns in (resource.get("propertyDependencies") or {}).items()
    }
    kept = [urn for urn in links if urn not in gone]
    return {**resource, "dependencies": kept, "propertyDependencies": by_property}
