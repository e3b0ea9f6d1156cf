"""A host's answer about its GPUs becomes readings; on a real local host, where no GPU is and a fake nvidia-smi speaks.

The fake repeats what a real A100 said (tests/data/gpu). There is no driver behind it, so nothing here is evidence
about one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.health.answer import reading_of
from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import Declared
from leptonctl.health.verdict import Verdict
from leptonctl.hosts.health import read_accelerators
from tests.health.recorded import A100, DATA, text_of

if TYPE_CHECKING:
    from tests.hosts.box import Box

FAKE_SMI = "/usr/local/bin/nvidia-smi"


def answer(**odd: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "schema": 1,
        "now_s": 1700000000.0,
        "booted_s": 1690000000.0,
        "pci": ["0000:01:00.0"],
        "smi": {"text": text_of(A100)},
        "log": {"text": ""},
        "fabric_manager": "unknown",
    }
    return whole | odd


def test_a_whole_answer_is_read_whole() -> None:
    found = reading_of(answer(log={"text": (DATA / "kernel.log").read_text()}, fabric_manager="inactive"))
    assert found.smi is not None
    assert [gpu.model for gpu in found.smi.gpus] == ["NVIDIA A100-SXM4-80GB"]
    assert found.xids is not None
    assert {event.code for event in found.xids} == {119}
    assert (found.pci_bus_ids, found.fabric_manager_active, found.unread) == (("0000:01:00.0",), False, {})


def test_what_failed_and_what_was_not_understood_is_named() -> None:
    found = reading_of(
        answer(
            smi={"failed": "nvidia-smi -q: exit 124: no answer within 60 s"},
            log={"text": "1.5 box kernel: NVRM: Xid of a new kind"},
            links={"text": "?"},
            link_errors={"text": ""},
        )
    )
    assert found.unread == {
        "nvidia-smi": "nvidia-smi -q: exit 124: no answer within 60 s",
        "NVLink": "`nvidia-smi nvlink` began with '?', not with a GPU",
        "kernel log": "a line with an Xid was not understood: '1.5 box kernel: NVRM: Xid of a new kind'",
    }
    assert (found.smi, found.links, found.xids) == (None, None, None)


@pytest.mark.hosts
def test_a_host_without_the_gpu_that_is_declared_is_failed_and_never_skipped(box: Box) -> None:
    reading = read_accelerators([box.target], look_back_s=3600, with_links=frozenset())[box.target.address]
    found = judge(reading, Declared(count=1), default_policy())
    assert found.verdict == Verdict.FAILED
    assert [(one.check, one.verdict, one.measured) for one in found.findings] == [
        ("count", Verdict.FAILED, "0 GPUs on the PCI bus"),
        ("nvidia-smi", Verdict.UNKNOWN, "nvidia-smi -q: exit 127: nvidia-smi: No such file or directory"),
    ]


@pytest.mark.hosts
def test_a_gpu_that_only_nvidia_smi_has_is_read_over_ssh_and_still_not_believed(box: Box) -> None:
    box.run(f"cat >{FAKE_SMI} <<'END'\n#!/bin/sh\ncat <<'XML'\n{text_of(A100)}XML\nEND\nchmod 755 {FAKE_SMI}")
    try:
        reading = read_accelerators([box.target], look_back_s=3600, with_links=frozenset())[box.target.address]
    finally:
        box.run(f"rm {FAKE_SMI}")
    found = judge(reading, Declared(count=1, model="A100"), default_policy())
    assert [(one.check, one.verdict, one.measured) for one in found.findings] == [
        ("count", Verdict.FAILED, "0 GPUs on the PCI bus"),
        ("persistence", Verdict.DEGRADED, "off"),
    ]
    assert found.gpus == {"0000:01:00.0": Verdict.DEGRADED}


@pytest.mark.hosts
@pytest.mark.matrix
def test_amds_gpus_and_links_that_are_declared_and_not_there_are_failed_too(box: Box) -> None:
    address = box.target.address
    declared = Declared(count=1, vendor="amd", infiniband_ports=1, ethernet=(("ens1", 100.0),))
    reading = read_accelerators([box.target], look_back_s=3600, of_amd=frozenset({address}))[address]
    program = "/opt/rocm/bin/rocm-smi"
    assert [(one.check, one.verdict, one.measured) for one in judge(reading, declared, default_policy()).findings] == [
        ("count", Verdict.FAILED, "0 GPUs on the PCI bus"),
        ("InfiniBand", Verdict.FAILED, "0 ports up"),
        ("Ethernet", Verdict.FAILED, "there is no such interface"),
        ("rocm-smi", Verdict.UNKNOWN, f"{program} --showid: exit 127: {program}: No such file or directory"),
    ]
