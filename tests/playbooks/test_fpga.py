"""What the role fpga finds on the PCI bus of real machines, and says of cards that are not as declared."""

import json
from pathlib import Path

import pytest

from leptonctl.assets import asset
from tests.devices.pci_tree import write_tree
from tests.playbooks.test_gpu_driver import module

PROGRAM = module(asset("playbooks", "roles", "fpga") / "files" / "fpga.py")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty host."""
    monkeypatch.setattr(PROGRAM, "ROOT", tmp_path)
    (tmp_path / "etc").mkdir()
    (tmp_path / PROGRAM.METRICS).parent.mkdir(parents=True)
    return tmp_path


def declare(root: Path, vendor: str, declared: dict[str, object], *, has_runtime: bool = False) -> None:
    settings = {"vendor": vendor, "declared": declared, "has_runtime": has_runtime}
    (root / PROGRAM.SETTINGS).write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("recorded", "vendor", "slot", "model"),
    [
        ("alveo-u200.txt", "amd", "0000:01:00", "U200"),
        ("v80.txt", "amd", "0000:01:00", "V80"),
        ("arria-10.txt", "intel", "0000:81:00", "PAC Arria 10 GX"),
    ],
)
def test_the_functions_of_a_card_are_one_card(root: Path, recorded: str, vendor: str, slot: str, model: str) -> None:
    write_tree(root, recorded)
    (card,) = PROGRAM.cards()
    assert (card["slot"], card["vendor"], card["model"], card["shell"], card["faults"]) == (slot, vendor, model, "", [])
    declare(root, vendor, {"count": 1, "model": model})
    assert PROGRAM.problems() == []


def test_gpus_are_no_fpgas(root: Path) -> None:
    write_tree(root, "hgx-h100.txt", "mi300x.txt")
    assert PROGRAM.cards() == []


def test_a_card_that_is_missing_is_a_problem_whether_one_is_declared_or_not(root: Path) -> None:
    declare(root, "amd", {})
    assert PROGRAM.problems() == ["no FPGA card of amd is on the PCI bus"]
    declare(root, "amd", {"count": 2})
    write_tree(root, "alveo-u200.txt")
    assert PROGRAM.problems() == ["2 FPGA cards of amd are declared, 1 on the PCI bus"]


def test_another_shell_another_model_no_driver_and_a_slow_link_are_told_together(root: Path) -> None:
    functions = write_tree(root, "alveo-u200.txt") / "sys/bus/pci/devices"
    (functions / "0000:01:00.0/rom.m.1024").mkdir()
    (functions / "0000:01:00.0/rom.m.1024/VBNV").write_text("xilinx_u200_gen3x16_xdma_base_2\n")
    (functions / "0000:01:00.1/current_link_width").write_text("8\n")
    (functions / "0000:01:00.1/max_link_width").write_text("16\n")
    (functions / "0000:01:00.1/aer_dev_fatal").write_text("Undefined 0\nTOTAL_ERR_FATAL 3\n")
    declare(root, "amd", {"count": 1, "model": "U250", "shell": "xilinx_u250_gen3x16_xdma_shell_4_1"}, has_runtime=True)
    assert PROGRAM.problems() == [
        "0000:01:00: is U200, should be U250",
        "0000:01:00: its shell is xilinx_u200_gen3x16_xdma_base_2, should be xilinx_u250_gen3x16_xdma_shell_4_1",
        "0000:01:00: no driver has it",
        "0000:01:00.1: link width is 8, can be 16",
        "0000:01:00.1: 3 fatal errors of the PCI bus",
    ]


def test_the_id_of_intels_bitstream_is_its_shell(root: Path) -> None:
    card = write_tree(root, "arria-10.txt") / "sys/bus/pci/devices/0000:81:00.0"
    engine = card / "fpga_region/region0/dfl-fme.0"
    engine.mkdir(parents=True)
    (engine / "bitstream_id").write_text("0x23000410010309\n")
    declare(root, "intel", {"count": 1, "shell": "0x23000410010309"})
    assert PROGRAM.problems() == []


def test_a_shell_that_no_driver_shows_is_not_known_and_does_not_pass(root: Path) -> None:
    write_tree(root, "v80.txt")
    declare(root, "amd", {"count": 1, "shell": "any"})
    assert PROGRAM.problems() == ["0000:01:00: its shell is not known (no driver shows it), should be any"]


def test_a_card_in_its_golden_image_says_so_instead_of_its_shell(root: Path) -> None:
    functions = write_tree(root, "alveo-u200.txt") / "sys/bus/pci/devices"
    for name in ("0000:01:00.0", "0000:01:00.1"):
        (functions / name / "device").write_text("0xd000\n")
    declare(root, "amd", {"count": 1, "model": "U200", "shell": "any"})
    assert PROGRAM.problems() == ["0000:01:00: runs its golden image: program its shell"]


def test_metrics_have_a_line_for_each_card_and_how_many_things_are_wrong(root: Path) -> None:
    functions = write_tree(root, "alveo-u200.txt") / "sys/bus/pci/devices"
    (functions / "0000:01:00.1/hwmon/hwmon3").mkdir(parents=True)
    (functions / "0000:01:00.1/hwmon/hwmon3/temp1_input").write_text("41500\n")
    declare(root, "amd", {"count": 2})
    assert PROGRAM.metrics() == 0
    assert (root / PROGRAM.METRICS).read_text().splitlines() == [
        "leptonctl_fpga_problems 1",
        'leptonctl_fpga_card{slot="0000:01:00",vendor="amd",model="U200",shell="",driver=""} 1',
        'leptonctl_fpga_faults{slot="0000:01:00"} 0',
        'leptonctl_fpga_celsius{slot="0000:01:00"} 41.5',
    ]
