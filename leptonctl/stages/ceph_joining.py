"""Joining Ceph: the keys that a batch of hosts needs of its clusters before the role runs there.

A monitor whose turn was before is asked for them over SSH. They go to the hosts in Ansible's inventory in memory, as
secrets do: they are in no file, argument or log of this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.ceph import ROLE, ceph_clusters
from leptonctl.stages.clustering import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.target import Target
    from leptonctl.planning.ceph import CephCluster
    from leptonctl.planning.desired import Settings
    from leptonctl.session import Session

LIMIT_S = 180.0
_MODULES = ("facts", "ceph_keys")


def with_keys(session: Session, ready: Prepared, complete: Mapping[str, Target]) -> Prepared:
    """The batch with the keys that its hosts need, and the hosts for which nobody could give them.

    A host that begins a cluster needs none, as long as every other monitor says that there is no cluster yet: one that
    cannot be asked may have it, and a second one is not begun beside it.
    """
    found = {target.address: target for target in ready.targets}
    secrets, failed = dict(ready.secrets), dict(ready.failed)
    for cluster in ceph_clusters(session.desired.locations):
        places = {location.address for location in cluster.locations}
        members = [one for one in found.values() if one.location in places and one.role(ROLE) is not None]
        if not members:
            continue
        keys, problem = _ask(cluster, members, complete)
        for member in members:
            if problem is not None:
                failed[member.address] = f"not begun: {problem}"
                continue
            own = {name: f"run:{cluster.name}:ceph:{name}" for name in _needs(member) if name in keys}
            secrets |= {reference: keys[name] for name, reference in own.items()}
            found[member.address] = member.with_settings(ROLE, {"keys": own})
    return Prepared(tuple(one for one in found.values() if one.address not in failed), secrets, failed)


def _ask(
    cluster: CephCluster, members: Sequence[Target], complete: Mapping[str, Target]
) -> tuple[dict[str, str], str | None]:
    """What the first monitor that is one gives, or why nobody could: {} where there is no cluster yet."""
    needs = {name: None for member in members for name in _needs(member)}
    clients = {client["name"]: client for member in members for client in _clients(member)}
    request = {
        "kinds": [name for name in needs if not name.startswith("client.")],
        "clients": list(clients.values()),
    }
    problem: str | None = None
    for address in cluster.monitors:
        if address not in complete:
            problem = problem or f"the monitor {address} could not be asked whether it has the cluster"
            continue
        reply = ask([request_of(complete[address], _MODULES, request)], limit_s=LIMIT_S)[address]
        answer, wrong = answer_of(reply)
        if wrong is not None:
            problem = problem or f"the monitor {address} gave no keys: {wrong}"
        elif answer["is_begun"]:
            return answer["keys"], None
    return {}, problem


def _needs(member: Target) -> list[str]:
    settings = _settings(member)
    found = ["mon", "admin"] if settings["monitor"] else []
    if settings["osd_devices"] or settings["osd_file_count"]:
        found.append("bootstrap_osd")
    return [*found, *(f"client.{client['name']}" for client in _clients(member))]


def _clients(member: Target) -> list[dict[str, Any]]:
    found: Any = _settings(member).get("clients", ())
    return list(found)


def _settings(member: Target) -> Settings:
    role = member.role(ROLE)
    return role.settings if role is not None else {}
