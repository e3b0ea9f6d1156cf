"""What runs on a host to read versions, run here on the files of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.remote import versions

if TYPE_CHECKING:
    from pathlib import Path


def test_the_library_is_the_one_that_its_link_leads_to_wherever_it_lies(tmp_path: Path) -> None:
    assert versions.library_of(tmp_path) is None
    folder = tmp_path / "usr/lib/x86_64-linux-gnu"
    (folder / "nvidia/current").mkdir(parents=True)
    (folder / "nvidia/current/libnvidia-ml.so.535.261.03").touch()
    (folder / "nvidia/current/libnvidia-ml.so.1").symlink_to("libnvidia-ml.so.535.261.03")
    (folder / "libnvidia-ml.so.1").symlink_to("nvidia/current/libnvidia-ml.so.1")
    assert versions.library_of(tmp_path) == "535.261.03"


def test_a_library_whose_name_has_no_version_is_of_none(tmp_path: Path) -> None:
    (tmp_path / "usr/lib64").mkdir(parents=True)
    (tmp_path / "usr/lib64/libnvidia-ml.so.1").touch()
    assert versions.library_of(tmp_path) is None


def test_every_driver_that_a_description_for_containers_names_is_given_once(tmp_path: Path) -> None:
    (tmp_path / "etc/cdi").mkdir(parents=True)
    mount = "- hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.%s\n  containerPath: /x/libcuda.so.%s\n"
    (tmp_path / "etc/cdi/nvidia.yaml").write_text(mount % ("550.90.07", "550.90.07"))
    assert versions.described(tmp_path) == ["550.90.07"]
    (tmp_path / "var/run/cdi").mkdir(parents=True)
    (tmp_path / "var/run/cdi/old.json").write_text('"libcuda.so.535.54.03" "libcuda.so.1"')
    assert versions.described(tmp_path) == ["535.54.03", "550.90.07"]


def test_the_loaded_driver_is_the_kernels_word(tmp_path: Path) -> None:
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    (tmp_path / "sys/module/nvidia/version").write_text("550.90.07\n")
    assert versions.versions(tmp_path)["module"] == "550.90.07"
