"""Reads on a host what tells of AMD's GPUs: rocm-smi, and the files of the driver amdgpu. Judges nothing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from leptonctl.hosts.remote.links import text_of

if TYPE_CHECKING:
    from pathlib import Path

# AMD's own packages put it where no path leads.
ROCM_SMI = shutil.which("rocm-smi") or os.path.join("/opt/rocm/bin", "rocm-smi")
QUESTION = [
    *(ROCM_SMI, "--showid", "--showproductname", "--showserial", "--showuniqueid", "--showbus", "--showtemp"),
    *("--showpower", "--showclocks", "--showreplaycount", "--showmeminfo", "vram", "--showpids", "--showdriverversion"),
    *("--showperflevel", "--json"),
]
# Asked apart: rocm-smi ends with an error where a card knows nothing of this, and that says nothing about the rest.
TOPOLOGY = [ROCM_SMI, "--showtopotype", "--json"]


def of_driver(root: Path, bus_ids: list[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Give by bus id what amdgpu says: `ras` counts errors by part of the GPU, `limits` are in thousandths of a degree.

    Sources: the kernel's documentation of amdgpu, "RAS Error Count sysfs Interface" and "hwmon".
    """
    found = {}
    for bus_id in bus_ids:
        device = root / "sys/bus/pci/devices" / bus_id
        ras = {path.name: text_of(path) for path in sorted(device.glob("ras/*_err_count"))}
        labels = {text_of(path): path for path in sorted(device.glob("hwmon/hwmon*/temp*_label"))}
        limits = {
            name: text_of(path.with_name(path.name.replace("_label", "_crit"))) for name, path in labels.items() if name
        }
        found[bus_id] = {"ras": ras, "limits": limits}
    return found
