"""What must hold where the role that keeps files in HDFS ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from leptonctl.hosts.checks.kinds import Check, Command, CommonCommand, Package, Port, Unit
from leptonctl.planning.served import HDFS_HTTP_PORTS, texts

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings
    from leptonctl.sitefile.software.hdfs import Part

PROGRAMS = "/usr/local/lib/leptonctl"
INSTALL_PROGRAM = f"{PROGRAMS}/hadoop_install"
NAME_NODE_PROGRAM = f"{PROGRAMS}/hdfs_name_node"
PATHS_PROGRAM = f"{PROGRAMS}/hdfs_paths"
HEALTH_PROGRAM = f"{PROGRAMS}/hdfs_health"
SUMS = "/opt/leptonctl/hadoop/SHA256SUMS"
PATHS_TIMER = "leptonctl-hdfs-paths.timer"
ZOOKEEPER = "leptonctl-hdfs-zookeeper.service"
FAILOVER = "leptonctl-hdfs-failover.service"


def storage_hdfs(settings: Settings) -> tuple[Check, ...]:
    """Hadoop is as its archive has it, the host's daemons run, and each says of itself that all is in order."""
    parts = cast("tuple[Part, ...]", settings["parts"])
    has_standby = len(texts(settings.get("name_nodes"))) > 1
    found: list[Check] = [
        Command(
            "Hadoop is as its archive has it",
            (INSTALL_PROGRAM, "--check", str(settings["archive_digest"])),
            expect="in order",
            covers=(INSTALL_PROGRAM,),
            is_quick=True,
            rests_on=(INSTALL_PROGRAM, SUMS),
        ),
        Package("default-jre-headless"),
        *(Unit(UNITS[part]) for part in parts),
        *((Unit(ZOOKEEPER), Port(HDFS_HTTP_PORTS["journal_node"])) if "journal_node" in parts else ()),
        *((Unit(FAILOVER),) if "name_node" in parts and has_standby else ()),
        Unit("leptonctl-hdfs-metrics.timer"),
        *(
            (CommonCommand if part in _WITH_OTHERS or "journal_node" in parts else Command)(
                TITLES[part], (HEALTH_PROGRAM, part), expect="in order", limit_s=60, covers=(HEALTH_PROGRAM,)
            )
            for part in parts
        ),
    ]
    if "name_node" in parts:
        names = (NAME_NODE_PROGRAM, "--check")
        found += [
            Command(
                "the names of HDFS are there",
                names,
                expect="in order",
                covers=(NAME_NODE_PROGRAM,),
                is_quick=True,
                rests_on=(NAME_NODE_PROGRAM,),
            ),
            Command(
                "the paths of HDFS are as the site file says",
                (PATHS_PROGRAM, "--check"),
                expect="in order",
                limit_s=60,
                covers=(PATHS_PROGRAM,),
            ),
            Unit(PATHS_TIMER),
        ]
    return tuple(found)


UNITS: dict[Part, str] = {
    "name_node": "leptonctl-hdfs-name-node.service",
    "checkpoint_node": "leptonctl-hdfs-checkpoint-node.service",
    "journal_node": "leptonctl-hdfs-journal-node.service",
    "data_node": "leptonctl-hdfs-data-node.service",
}
TITLES: dict[Part, str] = {
    "name_node": "HDFS has all its data nodes and blocks",
    "checkpoint_node": "the names of HDFS are copied",
    "journal_node": "the journal node keeps the edits of HDFS, and votes",
    "data_node": "the data node has its disks and its name node",
}
# A name node may be there before its data nodes, which are others of its rollout or of another location. A journal
# node, and what else its host is, is there before the other journal nodes and the name nodes.
_WITH_OTHERS: frozenset[Part] = frozenset({"name_node", "journal_node"})
