"""What has to change in a location's cluster, from what AWS says of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning.plan import Action, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leptonctl.planning.aws_cluster_types import ClusterArgs, ClusterNodesArgs
    from leptonctl.planning.observed import ObservedResource


def cluster_changes(location: str, cluster: ClusterArgs | None, there: ObservedResource | None) -> Iterator[Change]:
    """The one change of the location's cluster; nothing where there is none and none is wanted.

    Properties of what is there: `version`, `api_from` (networks, as a tuple) and `nodes` (type, desired, min and max by
    group); one that is missing is not compared.
    """
    if cluster is None:
        if there is not None:
            yield Change(Action.DELETE, "cluster", location, location, ("no longer in the site file",))
        return
    if there is None:
        groups = ", ".join(f"{one.desired} {one.machine_type} ({one.name})" for one in cluster.nodes)
        reason = f"version {cluster.version} with {groups}{', and add-ons' if cluster.addons else ''}"
        yield Change(Action.CREATE, "cluster", location, location, (reason,))
        return
    reasons = tuple(_differences(cluster, there))
    yield Change(Action.UPDATE if reasons else Action.KEEP, "cluster", location, location, reasons)


def _differences(cluster: ClusterArgs, there: ObservedResource) -> Iterator[str]:
    if there.status == "failed":
        yield "failed -> active"
    version = there.properties.get("version")
    if version not in {None, cluster.version}:
        yield f"version {version} -> {cluster.version}"
    ways = there.properties.get("api_from")
    if isinstance(ways, tuple) and set(ways) != set(cluster.api_from):
        yield f"its API is open to {_named(ways)} -> {_named(cluster.api_from)}"
    nodes = there.properties.get("nodes")
    if isinstance(nodes, dict):
        yield from _groups(cluster.nodes, nodes)


def _groups(wanted: tuple[ClusterNodesArgs, ...], there: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for group in wanted:
        found = there.get(group.name)
        if found is None:
            yield f"group {group.name} is made: {group.desired} {group.machine_type}"
            continue
        values = {"type": group.machine_type, "desired": group.desired, "min": group.least, "max": group.most}
        for key, value in values.items():
            if found.get(key) not in {None, value}:
                yield f"group {group.name}: {key} {found[key]} -> {value}"
    for name in sorted(there.keys() - {group.name for group in wanted}):
        yield f"group {name} goes: no longer in the site file"


def _named(networks: tuple[str, ...]) -> str:
    return ", ".join(sorted(networks)) or "nobody outside"
