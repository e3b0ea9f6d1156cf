"""Which generation a GPU is of."""

import pytest

from leptonctl.devices.gpus import generations, of_device, of_model


@pytest.mark.parametrize(
    ("device", "name"),
    [
        # As pci.ids names them; each end of a block that two generations share.
        (0x13F2, "Maxwell"),
        (0x15F8, "Pascal"),
        (0x1B38, "Pascal"),
        (0x1D7F, "Pascal"),
        (0x1DB5, "Volta"),
        (0x1EB8, "Turing"),
        (0x20B2, "Ampere"),
        (0x2237, "Ampere"),
        (0x2330, "Hopper"),
        (0x2335, "Hopper"),
        (0x2342, "Grace Hopper"),
        (0x26B9, "Ada Lovelace"),
        (0x27B8, "Ada Lovelace"),
        (0x2901, "Blackwell"),
        (0x2BB5, "Blackwell"),
        (0x3182, "Blackwell Ultra"),
    ],
)
def test_a_pci_id_lies_in_the_block_of_its_generation(device: int, name: str) -> None:
    found = of_device(device)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("device", [0x102D, 0x0FB0, 0xFFFF])
def test_what_no_block_has_is_not_known(device: int) -> None:
    assert of_device(device) is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("H100", "Hopper"),
        ("NVIDIA H100 80GB HBM3", "Hopper"),
        ("A100-SXM4-80GB", "Ampere"),
        ("a10g", "Ampere"),
        ("Tesla T4", "Turing"),
        ("Quadro RTX 6000", "Turing"),
        ("NVIDIA RTX 6000 Ada Generation", "Ada Lovelace"),
        ("L40S", "Ada Lovelace"),
        ("GH200", "Grace Hopper"),
        ("NVIDIA B200", "Blackwell"),
        ("Tesla V100-SXM2-32GB", "Volta"),
    ],
)
def test_a_model_is_known_by_the_longest_name_in_it(model: str, name: str) -> None:
    found = of_model(model)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("model", ["A1000", "H1000", "MI300X", "80GB"])
def test_a_part_of_another_name_is_no_name(model: str) -> None:
    assert of_model(model) is None


def test_every_generation_has_its_sources_and_a_kernel_module() -> None:
    for one in generations():
        assert one.sources, one.name
        assert set(one.modules) <= {"open", "proprietary"}
        assert one.modules, one.name
