"""HDFS names: a name node is begun anew only where no blocks are; over blocks it would make all of them nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.errors import Problem, Refused
from leptonctl.hosts.hdfs_data import hdfs_data_on
from leptonctl.planning.hdfs import ROLE, hdfs_of
from leptonctl.planning.observed import RoleState
from leptonctl.stages.looking import targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leptonctl.hosts.hdfs_data import HdfsData
    from leptonctl.hosts.target import Target
    from leptonctl.planning.desired import Desired
    from leptonctl.session import Session
    from leptonctl.stages.looking import Looked


def refuse_new_names_over_blocks(session: Session, want: Desired, looked: Looked) -> None:
    """Refuse to begin a name node whose site has data nodes with blocks already, or whose folder holds something else.

    Asked wherever a name node's role is in the scope and not in order; hosts that are not made yet have nothing. A name
    node without names is no new beginning where the other one has them.
    Raises Refused (exit 7) with what lies where; a host that could not be asked is refused too, unless the names were
    seen to be there.
    """
    name_nodes = hdfs_of(session.desired).name_nodes
    in_scope = {host.address for location in want.locations for host in location.hosts}
    if not any(address in in_scope and not _is_in_order(looked, address) for address in name_nodes):
        return
    # With `--only` too: blocks of hosts beside the scope are lost as well.
    there = targets(session, looked.observed, session.desired)
    problems = tuple(_problems(name_nodes, _members(there)))
    if problems:
        raise Refused(
            "the name node of this site would be begun anew, and all blocks be lost: nothing was touched",
            hint="bring the names back to /var/lib/hadoop/name there (from its disk, or from the checkpoint node), or "
            "take the role storage_hdfs off the data nodes with --delete-data HOST:storage_hdfs",
            problems=problems,
        )


def _members(there: Sequence[Target]) -> list[Target]:
    return [target for target in there if target.role(ROLE) is not None]


def _is_in_order(looked: Looked, address: str) -> bool:
    look = looked.observed.looks.get(address)
    role = look.roles.get(ROLE) if look is not None else None
    return role is not None and role.state == RoleState.IN_ORDER


def _problems(name_nodes: Sequence[str], members: Sequence[Target]) -> Iterator[Problem]:
    found: Mapping[str, HdfsData] = hdfs_data_on(members) if members else {}
    if any(data.has_names for address, data in found.items() if address in name_nodes):
        return
    for address, data in found.items():
        if data.problem is not None:
            yield Problem("new_names", f"what lies there could not be asked: {data.problem}", where=address)
        elif address in name_nodes and data.others:
            yield Problem("new_names", f"/var/lib/hadoop/name holds {', '.join(data.others)}", where=address)
        for disk, cluster in data.blocks.items():
            yield Problem("new_names", f"/var/lib/hadoop/{disk} holds blocks of {cluster}", where=address)
