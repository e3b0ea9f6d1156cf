#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Removes container images that no container uses, oldest first, where their file system is fuller than it should be.

Usage: image_gc RUNTIME FOLDER START_PERCENT STOP_PERCENT KEPT_IMAGE. Prints each image that it removed. Images of
Kubernetes are the kubelet's to remove, and are left alone.
"""

import json
import os
import subprocess
import sys

OF_KUBERNETES = "k8s.io"


def used_percent(folder: str) -> float:
    """The used share of the folder's file system, as `df` counts it: what is kept for root counts as used."""
    found = os.statvfs(folder)
    used = found.f_blocks - found.f_bfree
    return 100 * used / max(1, used + found.f_bavail)


def said(*argv: str) -> str:
    """What a program prints that has to succeed."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def unused_of_containerd() -> list[list[str]]:
    """The commands that each remove an image without a container; in the order of their names: ctr knows no ages."""
    found = []
    for namespace in said("ctr", "namespaces", "list", "--quiet").split():
        if namespace in (OF_KUBERNETES, "moby"):
            continue
        ctr = ["ctr", "--namespace", namespace]
        used = {line.split()[1] for line in said(*ctr, "containers", "list").splitlines()[1:]}
        images = said(*ctr, "images", "list", "--quiet").split()
        found += [[*ctr, "images", "remove", "--sync", name] for name in images if name not in used]
    return found


def unused_of(program: str) -> list[list[str]]:
    """The same for Docker and Podman, by age."""
    containers = said(program, "ps", "--all", "--quiet", "--no-trunc").split()
    used = {one["Image"] for one in json.loads(said(program, "inspect", *containers))} if containers else set()
    identities = list(dict.fromkeys(said(program, "images", "--quiet", "--no-trunc").split()))
    images = json.loads(said(program, "image", "inspect", *identities)) if identities else []
    free = [one for one in images if one["Id"].split(":")[-1] not in {name.split(":")[-1] for name in used}]
    names = {one["Id"]: one.get("RepoTags") or [one["Id"]] for one in free}
    oldest_first = sorted(free, key=lambda one: one["Created"] or "")  # our own image says nothing of its age
    return [[program, "rmi", name] for one in oldest_first for name in names[one["Id"]]]


def main(runtime: str, folder: str, start_percent: str, stop_percent: str, kept: str) -> None:
    """Remove images until enough is free."""
    if used_percent(folder) < int(start_percent):
        return
    for command in unused_of_containerd() if runtime == "containerd" else unused_of(runtime):
        if used_percent(folder) < int(stop_percent):
            return
        if command[-1] != kept:
            # One that a container began to use in the meantime is not removed, and that is as it should be.
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(f"removed {command[-1]}" if done.returncode == 0 else f"kept {command[-1]}: {done.stderr.strip()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
