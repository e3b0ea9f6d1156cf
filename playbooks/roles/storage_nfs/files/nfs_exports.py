#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""The folders that this host served over NFS, and those of them that left the site file.

Usage: nfs_exports            make and note what is served, delete what was named; prints `changed: ...` for each folder
       nfs_exports --served   print `as asked`, or the folders that are not there; changes nothing
       nfs_exports --check    print `as asked`, or what is kept; changes nothing

What is served and what is to be deleted is in /etc/leptonctl/nfs.json. A folder that left the site file is kept, and
told, until the setting `delete` names its export, or somebody moved the folder away.
"""

import json
import shutil
import sys
from pathlib import Path

WANTED = Path("/etc/leptonctl/nfs.json")
NOTED = Path("/var/lib/leptonctl/nfs_exports.json")


def noted() -> dict[str, str]:
    """The folder of each export that was ever served here, by name."""
    return json.loads(NOTED.read_text()) if NOTED.exists() else {}


def left(wanted: dict) -> dict[str, Path]:
    """The folders that are there, and that no export of the site file has."""
    served = {one["path"] for one in wanted["exports"]}
    names = {one["name"] for one in wanted["exports"]}
    found = {name: Path(path) for name, path in noted().items() if name not in names and path not in served}
    return {name: path for name, path in found.items() if path.is_dir() and not is_empty_disk(path)}


def is_empty_disk(path: Path) -> bool:
    """Whether a folder is a disk of its own, which stays, and holds nothing but what its file system brings."""
    return path.is_mount() and not [one for one in path.iterdir() if one.name != "lost+found"]


def missing(wanted: dict) -> list[Path]:
    """The folders that should be served and are not there."""
    return [path for one in wanted["exports"] if not (path := Path(one["path"])).is_dir()]


def delete(name: str, path: Path, wanted: dict) -> None:
    """Delete a folder with all in it, unless others use something in it. The root of a disk stays, empty."""
    below = [one["name"] for one in wanted["exports"] if Path(one["path"]).is_relative_to(path)]
    if below:
        sys.exit(f"{path} of the export {name} holds what is served as {', '.join(below)}: it is not deleted")
    mounts = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [str(mount) for mount in mounts if mount != path and mount.is_relative_to(path.resolve())]
    if inside:
        sys.exit(f"{path} of the export {name} has other disks in it ({', '.join(inside)}): it is not deleted")
    for one in path.iterdir() if path.is_mount() else (path,):
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()
    print(f"changed: deleted {path} of the export {name}")


def note(exports: dict[str, str]) -> None:
    """Keep what is served and what is kept."""
    text = json.dumps(exports, indent=2, sort_keys=True) + "\n"
    if NOTED.exists() and NOTED.read_text() == text:
        return
    NOTED.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = NOTED.with_suffix(".new")
    beside.write_text(text)
    beside.replace(NOTED)


def ensure(wanted: dict) -> None:
    """Make and note what is served, and delete what is named. Rights of a folder that is there stay."""
    for path in missing(wanted):
        path.mkdir(parents=True)
        print(f"changed: made {path}")
    gone = left(wanted)
    for name in wanted["delete"]:
        if name in gone:
            delete(name, gone.pop(name), wanted)
    kept = {name: str(path) for name, path in gone.items()}
    note(kept | {one["name"]: one["path"] for one in wanted["exports"]})


if __name__ == "__main__":
    WANTED_NOW = json.loads(WANTED.read_text())
    if sys.argv[1:] == ["--served"]:
        print("; ".join(f"{path} is not there" for path in missing(WANTED_NOW)) or "as asked")
    elif sys.argv[1:] == ["--check"]:
        KEPT = [
            f"the export {name} left the site file and its folder {path} is kept (delete: [{name}] deletes it)"
            for name, path in sorted(left(WANTED_NOW).items())
        ]
        print("; ".join(KEPT) or "as asked")
    else:
        ensure(WANTED_NOW)
