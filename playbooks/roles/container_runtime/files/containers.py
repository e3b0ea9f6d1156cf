#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Tells which container runtimes are installed and what runs in each, as JSON; reads only.

With `--stop-all-but RUNTIME` it stops the containers of the others. With `--check RUNTIME` it prints `none` where no
other one runs any, else their names.
"""

import json
import re
import subprocess
import sys

PACKAGES = {"containerd": "containerd", "docker": "docker.io", "podman": "podman"}
# What `verify` starts to see whether containers start; and Docker's own, which are told as Docker's.
PASSING, OF_DOCKER = "leptonctl-", "moby"
STOP_LIMIT_S = 30


def said(*argv: str) -> list[str]:
    """The lines that a program prints; none where it is not there or its service does not answer."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def installed() -> list[str]:
    """The packages of runtimes that are there."""
    form = "--showformat=${Package} ${db:Status-Status}\n"
    found = subprocess.run(
        ["dpkg-query", "--show", form, *PACKAGES.values()], capture_output=True, text=True, check=False
    )
    return [
        name for name, _, status in (line.partition(" ") for line in found.stdout.splitlines()) if status == "installed"
    ]


def tasks() -> list[tuple[str, str]]:
    """The containers that containerd runs for itself or for Kubernetes, as (namespace, name)."""
    found = []
    for namespace in said("ctr", "namespaces", "list", "--quiet"):
        if namespace != OF_DOCKER:
            listed = [re.split(r"\s+", line) for line in said("ctr", "--namespace", namespace, "tasks", "list")[1:]]
            found += [(namespace, words[0]) for words in listed if words[2:3] == ["RUNNING"]]
    return found


def running() -> dict[str, list[str]]:
    """The names of what runs, by runtime."""
    names = {
        "containerd": [name for _, name in tasks()],
        "docker": said("docker", "ps", "--format", "{{.Names}}"),
        "podman": said("podman", "ps", "--format", "{{.Names}}"),
    }
    kept = {runtime: [name for name in found if not name.startswith(PASSING)] for runtime, found in names.items()}
    return {runtime: sorted(found) for runtime, found in kept.items() if found}


def stop(runtime: str) -> None:
    """Stop what runs in it: asked first, killed after half a minute."""
    if runtime != "containerd":
        subprocess.run([runtime, "stop", "--time", str(STOP_LIMIT_S), *running().get(runtime, [])], check=True)
        return
    for namespace, name in tasks():
        ctr = ["ctr", "--namespace", namespace, "tasks"]
        subprocess.run([*ctr, "kill", "--signal", "SIGTERM", name], check=False)
        try:
            subprocess.run([*ctr, "delete", name], check=True, capture_output=True, timeout=STOP_LIMIT_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            subprocess.run([*ctr, "delete", "--force", name], check=True)


def main(option: str = "", wanted: str = "") -> None:
    """Look, check or stop."""
    others = {runtime: names for runtime, names in running().items() if runtime != wanted}
    if option == "--stop-all-but":
        for runtime in others:
            stop(runtime)
    elif option == "--check":
        print(", ".join(name for names in others.values() for name in names) or "none")
    else:
        print(json.dumps({"installed": installed(), "running": running()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
