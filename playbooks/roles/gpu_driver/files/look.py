"""Reads what decides which driver a host takes, and prints it as one JSON object. It only looks.

Fed to Python on its standard input, before anything is installed. GPUs are found on the PCI bus, so that no driver is
needed, and one that no driver knows is seen as well. What was asked of no program is read from /sys and /proc.
"""

import json
import os
import subprocess
from pathlib import Path

NVIDIA, AMD = "0x10de", "0x1002"
# Display controllers and processing accelerators are GPUs; other bridges of NVIDIA's are NVSwitches.
GPU_CLASSES, SWITCH_CLASS = ("0x03", "0x12"), "0x0680"
SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def read(path: Path) -> str:
    """The text of a file of the kernel's, without its line end; empty where there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def devices(root: Path) -> "list[dict[str, object]]":
    """Every device of NVIDIA's and AMD's on the PCI bus."""
    found = []
    for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor, kind = read(folder / "vendor"), read(folder / "class")
        if vendor not in (NVIDIA, AMD) or not kind.startswith((*GPU_CLASSES, SWITCH_CLASS)):
            continue
        if vendor == AMD and kind.startswith(SWITCH_CLASS):
            continue
        found.append(
            {
                "bus_id": folder.name,
                "vendor": {NVIDIA: "nvidia", AMD: "amd"}[vendor],
                "device": int(read(folder / "device"), 16),
                "is_switch": kind.startswith(SWITCH_CLASS),
                "driver": (folder / "driver").resolve().name if (folder / "driver").exists() else "",
            }
        )
    return found


def printed(*argv: str) -> str:
    """What a program prints; empty where it is not there or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def headers(root: Path, release: str) -> str:
    """Where what a kernel module is built with comes from: `packaged`, `built` (no package has it), or `none`."""
    if "Package: linux-headers-" + release in printed("apt-cache", "show", "linux-headers-" + release):
        return "packaged"
    return "built" if (root / "lib/modules" / release / "build").exists() else "none"


def secure_boot(root: Path) -> "bool | None":
    """Whether Secure Boot is on; None where the firmware does not say (no EFI)."""
    try:
        value = (root / "sys/firmware/efi/efivars" / SECURE_BOOT).read_bytes()
    except OSError:
        return None
    return bool(value) and value[-1] == 1


def look(root: Path) -> "dict[str, object]":
    """Everything at once; `has_lists` is whether apt has read what the archive has beside `main`."""
    release = os.uname().release
    return {
        "devices": devices(root),
        "kernel": release,
        "headers": headers(root, release),
        "container": printed("systemd-detect-virt", "--container"),
        "secure_boot": secure_boot(root),
        "has_lists": any((root / "var/lib/apt/lists").glob("*_non-free_*Packages*")),
    }


if __name__ == "__main__":
    print(json.dumps(look(Path("/"))))
