#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""The names of this site's HDFS on this host.

Usage: hdfs_name_node --format   make empty names where there are none; refused where anything else lies there
       hdfs_name_node --check    print `in order` where there are names, else what there is; changes nothing
       hdfs_name_node            print as JSON what of HDFS lies on this host: `names` (whether there are names),
                                 `other` (files in their place that are none) and `blocks` (cluster by disk)
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path("/var/lib/hadoop")
NAME = ROOT / "name"
NEW = ROOT / "name.new"
JAVA = "/usr/lib/jvm/default-java/bin/java"
SHARE = "/opt/leptonctl/hadoop/share/hadoop"
CLASSES = ":".join(
    ("/etc/leptonctl/hadoop", *(f"{SHARE}/{part}" for part in ("common/*", "common/lib/*", "hdfs/*", "hdfs/lib/*")))
)
FORMAT = (JAVA, "-cp", CLASSES, "org.apache.hadoop.hdfs.server.namenode.NameNode")
LIMIT_S = 300


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


def format_names() -> None:
    """Make empty names: in another folder, which then becomes theirs, so that there are never half-made ones."""
    if has_names():
        print("there are names")
        return
    if others():
        sys.exit(f"refused: {NAME} holds {', '.join(others()[:3])}, which are no names: nothing was formatted over it")
    for disk, cluster in blocks().items():
        sys.exit(f"refused: {ROOT}/{disk} holds blocks of {cluster}, whose names are not here: bring them back")
    if NEW.exists():
        shutil.rmtree(NEW)
    done = subprocess.run(
        [*FORMAT, "-D", f"dfs.namenode.name.dir=file://{NEW}", "-format", "-nonInteractive"],
        user="hdfs",
        group="hdfs",
        extra_groups=[],
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    if done.returncode != 0 or not (NEW / "current" / "VERSION").is_file():
        last = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "FATAL", "Exception"))][-1:]
        sys.exit(f"the name node was not formatted: exit {done.returncode}: {' '.join(last) or 'it said nothing'}")
    if NAME.exists():
        NAME.rmdir()
    NEW.rename(NAME)
    print("it was formatted")


if __name__ == "__main__":
    if sys.argv[1:] == ["--format"]:
        format_names()
    elif sys.argv[1:] == ["--check"]:
        print("in order" if has_names() else f"there are no names in {NAME}")
    else:
        print(json.dumps({"names": has_names(), "other": others(), "blocks": blocks()}))
