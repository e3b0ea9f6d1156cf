"""The makers' own packages on a real host, from a fake maker: sources, keys, branches, versions, settings, faults.

No driver works here and nothing says so: what is installed are fakes with the makers' names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.box import Box, fresh_box
from tests.playbooks.fake_vendor import DRIVER, TOOLKIT, URI, FakePackage, FakeVendor, driver_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVendor]:
    folder = tmp_path_factory.mktemp("accelerators")
    with fresh_box(folder, "accelerators") as box:
        made = FakeVendor(box, folder)
        made.serve()
        made.publish_all()
        yield made


def version_of(box: Box, package: str) -> str:
    return box.run(f"dpkg-query --show --showformat='${{Version}}' {package}")


def test_a_wrong_key_an_unsigned_source_and_one_that_is_down_are_refused_and_nothing_is_written(
    vendor: FakeVendor,
) -> None:
    wrong = "A" * 40
    assert vendor.ask(gpu_driver=vendor.driver(repository_key=wrong)) == (
        f"repository leptonctl-nvidia: the key at {URI}/3bf863cc.pub has the fingerprint {vendor.fingerprint},"
        f" and {wrong} is pinned: nothing was changed"
    )
    assert vendor.ask(gpu_driver=vendor.driver(repository="http://127.0.0.1:9")) == (
        "repository leptonctl-nvidia: its key cannot be fetched from http://127.0.0.1:9/3bf863cc.pub:"
        " [Errno 111] Connection refused"
    )
    vendor.publish("/", "/3bf863cc.pub", *driver_packages(), is_signed=False)
    assert vendor.ask(gpu_driver=vendor.driver()) == (
        f"repository leptonctl-nvidia: {URI}/ is not signed: nothing is taken from it"
    )
    vendor.publish("/", "/3bf863cc.pub", *driver_packages())
    assert vendor.box.run("find /etc/apt/sources.list.d /etc/apt/keyrings -name '*nvidia*'") == ""
    assert "nvidia" not in vendor.box.run("dpkg-query --show")


def test_the_newest_driver_of_the_branch_is_taken_and_held(vendor: FakeVendor) -> None:
    assert vendor.ask(gpu_driver=vendor.driver()) is None
    assert {version_of(vendor.box, name) for name in (*DRIVER, "nvidia-persistenced")} == {"570.20.02-1"}
    assert "nvidia-driver-cuda" in vendor.box.run("apt-mark showhold")
    assert "Signed-By: /etc/apt/keyrings/leptonctl-nvidia.asc" in vendor.box.run(
        "cat /etc/apt/sources.list.d/leptonctl-nvidia.sources"
    )
    assert vendor.box.record().problem is None
    assert vendor.box.found() == {}
    assert vendor.ask(gpu_driver=vendor.driver()) is None
    assert vendor.box.done.changed_count == 0


def test_another_branch_moves_all_packages_together_and_back(vendor: FakeVendor) -> None:
    assert vendor.ask(gpu_driver=vendor.driver(branch=580)) is None
    assert {version_of(vendor.box, name) for name in (*DRIVER, "nvidia-persistenced")} == {"580.30.03-1"}
    assert vendor.ask(gpu_driver=vendor.driver(version="570.10.01*")) is None
    assert {version_of(vendor.box, name) for name in (*DRIVER, "nvidia-persistenced")} == {"570.10.01-1"}


def test_amds_driver_comes_from_both_of_its_sources_and_says_why_it_is_not_loaded(vendor: FakeVendor) -> None:
    kernel, tools = "/amdgpu/6.4.3/ubuntu", "/rocm/apt/6.4.3"
    vendor.publish(kernel, "/rocm/rocm.gpg.key", FakePackage("amdgpu-dkms", "6.12.12"), suite="jammy")
    names = ("amd-smi-lib", "rocm-smi-lib", "rocminfo")
    vendor.publish(tools, "/rocm/rocm.gpg.key", *(FakePackage(name, "6.4.3") for name in names), suite="jammy")
    asked = {"vendor": "amd", **vendor.source(), "source": "vendor", "declared": {}}
    assert vendor.ask(gpu_driver={**asked, "declared": {"count": 8, "model": "MI300X"}}) == (
        "the site file declares 8 AMD GPUs, none is on the PCI bus"
    )
    wrong = "A" * 40
    assert vendor.ask(gpu_driver={**asked, "repository_key": wrong}) == (
        f"repository leptonctl-amdgpu: the key at {URI}/rocm/rocm.gpg.key has the fingerprint {vendor.fingerprint},"
        f" and {wrong} is pinned: nothing was changed"
    )
    assert vendor.ask(gpu_driver=asked) is None
    assert version_of(vendor.box, "amdgpu-dkms") == "6.12.12"
    assert version_of(vendor.box, "rocm-smi-lib") == "6.4.3"
    for name in ("amdgpu", "rocm"):
        source = vendor.box.run(f"cat /etc/apt/sources.list.d/leptonctl-{name}.sources")
        assert f"Signed-By: /etc/apt/keyrings/leptonctl-{name}.asc" in source
    assert vendor.box.record().problem is None
    assert vendor.box.found() == {}
    (told,) = (one.message for one in vendor.box.look(with_checks=True).checks or ())
    kernel_version = vendor.box.run("uname -r").strip()
    assert told == (
        "the GPU driver is loaded: no: exit 1: installed, not loaded: no GPU on the PCI bus;"
        " this is a container (podman), and the kernel is the machine's;"
        f" no module amdgpu was built for the kernel {kernel_version}"
    )
    vendor.box.take_off("gpu_driver")
    assert vendor.box.run("dpkg --list | grep -E '^ii +(amd|rocm)' || :") == ""


def test_the_toolkit_comes_whole_in_one_version_and_says_that_no_driver_runs(vendor: FakeVendor) -> None:
    asked = {**vendor.source(), "version": "1.17.0*"}
    assert vendor.ask(gpu_container_toolkit=asked) is None
    assert {version_of(vendor.box, name) for name in TOOLKIT} == {"1.17.0-1"}
    assert 'mode = "cdi"' in vendor.box.run("cat /etc/nvidia-container-runtime/config.toml")
    assert vendor.box.record().problem is None
    assert vendor.box.found() == {}
    failed = vendor.box.look(with_checks=True).checks or ()
    said = "no driver of NVIDIA's runs on this host: containers get no GPU"
    assert f"the GPUs are described for containers: no: exit 1: {said}" in [one.message for one in failed]
    assert vendor.ask(gpu_container_toolkit={**asked, "version": "1.18.0*", "mode": "auto"}) is None
    assert {version_of(vendor.box, name) for name in TOOLKIT} == {"1.18.0-1"}
    assert 'mode = "auto"' in vendor.box.run("cat /etc/nvidia-container-runtime/config.toml")
    vendor.box.take_off("gpu_container_toolkit")
    assert "nvidia-container" not in vendor.box.run("dpkg --list | grep ^ii")
    assert vendor.box.run("find /etc/nvidia-container-runtime /etc/cdi 2>/dev/null || :") == ""


def test_the_runtime_of_fpgas_comes_from_where_the_site_file_says_and_a_card_that_is_not_there_stops_it(
    vendor: FakeVendor,
) -> None:
    asked = vendor.source("/fpga")
    assert vendor.ask(fpga={**asked, "declared": {"count": 2, "model": None, "shell": None}}) == (
        "the site file declares 2 FPGA cards of amd, none is on the PCI bus"
    )
    assert "xrt" not in vendor.box.run("dpkg-query --show")
    assert vendor.ask(fpga={**asked, "declared": {}}) is None
    assert version_of(vendor.box, "xrt") == "2.19.194"
    assert vendor.box.record().problem is None
    failed = vendor.box.look(with_checks=True).checks or ()
    assert "the FPGAs are as declared: no: exit 1: no FPGA card of amd is on the PCI bus" in [
        one.message for one in failed
    ]
    vendor.box.take_off("fpga")
    assert vendor.box.run("find /etc/systemd/system -name '*fpga*'") == ""


def test_the_driver_is_taken_off_with_all_that_came_with_it(vendor: FakeVendor) -> None:
    vendor.box.take_off("gpu_driver")
    assert "nvidia" not in vendor.box.run("dpkg --list | grep ^ii || :")
    assert vendor.box.run("find /etc -name '*leptonctl*gpu*' -o -name '*leptonctl-nvidia*'") == ""
