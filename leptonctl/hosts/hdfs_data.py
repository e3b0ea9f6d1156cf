"""Asks hosts what of HDFS lies on them, by the program that the role storage_hdfs looks with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import ask, read_as, request_of_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.reach import Reply
    from leptonctl.hosts.target import Target

LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class HdfsData:
    """Whether a host has a name node's names, what else lies in their place, and the cluster of each disk of blocks.

    `problem` says why it is not known.
    """

    has_names: bool = False
    others: tuple[str, ...] = ()
    blocks: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


def hdfs_data_on(targets: Sequence[Target]) -> dict[str, HdfsData]:
    """What lies on each target, by its address, one round trip each. Never raises for a host; changes nothing."""
    requests = [request_of_role(target, "storage_hdfs", "hdfs_name_node.py") for target in targets]
    return {address: hdfs_data_of(reply) for address, reply in ask(requests, limit_s=LIMIT_S).items()}


def hdfs_data_of(reply: Reply) -> HdfsData:
    """A host's answer; anything but the program's own shape is no answer."""
    return read_as(reply, _read, lambda problem: HdfsData(problem=problem))


def _read(found: Any) -> HdfsData:  # noqa: ANN401 - JSON
    return HdfsData(
        has_names=bool(found["names"]),
        others=tuple(map(str, found["other"])),
        blocks={str(disk): str(cluster) for disk, cluster in found["blocks"].items()},
    )
