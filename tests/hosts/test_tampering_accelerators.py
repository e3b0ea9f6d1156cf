"""What the roles of accelerators and hardening manage, changed by hand: told alone, under its role, and mended.

The packages of the makers are fakes (`fake_vendor`); files, sources, keys, units, holds and rules are the roles' own.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from leptonctl.health.readings import Declared
from tests.hosts.box import Box, fresh_box, role
from tests.hosts.tampering import (
    RELOAD,
    Change,
    Round,
    content,
    disabled,
    held,
    hold,
    missing,
    mode,
    put_over,
    stopped,
)
from tests.playbooks.fake_vendor import FakeVendor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

PROGRAMS = "/usr/local/lib/leptonctl"
DRIVER_DROP_IN = "/etc/systemd/system/nvidia-persistenced.service.d/60-leptonctl.conf"
# The table lives in the kernel: nothing on the disk tells of a rule that somebody put into it.
RULE = "nft insert rule inet leptonctl input tcp dport 4444 accept"


ROUNDS = {
    "files, sources, keys, holds and what stopped": Round(
        (
            content("gpu_driver", "/etc/modprobe.d/60-leptonctl-gpu.conf"),
            missing("gpu_driver", "/etc/apt/preferences.d/60-leptonctl-gpu-driver"),
            content("gpu_driver", "/etc/apt/sources.list.d/leptonctl-nvidia.sources"),
            content("gpu_driver", "/etc/apt/keyrings/leptonctl-nvidia.asc"),
            Change(
                "gpu_driver",
                "package nvidia-driver-cuda is marked install, should be hold",
                "apt-mark unhold nvidia-driver-cuda",
            ),
            mode("gpu_driver", f"{PROGRAMS}/gpu_driver", "0777", "0755"),
            stopped("gpu_driver", "leptonctl-gpu-driver-metrics.timer"),
            content("gpu_container_toolkit", "/etc/nvidia-container-runtime/config.toml"),
            content("gpu_container_toolkit", f"{PROGRAMS}/gpu_cdi"),
            missing("gpu_container_toolkit", "/etc/apt/keyrings/leptonctl-nvidia-container-toolkit.asc"),
            missing("gpu_container_toolkit", "/etc/apt/sources.list.d/leptonctl-nvidia-container-toolkit.sources"),
            disabled("gpu_container_toolkit", "leptonctl-gpu-cdi.service"),
            content("fpga", "/etc/leptonctl-fpga.json"),
            missing("fpga", "/etc/apt/sources.list.d/leptonctl-fpga.sources"),
            content("fpga", f"{PROGRAMS}/fpga"),
            disabled("fpga", "leptonctl-fpga-metrics.timer"),
            content("gpu_health", "/etc/leptonctl/gpu_health.json"),
            missing("gpu_health", f"{PROGRAMS}/gpu_health.modules"),
            stopped("gpu_health", "leptonctl-gpu-health.timer"),
            content("hardening", "/etc/ssh/sshd_config.d/00-leptonctl.conf"),
            content("hardening", f"{PROGRAMS}/firewall"),
            missing("hardening", "/etc/apt/apt.conf.d/61leptonctl-reboot"),
            mode("hardening", "/etc/audit/rules.d/60-leptonctl.rules", "0666", "0640"),
            held("hardening", "auditd"),
        )
    ),
    "packages, the kernel's rules and drop-ins": Round(
        (
            Change("gpu_driver", "package nvidia-driver-cuda is not installed", "dpkg --remove nvidia-driver-cuda"),
            content("gpu_driver", DRIVER_DROP_IN, RELOAD),
            Change("fpga", "package xrt is not installed", "dpkg --remove xrt"),
            Change(
                "gpu_container_toolkit",
                "package libnvidia-container1 is not installed",
                "dpkg --remove --force-depends libnvidia-container1",
            ),
            put_over("gpu_health", "leptonctl-gpu-health.timer", "Timer", "AccuracySec=5"),
            put_over("hardening", "ssh.service"),
            Change(
                "hardening",
                "the firewall is in force as it was written: no: exit 1: too much: tcp dport 4444 accept",
                RULE,
            ),
        )
    ),
    "a firewall that is gone, and one that will not come back": Round(
        (
            disabled("hardening", "leptonctl-firewall.service"),
            Change(
                "hardening",
                "the firewall is in force as it was written: no: exit 1: no rule of leptonctl is in force",
                "nft delete table inet leptonctl",
            ),
        )
    ),
}
FLAWS = {
    "gpu_driver": {"the GPU driver is loaded"},
    "gpu_container_toolkit": {"the GPUs are described for containers", "a container sees a GPU"},
    "fpga": {"the FPGAs are as declared"},
    "hardening": {"auditd.service is active and enabled", "the audit rules are loaded"},
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("accelerated")
    with fresh_box(folder, "accelerated") as made:
        vendor = FakeVendor(made, folder)
        vendor.serve()
        vendor.publish_all()
        made.become(
            role("base"),
            role("gpu_driver", **vendor.driver()),
            role("fpga", **vendor.source("/fpga"), declared={}),
            role("gpu_container_toolkit", **vendor.source(), version="1.17.0*"),
            role("monitoring_agent"),
            role("gpu_health", declared={"declared": asdict(Declared(count=1)), "policy": {}}),
            role("hardening"),
        )
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    assert failing(box) == FLAWS
    hold(box, ROUNDS[name])
    assert failing(box) == FLAWS


def failing(box: Box) -> dict[str, set[str]]:
    """The live checks that fail, by role: what a container cannot have, and nothing else."""
    found: dict[str, set[str]] = {}
    for check in box.look(with_checks=True).checks or ():
        found.setdefault(check.role, set()).add(check.message.partition(": no: ")[0])
    return found
