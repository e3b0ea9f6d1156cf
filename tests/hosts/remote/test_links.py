"""What runs on a host to read its network ports and dead processes, run here on the files of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.remote import links

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text + "\n")


def test_every_infiniband_port_is_given_as_the_kernel_says(tmp_path: Path) -> None:
    port = tmp_path / "sys/class/infiniband/mlx5_0/ports/1"
    write(port, state="4: ACTIVE", phys_state="5: LinkUp", rate="400 Gb/sec (4X NDR)", link_layer="InfiniBand")
    write(port / "counters", link_downed="2")
    assert links.infiniband(tmp_path) == [
        {
            "name": "mlx5_0/1",
            "state": "4: ACTIVE",
            "physical": "5: LinkUp",
            "rate": "400 Gb/sec (4X NDR)",
            "layer": "InfiniBand",
            "downs": "2",
        }
    ]
    assert links.infiniband(tmp_path / "nowhere") == []


def test_only_interfaces_that_are_devices_are_given(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/net/ens1", operstate="up", speed="100000", carrier_down_count="1")
    (tmp_path / "sys/class/net/ens1/device").mkdir()
    write(tmp_path / "sys/class/net/lo", operstate="unknown")
    assert links.ethernet(tmp_path) == [{"name": "ens1", "state": "up", "speed": "100000", "downs": "1"}]


def test_a_dead_process_is_told_by_its_state_whatever_its_name_is(tmp_path: Path) -> None:
    for number, text in enumerate(("1 (init) S 0", "2 (odd) Z name) Z 1", "3 (Z) R 1")):
        write(tmp_path / f"proc/{number}", stat=text)
    assert links.zombies(tmp_path) == 1
