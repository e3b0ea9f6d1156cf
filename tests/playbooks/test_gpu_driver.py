"""What the role gpu_driver finds on a host and chooses, from the PCI ids of real machines; what its program answers."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leptonctl.assets import asset
from tests.devices.pci_tree import write_tree

ROLE = asset("playbooks", "roles", "gpu_driver")
FILTER = asset("playbooks", "collections") / "ansible_collections/leptonctl/host/plugins/filter/gpu_driver.py"
DEFAULTS = {"vendor": "nvidia", "source": "debian", "branch": 535, "kernel_module": "auto", "version": None}
H100 = ["1b", "43", "52", "61", "9d", "c3", "d1", "df"]


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here is the tree, not what this machine's programs say of this machine."""
    monkeypatch.setenv("PATH", "")


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def look(root: Path, **changed: object) -> str:
    """What `look.py` prints of a tree, as it is on a host with kernel headers in the archive."""
    found = module(ROLE / "files" / "look.py").look(root)
    return json.dumps({**found, "headers": "packaged", "container": "", "kernel": "6.1.0-1-amd64", **changed})


def choice(text: str, declared: dict[str, Any] | None = None, **settings: object) -> dict[str, Any]:
    found: dict[str, Any] = module(FILTER).choice(text, {**DEFAULTS, **settings}, declared or {})
    return found


def test_gpus_and_switches_are_found_on_the_bus_and_a_servers_own_display_is_none(tmp_path: Path) -> None:
    found = json.loads(look(write_tree(tmp_path, "hgx-h100.txt")))
    assert [one["bus_id"] for one in found["devices"] if not one["is_switch"]] == [f"0000:{bus}:00.0" for bus in H100]
    assert [one["bus_id"] for one in found["devices"] if one["is_switch"]] == [
        f"0000:{bus}:00.0" for bus in ("07", "08", "09", "0a")
    ]
    assert {one["driver"] for one in found["devices"]} == {""}


def test_a_machine_as_declared_gets_its_driver_fabric_manager_and_headers(tmp_path: Path) -> None:
    text = look(write_tree(tmp_path, "hgx-h100.txt"))
    found = choice(text, {"count": 8, "model": "H100", "nvswitch": True}, source="vendor", branch=570)
    assert found["problems"] == []
    assert found["kernel_module"] == "open"
    assert found["packages"] == [
        *("linux-headers-6.1.0-1-amd64", "nvidia-kernel-open-dkms=570.*", "nvidia-driver-cuda=570.*"),
        *("nvidia-persistenced=570.*", "nvidia-fabricmanager-570=570.*"),
    ]


def test_a_gpu_that_fell_off_the_bus_is_named_by_those_that_did_not(tmp_path: Path) -> None:
    text = look(write_tree(tmp_path, "hgx-h100.txt", without=("0000:9d:00.0",)))
    there = ", ".join(f"0000:{bus}:00.0" for bus in H100 if bus != "9d")
    assert choice(text, {"count": 8, "nvswitch": True}, source="vendor", branch=570)["problems"] == [
        (
            f"the site file declares 8 NVIDIA GPUs, 7 are on the PCI bus ({there}); a GPU that is missing"
            " fell off the bus or has no power"
        ),
    ]


def test_no_gpu_where_one_is_declared_is_a_problem_and_not_a_skip(tmp_path: Path) -> None:
    assert choice(look(tmp_path), {"count": 1})["problems"] == [
        "the site file declares 1 NVIDIA GPU, none is on the PCI bus"
    ]
    assert choice(look(write_tree(tmp_path, "mi300x.txt")), {"count": 2})["problems"] == [
        "the site file declares 2 NVIDIA GPUs, none is on the PCI bus; it has GPUs of amd"
    ]


def test_no_gpu_where_none_is_declared_is_no_problem(tmp_path: Path) -> None:
    found = choice(look(tmp_path, headers="none"))
    assert found["problems"] == []
    assert found["gpus"] == []
    assert "nvidia-kernel-dkms=535.*" in found["packages"]


def test_more_gpus_than_declared_another_model_and_switches_that_nobody_named_are_told_together(tmp_path: Path) -> None:
    text = look(write_tree(tmp_path, "hgx-h100.txt", without=tuple(f"0000:{bus}:00.0" for bus in H100[2:])))
    problems = choice(text, {"count": 1, "model": "A100"})["problems"]
    assert problems == [
        "the site file declares 1 NVIDIA GPU, 2 are on the PCI bus (0000:1b:00.0, 0000:43:00.0)",
        "the GPU 0000:1b:00.0 (2330) is of the generation Hopper, and the site file declares A100, which is Ampere",
        "the GPU 0000:43:00.0 (2330) is of the generation Hopper, and the site file declares A100, which is Ampere",
        (
            "the host has 4 NVSwitches, and the site file does not declare `nvswitch: true`: without Fabric Manager"
            " its GPUs do not start"
        ),
    ]


def test_a_declared_switch_that_is_not_there_is_a_problem_where_the_bus_would_show_it(tmp_path: Path) -> None:
    switches = tuple(f"0000:{bus}:00.0" for bus in ("07", "08", "09", "0a"))
    text = look(write_tree(tmp_path, "hgx-h100.txt", without=switches))
    declared = {"count": 8, "nvswitch": True}
    assert choice(text, declared, source="vendor", branch=570)["problems"] == [
        "the site file declares an NVSwitch, and none is on the PCI bus"
    ]


def test_an_impossible_driver_is_refused_on_the_host_too_where_no_model_is_declared(tmp_path: Path) -> None:
    text = look(write_tree(tmp_path, "b200.txt"))
    assert choice(text)["problems"] == [
        "Blackwell GPUs need the branch 570 or later, not 535: set `branch: 570` and `source: vendor`"
    ]
    assert choice(text, source="vendor", branch=570)["kernel_module"] == "open"


def test_a_gpu_that_no_table_knows_needs_its_kernel_module_named(tmp_path: Path) -> None:
    folder = write_tree(tmp_path, "b200.txt") / "sys/bus/pci/devices/0000:18:00.0"
    (folder / "device").write_text("0x3fff\n")
    text = look(tmp_path)
    assert choice(text)["problems"] == [
        (
            "the GPU 0000:18:00.0 has the PCI id 10de:3fff, which no generation known here has:"
            " name the `kernel_module` that it needs"
        ),
    ]
    assert choice(text, kernel_module="proprietary")["problems"] == []


def test_a_kernel_that_nothing_can_be_built_for_is_told_before_anything_is_installed(tmp_path: Path) -> None:
    text = look(write_tree(tmp_path, "b200.txt"), headers="none")
    assert choice(text, source="vendor", branch=570)["problems"] == [
        (
            "no module can be built for the running kernel 6.1.0-1-amd64: the archive has no"
            " linux-headers-6.1.0-1-amd64; boot a kernel of the archive first"
        ),
    ]


def test_amds_gpus_are_counted_for_amds_driver(tmp_path: Path) -> None:
    found = choice(look(write_tree(tmp_path, "mi300x.txt")), {"count": 2}, vendor="amd")
    assert found["problems"] == []
    assert found["gpus"] == ["0000:85:00.0", "0000:85:02.0"]


@pytest.mark.parametrize("bit", [0, 1])
def test_secure_boot_is_noticed(tmp_path: Path, bit: int) -> None:
    program = module(ROLE / "files" / "look.py")
    variable = tmp_path / "sys/firmware/efi/efivars" / program.SECURE_BOOT
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\6\0\0\0" + bytes([bit]))
    assert program.secure_boot(tmp_path) is bool(bit)
    assert program.secure_boot(tmp_path / "none") is None


def test_the_program_prints_one_object_where_it_runs(tmp_path: Path) -> None:
    text = (ROLE / "files" / "look.py").read_text()
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-"], input=text, capture_output=True, text=True, check=True, env=environment
    )
    assert set(json.loads(done.stdout)) == {"devices", "kernel", "headers", "container", "secure_boot", "has_lists"}
