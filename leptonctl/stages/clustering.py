"""Clustering: what a batch of hosts needs of its cluster before roles run on it, and what the cluster does after.

It is asked over SSH from a control plane host whose turn was before. A join token is made for each batch and expires;
it goes to the hosts in Ansible's inventory in memory, as secrets do: it is in no file, argument or log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.kubeadm import ROLE, Cluster, cluster_of
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from leptonctl.hosts.target import Target
    from leptonctl.session import Session

LIMIT_S = 300.0
_MODULES = ("facts", "cluster")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The batch's targets with what they need to join, the values behind its references, and what is in the way.

    `failed` has the hosts whose cluster could not empty them; nothing may be changed on these.
    """

    targets: tuple[Target, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def prepare(session: Session, batch: Sequence[Target], complete: Mapping[str, Target]) -> Prepared:
    """Drain the nodes of a batch that will be raised, and have a token made for those that join."""
    found = {target.address: target for target in batch}
    secrets: dict[str, str] = {}
    failed: dict[str, str] = {}
    for cluster, members in _by_cluster(session, batch):
        control = next((complete[one] for one in cluster.control if one in complete and one not in found), None)
        if control is None:
            continue  # the first host begins the cluster; others that find no token say so
        settings = {one.address: role.settings for one in members if (role := one.role(ROLE)) is not None}
        wanted = str(next(iter(settings.values()))["version"])
        nodes = [str(one["node_name"]) for one in settings.values()]
        _, problem = _ask(control, {"do": "drain", "nodes": nodes, "version": wanted})
        if problem is not None:
            failed.update(
                dict.fromkeys(settings.keys(), f"not begun: the cluster could not move its pods away: {problem}")
            )
            continue
        is_control = any(one["part"] == "control_plane" for one in settings.values())
        minutes = next(iter(settings.values()))["join_minutes"]
        answer, problem = _ask(control, {"do": "join", "minutes": minutes, "is_control_plane": is_control})
        if problem is not None:
            session.report(Progress("configure", "warning", cluster.location, f"no join token: {problem}"))
            continue
        for key in ("token", "certificate_key"):
            if key in answer:
                secrets[f"run:{cluster.location}:{key}"] = answer[key]
        join: dict[str, str] = {
            "ca_hash": answer["ca_hash"],
            **{key: f"run:{cluster.location}:{key}" for key in ("token", "certificate_key") if key in answer},
        }
        for member in members:
            found[member.address] = member.with_settings(ROLE, {"join": join})
    return Prepared(tuple(one for one in found.values() if one.address not in failed), secrets, failed)


def settle(
    session: Session, batch: Sequence[Target], complete: Mapping[str, Target], *, unfit: Collection[str]
) -> dict[str, str]:
    """Let pods onto the hosts of a batch, and set their labels; what went wrong, by host.

    Those that are `unfit` (their accelerators do not pass) get a taint instead, which goes when they pass again.
    """
    failed: dict[str, str] = {}
    for cluster, members in _by_cluster(session, batch):
        control = next((complete[one] for one in cluster.control if one in complete), None)
        settings = {one.address: role.settings for one in members if (role := one.role(ROLE)) is not None}
        if control is None:
            continue
        nodes = {str(one["node_name"]): one["labels"] for one in settings.values()}
        kept_off = [str(one["node_name"]) for address, one in settings.items() if address in unfit]
        answer, problem = _ask(control, {"do": "settle", "nodes": nodes, "unfit": kept_off})
        for address, one in settings.items():
            if problem is not None:
                failed[address] = f"its node could not be let into service: {problem}"
            elif one["node_name"] in answer["missing"]:
                failed[address] = f"the cluster has no node {one['node_name']}"
    return failed


def _by_cluster(session: Session, batch: Sequence[Target]) -> Iterator[tuple[Cluster, list[Target]]]:
    """The hosts of the batch on which the role runs, by their clusters."""
    for location in session.desired.locations:
        members = [one for one in batch if one.location == location.address and one.role(ROLE) is not None]
        cluster = cluster_of(location) if members else None
        if cluster is not None:
            yield cluster, members


def _ask(control: Target, request: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """A control plane host's answer, or what was in the way."""
    reply = ask([request_of(control, _MODULES, request)], limit_s=LIMIT_S)[control.address]
    answer, problem = answer_of(reply)
    return answer, None if problem is None else f"{control.address}: {problem}"
