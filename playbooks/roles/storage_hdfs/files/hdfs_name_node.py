#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""The names of this site's HDFS on this host.

Usage: hdfs_name_node --begin   have names here: taken from the other name node where that has them, else made empty;
                                and with two name nodes have their edits kept by the journal nodes. Refused where
                                anything else lies in their place
       hdfs_name_node --check   print `in order` where there are names, else what there is; changes nothing
       hdfs_name_node           print as JSON what of HDFS lies on this host: `names` (whether there are names),
                                `other` (files in their place that are none) and `blocks` (cluster by disk)
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SETTINGS = Path("/etc/leptonctl/hdfs.json")
ROOT = Path("/var/lib/hadoop")
NAME = ROOT / "name"
NEW = ROOT / "name.new"
# With two name nodes: giving the edits to the journal nodes was begun, or is done.
SHARING, SHARED = ROOT / "edits.sharing", ROOT / "edits.shared"
UNIT = "leptonctl-hdfs-name-node.service"
JAVA = "/usr/lib/jvm/default-java/bin/java"
SHARE = "/opt/leptonctl/hadoop/share/hadoop"
CLASSES = ":".join(
    ("/etc/leptonctl/hadoop", *(f"{SHARE}/{part}" for part in ("common/*", "common/lib/*", "hdfs/*", "hdfs/lib/*")))
)
NAME_NODE = (JAVA, "-cp", CLASSES, "org.apache.hadoop.hdfs.server.namenode.NameNode")
WHY = re.compile(r"[\w.]+(Exception|Error): |FATAL |Re-format aborted|Format aborted")
LIMIT_S = 300
# A daemon that was just started needs some seconds.
WAIT_S = 60


def has_names() -> bool:
    """Whether a name node has its names here."""
    return (NAME / "current" / "VERSION").is_file()


def others() -> list[str]:
    """What lies in the place of the names and is none."""
    return [] if has_names() or not NAME.is_dir() else sorted(path.name for path in NAME.iterdir())


def blocks() -> dict[str, str]:
    """The cluster of each disk that holds blocks."""
    found = {}
    for version in sorted(ROOT.glob("*/current/VERSION")):
        lines = dict(line.partition("=")[::2] for line in version.read_text().splitlines())
        if lines.get("storageType") == "DATA_NODE":
            found[version.parts[-3]] = lines.get("clusterID", "unknown")
    return found


def bean(address: str, port: int, service: str, name: str) -> dict | None:
    """What another host's daemon says of itself; None where it does not answer."""
    url = f"http://{address}:{port}/jmx?qry=Hadoop:service={service},name={name}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.loads(answer.read())["beans"][0]
    except (OSError, ValueError, LookupError):
        return None


def run(what: str, *words: str) -> None:
    """Have the name node's own program do something with the names; end this one where it fails."""
    done = subprocess.run(
        [*NAME_NODE, *words, "-nonInteractive"],
        user="hdfs",
        group="hdfs",
        extra_groups=[],
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    if done.returncode != 0:
        # The exception says why; the errors around it say that there was one.
        said = [line for line in done.stderr.splitlines() if WHY.match(line)] or done.stderr.splitlines()[-1:]
        sys.exit(f"{what}: exit {done.returncode}: {said[-1] if said else 'it said nothing'}")


def put_in_place(what: str, *words: str) -> None:
    """Make names in another folder, which then becomes theirs, so that there are never half-made ones."""
    if NEW.exists():
        shutil.rmtree(NEW)
    run(what, "-D", f"dfs.namenode.name.dir=file://{NEW}", *words)
    if not (NEW / "current" / "VERSION").is_file():
        sys.exit(f"{what}: there are none in {NEW}")
    if NAME.exists():
        NAME.rmdir()
    NEW.rename(NAME)


def make_names(journal_nodes: list[str]) -> None:
    """Make empty names; refused where there were some: their blocks or edits would be nobody's."""
    for disk, cluster in blocks().items():
        sys.exit(f"refused: {ROOT}/{disk} holds blocks of {cluster}, whose names are not here: bring them back")
    if edits := holding_edits(journal_nodes):
        sys.exit(f"refused: {', '.join(edits)} hold edits of names that are not here: bring the other name node up")
    SHARED.unlink(missing_ok=True)
    # The journal nodes come after: what fails between the two goes on from there.
    alone = ("-D", "dfs.namenode.shared.edits.dir=") if journal_nodes else ()
    put_in_place("the name node was not formatted", *alone, "-format")
    print("changed: the name node was formatted")


def holding_edits(journal_nodes: list[str]) -> list[str]:
    """The journal nodes that hold edits; ends the program where one does not answer, because each is needed."""
    end, found = time.monotonic() + WAIT_S, {}
    while silent := [one for one in journal_nodes if not found.get(one)]:
        if time.monotonic() > end:
            sys.exit(f"the journal nodes at {', '.join(silent)} do not answer: each is needed once, to begin")
        time.sleep(1 if found else 0)
        found |= {one: bean(one, 8480, "JournalNode", "JournalNodeInfo") for one in silent}
    return [one for one, info in found.items() if '"Formatted":"true"' in info["JournalsStatus"]]


def share_edits(journal_nodes: list[str]) -> None:
    """Give the edits of names that only this host has to the journal nodes, once."""
    again = SHARING.exists()
    if not again and (edits := holding_edits(journal_nodes)):
        sys.exit(f"refused: {', '.join(edits)} hold edits, and nobody knows whether they are of the names on this host")
    SHARING.touch()
    # It must not change the names meanwhile. The role starts it again.
    subprocess.run(["systemctl", "stop", UNIT], check=True, timeout=LIMIT_S)
    run("the edits were not given to the journal nodes", "-initializeSharedEdits", *(["-force"] if again else []))
    SHARING.rename(SHARED)
    print("changed: the journal nodes keep the edits")


def begin() -> None:
    """Have names on this host."""
    settings = json.loads(SETTINGS.read_text())
    every, journal_nodes = settings["name_nodes"], settings["journal_nodes"]
    if not has_names():
        if others():
            sys.exit(f"refused: {NAME} holds {', '.join(others()[:3])}, which are no names: nothing was made over it")
        elsewhere = [one for one in every if one != settings["address"]]
        if any(bean(one, 9870, "NameNode", "NameNodeInfo") for one in elsewhere):
            SHARED.touch()
            put_in_place("the names were not taken from the other name node", "-bootstrapStandby")
            print("changed: the names were taken from the other name node")
        elif settings["address"] == every[0]:
            make_names(journal_nodes)
        else:
            sys.exit(f"the name node at {every[0]} has the names, and does not answer: it comes first")
    if journal_nodes and not SHARED.exists():
        share_edits(journal_nodes)


if __name__ == "__main__":
    if sys.argv[1:] == ["--begin"]:
        begin()
    elif sys.argv[1:] == ["--check"]:
        print("in order" if has_names() else f"there are no names in {NAME}")
    else:
        print(json.dumps({"names": has_names(), "other": others(), "blocks": blocks()}))
