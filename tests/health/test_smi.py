"""nvidia-smi's answer is read, not offered, or not understood; recorded answers of four generations."""

from __future__ import annotations

import pytest

from leptonctl.health.smi import NotUnderstood, read_smi, short_bus_id
from tests.health.recorded import A10G, A100, ADA, T4, edited, text_of


def test_an_a100_is_read_with_what_it_does_not_offer() -> None:
    found = read_smi(text_of(A100))
    assert (found.driver_version, found.cuda_version, found.attached_count) == ("535.54.03", "12.2", 1)
    gpu = found.gpus[0]
    assert (gpu.bus_id, gpu.model, gpu.serial) == ("0000:01:00.0", "NVIDIA A100-SXM4-80GB", "1650522003820")
    assert (gpu.memory_mib, gpu.memory_used_mib, gpu.is_ecc_on) == (81920, 50, True)
    assert (gpu.ecc_uncorrectable, gpu.ecc_correctable) == (0, 0)
    assert (gpu.temperature_c, gpu.temperature_max_c, gpu.memory_temperature_c) == (27, 85, 44)
    assert (gpu.pcie_generation, gpu.pcie_width, gpu.pcie_replays) == (4, 16, 0)
    assert gpu.power_w == 67.03
    assert gpu.remap_failed is None
    assert gpu.is_persistent is False
    assert gpu.unreadable == ()


@pytest.mark.parametrize("name", [A10G, A100, ADA, T4])
def test_every_recorded_answer_is_understood_whole(name: str) -> None:
    assert [gpu.unreadable for gpu in read_smi(text_of(name)).gpus] == [()]


def test_a_card_of_a_cloud_machine_has_zeros_for_a_serial_number() -> None:
    assert read_smi(text_of(T4)).gpus[0].serial is None


def test_the_newest_schema_counts_two_kinds_of_sram_errors() -> None:
    volatile = "<volatile>\n\t\t\t\t<sram_correctable>N/A</sram_correctable>"
    assert volatile in text_of(ADA)
    odd = text_of(ADA).replace("<dram_uncorrectable>N/A<", "<dram_uncorrectable>1<", 1)
    odd = odd.replace("<sram_uncorrectable_parity>N/A<", "<sram_uncorrectable_parity>2<", 1)
    assert read_smi(odd).gpus[0].ecc_uncorrectable == 3


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (("<replay_counter>0</replay_counter>", "<replay_counter>many</replay_counter>"), "pcie_replays"),
        (("<replay_counter>0</replay_counter>", ""), "pcie_replays"),
        (("<replay_counter>0</replay_counter>", "<replay_counter>Unknown Error</replay_counter>"), "pcie_replays"),
        (("<gpu_temp>27 C</gpu_temp>", "<gpu_temp>80 F</gpu_temp>"), "temperature_c"),
        (
            ("<persistence_mode>Disabled</persistence_mode>", "<persistence_mode>Perhaps</persistence_mode>"),
            "is_persistent",
        ),
        ((">Not Active</clocks_event_reason_hw_slowdown>", ">Perhaps</clocks_event_reason_hw_slowdown>"), "slowdowns"),
    ],
)
def test_a_value_of_another_shape_is_named_and_never_taken_for_fine(edit: tuple[str, str], field: str) -> None:
    text = edited(A100, edit)
    assert read_smi(text).gpus[0].unreadable == (field,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nvidia-smi said nothing"),
        ("No devices were found\n", "nvidia-smi's answer is no whole XML: syntax error"),
        ("<a/>", "nvidia-smi's answer begins with <a>, not <nvidia_smi_log>"),
        ("<nvidia_smi_log/>", "nvidia-smi said neither the driver's version nor how many GPUs are attached"),
        (
            edited(A100, ("<attached_gpus>1<", "<attached_gpus>8<")),
            "nvidia-smi counts 8 GPUs and lists 1",
        ),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', "what should be nvidia-smi's answer is too large, or defines entities"),
        (text_of(A100)[:4000], "nvidia-smi's answer is no whole XML: no element found"),
    ],
)
def test_an_answer_of_another_shape_is_refused_whole(text: str, message: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_smi(text)
    # Where in the answer is the parser's word.
    assert caught.value.message.partition(": line ")[0] == message


def test_bus_ids_are_written_as_the_kernel_writes_them() -> None:
    assert short_bus_id("00000000:3B:00.0") == "0000:3b:00.0"
    assert short_bus_id("0000:3b:00") == "0000:3b:00.0"
