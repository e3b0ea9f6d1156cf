"""What the doctor says of one host: what it has, what is installed, what is healthy, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.host_doctor import findings_of
from leptonctl.hosts.installed import Device, Installed, Module, installed_of
from tests.health.recorded import A100, ONE, edited, host

if TYPE_CHECKING:
    from leptonctl.health.readings import Declared

NO_MODULE = Module(is_loaded=False, version=None, installed=None)
GPU = Device("0000:01:00.0", "0x10de", "0x20b2", "nvidia")
FINE = Installed(
    kernel="6.1.0",
    devices=(GPU,),
    packages={"nvidia-driver": "535.54.03-1", "nvidia-container-toolkit": "1.17.0", "containerd": "1.6.20"},
    modules={
        "nvidia": Module(is_loaded=True, version="535.54.03", installed="535.54.03"),
        **dict.fromkeys(("nouveau", "amdgpu", "xocl"), NO_MODULE),
    },
    units={"nvidia-persistenced.service": "active"},
    secure_boot=False,
)
HEALTHY = judge(
    host(edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<"))), ONE, default_policy()
)


def told(found: Installed, declared: Declared | None = ONE) -> dict[str, tuple[bool | None, str]]:
    health = HEALTHY if declared is not None else None
    return {one.name: (one.is_ok, one.found) for one in findings_of(found, declared, health)}


def test_a_host_in_order_has_nothing_to_do() -> None:
    assert told(FINE) == {
        "accelerators on the PCI bus": (True, "0000:01:00.0 NVIDIA 20b2 (nvidia)"),
        "driver nvidia": (True, "535.54.03, loaded"),
        "packages of nvidia": (True, "nvidia-driver 535.54.03-1, nvidia-container-toolkit 1.17.0"),
        "container runtimes": (True, "containerd 1.6.20"),
        "container toolkit": (True, "1.17.0"),
        "nvidia-persistenced.service": (True, "active"),
        "health": (True, "healthy: 1 GPUs"),
    }


def test_a_driver_that_is_installed_and_cannot_be_loaded_says_the_true_reason() -> None:
    bare = replace(FINE, devices=(), modules={**FINE.modules, "nvidia": replace(NO_MODULE, installed="535.54.03")})
    found = told(bare)
    assert found["accelerators on the PCI bus"] == (False, "none")
    assert found["driver nvidia"] == (False, "installed, not loaded: no such device")


def test_a_driver_that_was_upgraded_under_the_loaded_one_asks_for_a_reboot() -> None:
    newer = Module(is_loaded=True, version="535.54.03", installed="550.90.07")
    findings = findings_of(replace(FINE, modules={**FINE.modules, "nvidia": newer}), ONE, HEALTHY)
    (driver,) = [one for one in findings if one.name == "driver nvidia"]
    assert (driver.is_ok, driver.found) == (False, "535.54.03, loaded; 550.90.07 is installed")
    assert driver.hint == "reboot the host, once nothing runs there: until then its library does not fit"


def test_nouveau_in_the_way_of_the_driver_is_named() -> None:
    modules = {**FINE.modules, "nouveau": replace(NO_MODULE, is_loaded=True)}
    assert told(replace(FINE, modules=modules))["driver nouveau"] == (False, "loaded")


def test_an_accelerator_that_the_site_file_does_not_declare_is_told_and_no_failure() -> None:
    found = told(FINE, None)
    assert found["accelerators on the PCI bus"][0] is None
    assert found["health"] == (None, "not judged: the site file declares no accelerators here")


def test_a_host_that_does_not_answer_is_not_in_order() -> None:
    (found,) = findings_of("no answer within 60 s", ONE, None)
    assert (found.name, found.is_ok, found.found) == ("host", False, "no answer within 60 s")


def test_a_hosts_answer_becomes_what_is_judged() -> None:
    answer = {
        "kernel": "6.1.0",
        "devices": [{"bus_id": "0000:01:00.0", "vendor": "0x10de", "device": "0x20b2", "driver": "nvidia"}],
        "packages": {},
        "modules": {"nvidia": {"is_loaded": False, "version": None, "installed": None}},
        "units": {},
        "secure_boot": None,
    }
    found = installed_of(answer)
    assert (found.devices, found.modules["nvidia"]) == ((GPU,), NO_MODULE)
