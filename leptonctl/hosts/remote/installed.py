"""Runs on a host, as root, sent over SSH: what accelerators it has and what is installed. Prints one JSON object.

Nothing is judged and nothing is changed here.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.facts import run, units_of

SCHEMA = 1
# Display and 3D controllers, and processing accelerators, by the first byte of the class.
CLASSES = ("0x03", "0x12")
PATTERNS = (
    *("nvidia-driver*", "nvidia-open*", "nvidia-kernel-*", "nvidia-tesla-*", "nvidia-fabricmanager*", "cuda-toolkit*"),
    *("nvidia-container-toolkit*", "datacenter-gpu-manager*", "dcgm*", "rocm*", "amdgpu*", "xrt*"),
    *("containerd*", "docker.io", "docker-ce", "podman", "kubelet", "linux-headers-*"),
)
MODULES = ("nvidia", "nouveau", "amdgpu", "xocl")
UNITS = ("nvidia-persistenced.service", "nvidia-fabricmanager.service", "nvidia-dcgm.service", "dcgm-exporter.service")


def main(request: dict[str, Any]) -> int:
    """Read and print."""
    root = Path(request.get("root", "/"))
    try:
        answer = {
            "kernel": platform.release(),
            "devices": devices(root),
            "packages": packages(),
            "modules": {name: module(root, name) for name in MODULES},
            "units": {name: found.get("ActiveState", "unknown") for name, found in units().items()},
            "secure_boot": secure_boot(root),
        }
    except Exception as error:  # noqa: BLE001 - on a host in any state, whatever goes wrong is an answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def devices(root: Path) -> list[dict[str, str]]:
    """Every accelerator on the PCI bus, with the driver that has it."""
    found = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        kind = (device / "class").read_text().strip()
        if kind.startswith(CLASSES):
            driver = device / "driver"
            found.append(
                {
                    "bus_id": device.name,
                    "vendor": (device / "vendor").read_text().strip(),
                    "device": (device / "device").read_text().strip() if (device / "device").exists() else "?",
                    "driver": os.path.basename(os.readlink(driver)) if driver.is_symlink() else "",
                }
            )
    return found


def packages() -> dict[str, str]:
    """Versions of the installed packages that have to do with accelerators."""
    form = "${Package}\\t${Version}\\t${db:Status-Status}\\n"
    _, out, _ = run(["dpkg-query", "--show", "--showformat=" + form, "--", *PATTERNS])
    rows = (line.split("\t") for line in out.splitlines())
    return {name: version for name, version, status in rows if status == "installed"}


def module(root: Path, name: str) -> dict[str, Any]:
    """Say whether a kernel module is loaded, with its version, and whether it is there to be loaded."""
    folder = root / "sys/module" / name
    version = folder / "version"
    status, out, _ = run(["modinfo", "--field", "version", name])
    return {
        "is_loaded": folder.is_dir(),
        "version": version.read_text().strip() if version.exists() else None,
        "installed": out.strip() or "unknown" if status == 0 else None,
    }


def units() -> dict[str, dict[str, str]]:
    """Give the units that are there."""
    return {name: found for name, found in units_of(list(UNITS)).items() if found.get("LoadState") == "loaded"}


def secure_boot(root: Path) -> bool | None:
    """Whether the firmware only takes signed modules; None where it does not say."""
    for path in (root / "sys/firmware/efi/efivars").glob("SecureBoot-*"):
        return path.read_bytes()[-1:] == b"\x01"
    return None
