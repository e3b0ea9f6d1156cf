"""Which driver a host gets, and which pairs there are not."""

import pytest

from leptonctl.devices.drivers import Wish, driver, refusals
from leptonctl.devices.gpus import Generation, of_model


def known(model: str) -> tuple[Generation, ...]:
    found = of_model(model)
    assert found is not None
    return (found,)


def said(wish: Wish, model: str) -> list[tuple[str, str, str]]:
    return [(one.setting, one.message, one.hint) for one in refusals(wish, known(model))]


@pytest.mark.parametrize("model", ["V100", "P100", "M60"])
def test_the_open_module_is_refused_for_gpus_before_turing(model: str) -> None:
    wish = Wish(source="vendor", branch=570, kernel_module="open")
    (generation,) = known(model)
    message = f"the open kernel module does not know {generation.name} GPUs, the proprietary one does"
    assert said(wish, model) == [
        ("kernel_module", message, "leave `kernel_module` out: the right one is taken"),
    ]


def test_an_old_branch_and_the_proprietary_module_are_refused_for_blackwell_both_at_once() -> None:
    assert said(Wish(source="vendor", branch=550, kernel_module="proprietary"), "B200") == [
        (
            "branch",
            "Blackwell GPUs need the branch 570 or later, not 550",
            "set `branch: 570` and `source: vendor`",
        ),
        (
            "kernel_module",
            "the proprietary kernel module does not know Blackwell GPUs, the open one does",
            "leave `kernel_module` out: the right one is taken",
        ),
    ]


def test_debian_has_one_branch_and_no_fabric_manager() -> None:
    assert said(Wish(branch=570, has_nvswitch=True), "H100") == [
        ("branch", "Debian has the branch 535, not 570", "set `source: vendor`, or `branch: 535`"),
        (
            "source",
            "behind an NVSwitch Fabric Manager has to run, and Debian does not have it",
            "set `source: vendor`",
        ),
    ]


def test_debians_open_module_needs_a_version_that_the_rest_has_too() -> None:
    wish = Wish(kernel_module="open")
    assert [one.setting for one in refusals(wish, known("A100"))] == ["kernel_module"]
    assert refusals(Wish(kernel_module="open", version="535.261.03*"), known("A100")) == ()


@pytest.mark.parametrize(
    ("wish", "model", "module"),
    [
        (Wish(), "A100", "proprietary"),
        (Wish(source="vendor", branch=570), "A100", "open"),
        (Wish(source="vendor", branch=570), "V100", "proprietary"),
        (Wish(source="vendor", branch=580), "B200", "open"),
        (Wish(source="vendor", branch=550, kernel_module="proprietary"), "H100", "proprietary"),
    ],
)
def test_the_module_is_the_one_that_the_gpus_need(wish: Wish, model: str, module: str) -> None:
    assert refusals(wish, known(model)) == ()
    assert driver(wish, known(model)).kernel_module == module


def test_gpus_of_two_generations_get_the_module_that_drives_both() -> None:
    both = (*known("V100"), *known("A100"))
    assert driver(Wish(source="vendor", branch=570), both).kernel_module == "proprietary"


def test_debians_driver_has_no_desktop() -> None:
    found = driver(Wish(), known("T4"))
    assert found.packages == (
        *("nvidia-kernel-dkms", "nvidia-smi", "libcuda1", "libnvidia-ml1", "libnvidia-cfg1"),
        *("nvidia-modprobe", "nvidia-persistenced"),
    )
    assert set(found.versioned) < set(found.packages)


@pytest.mark.parametrize(
    ("branch", "fabric_manager"),
    [(550, "nvidia-fabricmanager-550"), (570, "nvidia-fabricmanager-570"), (580, "nvidia-fabricmanager")],
)
def test_fabric_manager_is_of_the_drivers_branch(branch: int, fabric_manager: str) -> None:
    found = driver(Wish(source="vendor", branch=branch, has_nvswitch=True), known("H100"))
    assert fabric_manager in found.versioned
    assert "nvlsm" not in found.packages


def test_switches_of_blackwell_need_a_subnet_manager_too() -> None:
    found = driver(Wish(source="vendor", branch=580, has_nvswitch=True), known("B200"))
    assert {"nvidia-fabricmanager", "nvlsm"} <= set(found.packages)


def test_amd_has_its_driver_in_the_kernel_or_from_the_maker() -> None:
    assert driver(Wish(vendor="amd"), ()).packages == ("firmware-amd-graphics", "rocm-smi", "rocminfo")
    assert "amdgpu-dkms" in driver(Wish(vendor="amd", source="vendor"), ()).packages
