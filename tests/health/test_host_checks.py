"""What is around the GPUs: ports as declared, a driver that fits its library, and dead processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.health.answer import reading_of
from leptonctl.health.judge import judge
from leptonctl.health.policy import default_policy
from leptonctl.health.ports import read_ethernet, read_infiniband
from leptonctl.health.readings import Versions
from leptonctl.health.smi import NotUnderstood
from leptonctl.health.verdict import Action, Verdict
from tests.health.recorded import A100, ONE, edited, host

if TYPE_CHECKING:
    from leptonctl.health.readings import Declared, HostReading

FINE = host(edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")))
PORT = {
    "name": "mlx5_0/1",
    "state": "4: ACTIVE",
    "physical": "5: LinkUp",
    "rate": "400 Gb/sec (4X NDR)",
    "layer": "InfiniBand",
    "downs": "0",
}
NIC = {"name": "ens1", "state": "up", "speed": "100000", "downs": "1"}
INFINIBAND = replace(ONE, infiniband_ports=1, infiniband_gbps=400.0)
ETHERNET = replace(ONE, ethernet=(("ens1", 100.0),))


def told(reading: HostReading, declared: Declared) -> list[tuple[str, Verdict, str, str, Action]]:
    found = judge(reading, declared, default_policy())
    return [(one.check, one.verdict, one.subject, one.measured, one.action) for one in found.findings]


def ports(**odd: Any) -> HostReading:
    return replace(FINE, infiniband=read_infiniband([{**PORT, **odd}]))


def nics(**odd: Any) -> HostReading:
    return replace(FINE, ethernet=read_ethernet([{**NIC, **odd}]))


def test_ports_that_are_as_declared_have_no_finding_and_undeclared_ones_are_not_judged() -> None:
    assert told(ports(), INFINIBAND) == []
    assert told(nics(), ETHERNET) == []
    assert told(ports(state="1: DOWN", physical="3: Disabled"), ONE) == []


@pytest.mark.parametrize(
    ("odd", "verdict", "subject", "measured"),
    [
        (
            {"state": "1: DOWN", "physical": "3: Disabled"},
            Verdict.FAILED,
            "",
            "0 ports up; down: mlx5_0/1 (DOWN, Disabled)",
        ),
        ({"state": "2: INIT"}, Verdict.FAILED, "", "0 ports up; down: mlx5_0/1 (INIT, LinkUp)"),
        ({"rate": "100 Gb/sec (4X EDR)"}, Verdict.FAILED, "mlx5_0/1", "100 Gbit/s"),
        ({"downs": "4"}, Verdict.DEGRADED, "mlx5_0/1", "the link was lost 4 times"),
    ],
)
def test_a_port_that_is_down_slow_or_unsteady_is_named(
    odd: dict[str, str], verdict: Verdict, subject: str, measured: str
) -> None:
    (found,) = told(ports(**odd), INFINIBAND)
    assert found[:4] == ("InfiniBand", verdict, subject, measured)


@pytest.mark.parametrize(
    ("odd", "verdict", "measured"),
    [
        ({"state": "down", "speed": ""}, Verdict.FAILED, "down"),
        ({"name": "ens2"}, Verdict.FAILED, "there is no such interface"),
        ({"speed": "25000"}, Verdict.FAILED, "25 Gbit/s"),
        ({"speed": "-1"}, Verdict.UNKNOWN, "it does not tell its rate"),
    ],
)
def test_an_interface_that_is_down_slow_or_not_there_is_named(
    odd: dict[str, str], verdict: Verdict, measured: str
) -> None:
    (found,) = told(nics(**odd), ETHERNET)
    assert found[:4] == ("Ethernet", verdict, "ens1", measured)


def test_ports_that_could_not_be_read_are_unknown_where_they_are_declared() -> None:
    assert told(FINE, INFINIBAND)[0][:2] == ("InfiniBand", Verdict.UNKNOWN)
    assert told(FINE, ETHERNET)[0][:2] == ("Ethernet", Verdict.UNKNOWN)
    assert told(FINE, ONE) == []
    for odd in ({"state": "ACTIVE"}, {"rate": "fast"}):
        with pytest.raises(NotUnderstood):
            ports(**odd)
    with pytest.raises(NotUnderstood):
        nics(state="fine")


def test_parts_that_are_of_the_drivers_version_have_no_finding_and_what_is_not_there_is_not_judged() -> None:
    fit = Versions(
        module="535.54.03",
        library="535.54.03",
        described=("535.54.03",),
        fabric_manager="535.54.03-1",
        toolkit="1.17.8-1",
        toolkit_library="1.17.8-1",
    )
    assert told(replace(FINE, versions=fit), replace(ONE, has_nvswitch=False)) == []
    assert told(replace(FINE, versions=Versions()), ONE) == []


@pytest.mark.parametrize(
    ("odd", "verdict", "measured", "action"),
    [
        (
            {"library": "550.90.07"},
            Verdict.FAILED,
            "the kernel runs the driver 535.54.03, its library is 550.90.07",
            Action.REBOOT,
        ),
        (
            {"module": "550.90.07"},
            Verdict.FAILED,
            "the kernel runs the driver 550.90.07, nvidia-smi speaks of 535.54.03",
            Action.REBOOT,
        ),
        (
            {"described": ("535.54.03", "550.90.07")},
            Verdict.FAILED,
            "containers are given the library of the driver 550.90.07, the kernel runs 535.54.03",
            Action.DRAIN,
        ),
        (
            {"toolkit": "1.17.8-1", "toolkit_library": "1.16.2-1"},
            Verdict.DEGRADED,
            "the container toolkit is 1.17.8-1, its library 1.16.2-1",
            Action.INSPECT,
        ),
    ],
)
def test_a_part_that_does_not_fit_the_driver_is_named(
    odd: dict[str, Any], verdict: Verdict, measured: str, action: Action
) -> None:
    reading = replace(FINE, versions=replace(Versions(module="535.54.03"), **odd))
    assert told(reading, ONE) == [("versions", verdict, "", measured, action)]


@pytest.mark.parametrize("package", ["550.90.07-1", "1:550.90.07-1"])
def test_fabric_manager_has_to_be_of_the_drivers_version_where_an_nvswitch_is(package: str) -> None:
    reading = replace(FINE, versions=Versions(module="535.54.03", fabric_manager=package))
    behind_switch = told(reading, replace(ONE, has_nvswitch=True))
    text = "the driver is 535.54.03, Fabric Manager 550.90.07"
    assert ("versions", Verdict.FAILED, "", text, Action.DRAIN) in behind_switch
    assert told(reading, ONE) == []


def test_a_version_of_another_shape_is_unknown_and_never_passes() -> None:
    whole = {"now_s": 1.0, "booted_s": 0.0, "pci": [], "smi": {"failed": "x"}, "log": {"text": ""}}
    found = reading_of({**whole, "fabric_manager": "unknown", "versions": {"module": 535}})
    assert found.unread == {"nvidia-smi": "x", "versions": "the versions of module were not understood"}
    assert ("versions", Verdict.UNKNOWN) in [one[:2] for one in told(found, ONE)]


@pytest.mark.parametrize(
    ("count", "verdict"), [(1000, None), (1001, Verdict.DEGRADED), (2000, Verdict.DEGRADED), (2001, Verdict.FAILED)]
)
def test_dead_processes_count_by_the_thousand(count: int, verdict: Verdict | None) -> None:
    found = told(replace(FINE, zombie_count=count), ONE)
    assert [one[1] for one in found] == ([] if verdict is None else [verdict])
