"""What runs on a host to read AMD's GPUs, run here on the files of a folder, named as the kernel names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.remote import accelerators, amd

if TYPE_CHECKING:
    from pathlib import Path

BUS = "0000:83:00.0"


def test_errors_and_limits_are_given_as_the_driver_says(tmp_path: Path) -> None:
    device = tmp_path / "sys/bus/pci/devices" / BUS
    (device / "ras").mkdir(parents=True)
    (device / "ras/umc_err_count").write_text("ue: 0\nce: 1\n")
    (device / "ras/features").write_text("feature mask: 0x3\n")
    sensors = device / "hwmon/hwmon4"
    sensors.mkdir(parents=True)
    for name, text in {"temp2_label": "junction", "temp2_crit": "100000", "temp1_label": "edge"}.items():
        (sensors / name).write_text(text + "\n")
    assert amd.of_driver(tmp_path, [BUS]) == {
        BUS: {"ras": {"umc_err_count": "ue: 0\nce: 1"}, "limits": {"edge": "", "junction": "100000"}}
    }
    assert amd.of_driver(tmp_path, ["0000:01:00.0"]) == {"0000:01:00.0": {"ras": {}, "limits": {}}}


def test_gpus_are_counted_by_maker_also_those_that_have_no_display(tmp_path: Path) -> None:
    for bus, vendor, kind in ((BUS, "0x1002", "0x120000"), ("0000:01:00.0", "0x10de", "0x030200")):
        device = tmp_path / "sys/bus/pci/devices" / bus
        device.mkdir(parents=True)
        (device / "vendor").write_text(vendor + "\n")
        (device / "class").write_text(kind + "\n")
    assert accelerators.pci_bus_ids(tmp_path, "amd") == [BUS]
    assert accelerators.pci_bus_ids(tmp_path, "nvidia") == ["0000:01:00.0"]
