"""Reads on a host which versions of the driver, its library, Fabric Manager and the container toolkit are there."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from leptonctl.hosts.remote.facts import packages_of
from leptonctl.hosts.remote.links import text_of

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = "libnvidia-ml.so.1"
# Where distributions, NVIDIA's own installer and images of clouds put it.
LIBRARY_FOLDERS = ("usr/lib/*-linux-gnu", "usr/lib64", "usr/lib", "usr/local/nvidia/lib64")
# What the toolkit writes into its description of the GPUs: the library of the driver that it was made for.
CDI_FILES = ("etc/cdi/*.yaml", "etc/cdi/*.json", "var/run/cdi/*.yaml", "var/run/cdi/*.json")
CDI_LIBRARY = re.compile(r"libcuda\.so\.(\d+\.\d+(?:\.\d+)?)\b")
# The second is the name without a branch, which NVIDIA uses from 580 on.
FABRIC_MANAGER = ["nvidia-fabricmanager-%d" % branch for branch in (535, 550, 570)] + ["nvidia-fabricmanager"]
TOOLKIT, TOOLKIT_LIBRARY = "nvidia-container-toolkit", "libnvidia-container1"


def versions(root: Path) -> dict[str, Any]:
    """Give each version as it is written, None where there is none."""
    packages = packages_of([*FABRIC_MANAGER, TOOLKIT, TOOLKIT_LIBRARY])
    version = {name: found["version"] for name, found in packages.items() if found.get("status") == "installed"}
    return {
        "module": text_of(root / "sys/module/nvidia/version") or None,
        "library": library_of(root),
        "described": described(root),
        "fabric_manager": next((version[name] for name in FABRIC_MANAGER if name in version), None),
        "toolkit": version.get(TOOLKIT),
        "toolkit_library": version.get(TOOLKIT_LIBRARY),
    }


def library_of(root: Path) -> str | None:
    """Give the version of the driver's library that programs load: the end of the name that its link leads to."""
    for folder in LIBRARY_FOLDERS:
        for link in sorted(root.glob(f"{folder}/{LIBRARY}")):
            name = os.path.basename(os.path.realpath(link))
            version = name[len(LIBRARY) - 1 :]
            if name.startswith(LIBRARY[:-1]) and "." in version:
                return version
    return None


def described(root: Path) -> list[str]:
    """Give the drivers that descriptions of the GPUs for containers (CDI) were made for."""
    texts = [text_of(path) for pattern in CDI_FILES for path in sorted(root.glob(pattern))]
    return sorted({found for text in texts for found in CDI_LIBRARY.findall(text)})
