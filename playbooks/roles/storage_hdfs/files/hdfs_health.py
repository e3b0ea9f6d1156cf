#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""How HDFS is on this host, from what its daemons say of themselves (JMX over HTTP). Reads only.

Usage: hdfs_health PART             print `in order`, or what is not: what could not be asked is never in order
       hdfs_health --wait PART      the same, asked until it is in order: for two minutes at most, for 20 seconds where
                                    all that is missing are data nodes or a majority of journal nodes, and not at all
                                    for edits to keep, because other hosts may be done later
       hdfs_health --metrics FILE   write the figures of all parts of this host as Prometheus takes them
"""

import json
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

SETTINGS = Path("/etc/leptonctl/hdfs.json")
PORTS = {"name_node": 9870, "checkpoint_node": 9868, "journal_node": 8480, "data_node": 9864}
SERVICES = {
    "name_node": "NameNode",
    "checkpoint_node": "SecondaryNameNode",
    "journal_node": "JournalNode",
    "data_node": "DataNode",
}
ZOOKEEPER_PORT = 2181
# Of the name node and of a data node: the figure's name here, the bean and its attribute, and what it is.
FIGURES = {
    "name_node": (
        ("blocks", "FSNamesystem", "BlocksTotal", "Blocks that are known."),
        ("blocks_missing", "FSNamesystem", "MissingBlocks", "Blocks of which no copy is left."),
        ("blocks_corrupt", "FSNamesystem", "CorruptBlocks", "Blocks with a copy that does not match its checksum."),
        ("blocks_low_redundancy", "FSNamesystem", "LowRedundancyBlocks", "Blocks with too few copies or parts."),
        ("capacity_bytes", "FSNamesystem", "CapacityTotal", "Space of all data nodes."),
        ("remaining_bytes", "FSNamesystem", "CapacityRemaining", "Space that is left."),
        ("data_nodes_live", "FSNamesystemState", "NumLiveDataNodes", "Data nodes that answer."),
        ("data_nodes_dead", "FSNamesystemState", "NumDeadDataNodes", "Data nodes that do not."),
        ("files", "FSNamesystem", "FilesTotal", "Files and folders."),
    ),
    "data_node": (
        ("disk_capacity_bytes", "FSDatasetState", "Capacity", "Space for blocks on this host."),
        ("disk_remaining_bytes", "FSDatasetState", "Remaining", "Space for blocks that is left on this host."),
        ("disks_failed", "FSDatasetState", "NumFailedVolumes", "Disks of this host that failed."),
    ),
    "checkpoint_node": (),
    "journal_node": (),
}
STALE_S = 60
WAIT_S = 120
WAIT_FOR_OTHERS_S = 20
SILENT = "data nodes that do not answer: "
NO_MAJORITY = "its ZooKeeper has no majority"
NO_EDITS = "it holds no edits"
# A checkpoint is made each hour.
CHECKPOINT_LIMIT_S = 3 * 3600


def beans(settings: dict, part: str) -> dict[str, dict]:
    """All figures of a daemon by the name of their bean."""
    # The checkpoint node alone listens on one address, that by which it is known.
    host = settings["address"] if part == "checkpoint_node" else "127.0.0.1"
    return beans_of(host, part)


def beans_of(host: str, part: str, which: str = "*", limit_s: int = 20) -> dict[str, dict]:
    """The figures of a host's daemon by the name of their bean."""
    query = f"qry=Hadoop:service={SERVICES[part]},name={which}"
    with urllib.request.urlopen(f"http://{host}:{PORTS[part]}/jmx?{query}", timeout=limit_s) as answer:
        found = json.loads(answer.read())["beans"]
    prefix = f"Hadoop:service={SERVICES[part]},name="
    named = {one["name"].removeprefix(prefix): one for one in found if one["name"].startswith(prefix)}
    # A data node's own figures carry the number of its storage.
    for name in list(named):
        if name.startswith("FSDatasetState-"):
            named["FSDatasetState"] = named[name]
    return named


def name_node(settings: dict, found: dict[str, dict]) -> Iterator[str]:
    """What is not in order where the names are."""
    info, state, names = found["NameNodeInfo"], found["FSNamesystemState"], found["FSNamesystem"]
    active = [is_active(found), *map(is_active_elsewhere, other_name_nodes(settings))].count(True)
    if active != 1:
        yield f"{active or 'none'} of the name nodes {'are' if active else 'is'} active"
    if info["Safemode"]:
        yield f"it takes no changes: {' '.join(info['Safemode'].split())}"
    live = {address.rpartition(":")[0] for address in json.loads(info["LiveNodes"])}
    missing = [node["host"] for node in settings["nodes"] if node["address"] not in live]
    if missing:
        yield f"{SILENT}{', '.join(missing)}"
    if state["NumStaleDataNodes"]:
        yield f"{state['NumStaleDataNodes']} data nodes have been silent for a while"
    for attribute, text in (
        ("MissingBlocks", "blocks of which no copy is left"),
        ("CorruptBlocks", "blocks with a corrupt copy"),
        ("LowRedundancyBlocks", "blocks with too few copies"),
    ):
        if names[attribute]:
            yield f"{names[attribute]} {text}"
    failed = json.loads(info["NameDirStatuses"])["failed"]
    if failed:
        yield f"folders of names that failed: {', '.join(failed)}"


def other_name_nodes(settings: dict) -> list[str]:
    """Where the other name node is, if there is one."""
    return [one for one in settings["name_nodes"] if one != settings["address"]]


def is_active(found: dict[str, dict]) -> bool:
    """Whether a name node says that it is the active one; one that is alone always is."""
    return found["NameNodeStatus"]["State"] == "active"


def is_active_elsewhere(address: str) -> bool:
    """The same of another host's; that it does not answer is told there."""
    try:
        return is_active(beans_of(address, "name_node", "NameNodeStatus", limit_s=5))
    except (OSError, ValueError, LookupError):
        return False


def journal_node(settings: dict, found: dict[str, dict]) -> Iterator[str]:
    """What is not in order where edits are kept, and the active name node is elected."""
    with socket.create_connection((settings["address"], ZOOKEEPER_PORT), timeout=10) as link:
        link.sendall(b"srvr")
        link.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: link.recv(4096), b"")).decode(errors="replace")
    if "\nMode: " not in said:
        yield NO_MAJORITY
    if '"Formatted":"true"' not in found["JournalNodeInfo"]["JournalsStatus"]:
        yield NO_EDITS


def data_node(settings: dict, found: dict[str, dict]) -> Iterator[str]:
    """What is not in order where blocks are."""
    actors = json.loads(found["DataNodeInfo"]["BPServiceActorInfo"])
    if not actors:
        yield "it does not know its name node"
    silent = [
        actor["NamenodeAddress"]
        for actor in actors
        if actor["ActorState"] != "RUNNING" or int(actor["LastHeartbeatResponseTime"]) > STALE_S
    ]
    # Of two name nodes one is enough; what is wrong with the other is told by itself, also that it misses a data node.
    if len(silent) == len(actors):
        for address in silent:
            yield f"the name node at {address} does not answer it"
    state = found.get("FSDatasetState")
    # Told only once it has met its name node.
    if state is None:
        yield "it has not opened its disks yet"
        return
    if state["NumFailedVolumes"]:
        yield f"disks that failed: {', '.join(state['FailedStorageLocations'])}"
    if state["Remaining"] < settings["block_bytes"]:
        yield "there is no space for a block left"


def checkpoint_node(_settings: dict, found: dict[str, dict]) -> Iterator[str]:
    """What is not in order where the names are copied to."""
    # It tells no time before the first one; since then it has to be young.
    ago_ms = found["SecondaryNameNodeInfo"]["LastCheckpointDeltaMs"]
    if ago_ms >= 0 and ago_ms > CHECKPOINT_LIMIT_S * 1000:
        yield f"the last checkpoint is {ago_ms // 3_600_000} hours old"


LOOKS: dict[str, Callable[[dict, dict[str, dict]], Iterator[str]]] = {
    "name_node": name_node,
    "data_node": data_node,
    "checkpoint_node": checkpoint_node,
    "journal_node": journal_node,
}


def problems(part: str) -> list[str]:
    """What is not in order, and that it could not be asked where it could not."""
    try:
        settings = json.loads(SETTINGS.read_text())
        return list(LOOKS[part](settings, beans(settings, part)))
    except (OSError, ValueError, LookupError, TypeError) as error:
        return [f"unknown: {type(error).__name__}: {error}"]


def waited(part: str) -> list[str]:
    """The same, once it is in order: daemons that were just started know each other after some seconds."""
    begun = time.monotonic()
    while found := [problem for problem in problems(part) if problem != NO_EDITS]:
        lacks_others = all(problem.startswith((SILENT, NO_MAJORITY)) for problem in found)
        if time.monotonic() - begun > (WAIT_FOR_OTHERS_S if lacks_others else WAIT_S):
            break
        time.sleep(1)
    return found


def metrics(settings: dict) -> Iterator[str]:
    """Lines for the node exporter. A part that does not answer has `up` 0 and no figures."""
    yield "# HELP leptonctl_hdfs_up Whether a daemon of HDFS answers."
    yield "# TYPE leptonctl_hdfs_up gauge"
    parts, found = settings["parts"], {}
    for part in parts:
        try:
            found[part] = beans(settings, part)
        except (OSError, ValueError, LookupError):
            found[part] = {}
        yield f'leptonctl_hdfs_up{{part="{part}"}} {int(bool(found[part]))}'
    if "name_node" in parts:
        yield "# HELP leptonctl_hdfs_active Whether this name node is the active one."
        yield "# TYPE leptonctl_hdfs_active gauge"
        yield f"leptonctl_hdfs_active {int(bool(found['name_node']) and is_active(found['name_node']))}"
    for part in parts:
        for name, bean, attribute, help_text in FIGURES[part]:
            value = found[part].get(bean, {}).get(attribute)
            if isinstance(value, (int, float)):
                yield f"# HELP leptonctl_hdfs_{name} {help_text}"
                yield f"# TYPE leptonctl_hdfs_{name} gauge"
                yield f"leptonctl_hdfs_{name} {value}"


if __name__ == "__main__":
    if sys.argv[1] == "--metrics":
        target = Path(sys.argv[2])
        text = "\n".join(metrics(json.loads(SETTINGS.read_text()))) + "\n"
        scratch = target.with_suffix(".new")
        scratch.write_text(text)
        scratch.chmod(0o644)
        scratch.rename(target)
    elif sys.argv[1] == "--wait":
        print("; ".join(waited(sys.argv[2])) or "in order")
    else:
        print("; ".join(problems(sys.argv[1])) or "in order")
