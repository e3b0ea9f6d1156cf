#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Keeps the description of the GPUs for containers (CDI) in step with the driver that runs, and tries it.

Usage: gpu_cdi update | check | container

update     makes it anew where it is not what the toolkit says now; prints `updated` where it was
check      prints `in order`, or fails with what is missing
container  starts a container that asks for the GPUs and prints the devices that it sees
"""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

SPECIFICATION = Path("/etc/cdi/nvidia.yaml")
DRIVER = Path("/proc/driver/nvidia/version")
IMAGE = "localhost/leptonctl/probe:1"
LOOK = ("/bin/busybox", "ls", "/dev/nvidia0", "/dev/nvidiactl")


def run(*argv: str) -> "tuple[int, str, str]":
    """The exit status of a program, and what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, "", f"{argv[0]}: {error}"
    return done.returncode, done.stdout, " ".join(done.stderr.split())[-300:]


def described() -> "tuple[str, str]":
    """What the toolkit says of the GPUs now, or why it says nothing."""
    if not DRIVER.exists():
        return "", "no driver of NVIDIA's runs on this host"
    status, out, err = run("nvidia-ctk", "cdi", "generate", "--format", "yaml")
    return (out, "") if status == 0 and out.strip() else ("", err or "nvidia-ctk said nothing")


def update() -> int:
    """Write the description, whole or not at all."""
    wanted, why_not = described()
    if not wanted:
        sys.stderr.write(why_not + "\n")
        return 0 if not DRIVER.exists() else 1
    if SPECIFICATION.exists() and SPECIFICATION.read_text() == wanted:
        return 0
    SPECIFICATION.parent.mkdir(mode=0o755, exist_ok=True)
    new = SPECIFICATION.with_name(f".nvidia.{secrets.token_hex(4)}")
    new.write_text(wanted)
    new.chmod(0o644)
    new.replace(SPECIFICATION)
    print("updated")
    return 0


def check() -> int:
    """Compare the description with what the toolkit says now."""
    wanted, why_not = described()
    if not wanted:
        sys.stderr.write(why_not + ": containers get no GPU\n")
        return 1
    if not SPECIFICATION.exists() or SPECIFICATION.read_text() != wanted:
        sys.stderr.write(f"{SPECIFICATION} is not what the driver is now: `{sys.argv[0]} update`\n")
        return 1
    print("in order")
    return 0


def snapshotter() -> str:
    """The one that containerd's images are kept in."""
    try:
        found = re.search(r'^\s*snapshotter = "(\w+)"', Path("/etc/containerd/config.toml").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else "overlayfs"


def container() -> int:
    """Start one with the runtime that is there, and look at its devices from inside."""
    name, everything = "leptonctl-" + secrets.token_hex(6), "NVIDIA_VISIBLE_DEVICES=all"
    runtime = "/usr/bin/nvidia-container-runtime"
    ways = {
        "ctr": ("ctr", "run", "--rm", "--snapshotter", snapshotter(), "--runc-binary", runtime, "--env", everything),
        "docker": ("docker", "run", "--rm", "--runtime", "nvidia", "--env", everything, "--name"),
        "podman": ("podman", "run", "--rm", "--device", "nvidia.com/gpu=all", "--name"),
    }
    for program, argv in ways.items():
        if not any(os.access(folder + "/" + program, os.X_OK) for folder in ("/usr/bin", "/usr/local/bin")):
            continue
        order = (IMAGE, name) if program == "ctr" else (name, IMAGE)
        status, out, err = run(*argv, *order, *LOOK)
        print(out.strip()) if status == 0 else sys.stderr.write(f"{program}: {err}\n")
        return status
    sys.stderr.write("nothing that runs containers is on this host\n")
    return 1


if __name__ == "__main__":
    sys.exit({"update": update, "check": check, "container": container}[sys.argv[1]]())
