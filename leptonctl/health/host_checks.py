"""Checks of what is around the GPUs of a host: network ports, versions that have to fit, and dead processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.health.findings import unknown
from leptonctl.health.verdict import Action, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.readings import Case, PortReading

_AZURE = "Azure node health checks: state ACTIVE, LinkUp, at its rate"
_ONE_VERSION = "NVIDIA: a driver and its library are of one version"


def infiniband(case: Case) -> Iterator[Finding]:
    """As many ports up as are declared, each at its rate. Ports beyond the declared ones are not judged."""
    declared, ports = case.declared, case.reading.infiniband
    if declared.infiniband_ports is None:
        return
    if ports is None:
        yield unknown("InfiniBand", "", "it was not asked")
        return
    up = [port for port in ports if port.is_up]
    if len(up) < declared.infiniband_ports:
        down = [f"{port.name} ({port.state})" for port in ports if not port.is_up]
        what = f"{len(up)} ports up" + (f"; down: {', '.join(down)}" if down else "")
        most = f"{declared.infiniband_ports} are declared"
        yield Finding("InfiniBand", Verdict.FAILED, "", what, most, _AZURE, Action.DRAIN)
    for port in up:
        yield from _port("InfiniBand", port, declared.infiniband_gbps, case)


def ethernet(case: Case) -> Iterator[Finding]:
    """Every declared interface is there, up, and at its speed."""
    ports = {port.name: port for port in case.reading.ethernet or ()}
    for name, gbps in case.declared.ethernet:
        port = ports.get(name)
        if case.reading.ethernet is None:
            yield unknown("Ethernet", name, "it was not asked")
        elif port is None or not port.is_up:
            what = "there is no such interface" if port is None else port.state
            yield Finding("Ethernet", Verdict.FAILED, name, what, "up", "the site file", Action.DRAIN)
        else:
            yield from _port("Ethernet", port, gbps, case)


def _port(check: str, port: PortReading, gbps: float | None, case: Case) -> Iterator[Finding]:
    if gbps is not None and port.gbps is None:
        yield unknown(check, port.name, "it does not tell its rate")
    elif gbps is not None and port.gbps is not None and port.gbps < gbps:
        what, least = f"{port.gbps:g} Gbit/s", f"{gbps:g} Gbit/s"
        yield Finding(check, Verdict.FAILED, port.name, what, least, "the site file", Action.INSPECT)
    limit = case.policy["link_downs"]
    if port.down_count is not None and port.down_count > limit:
        what, source = f"the link was lost {port.down_count} times", case.policy.source("link_downs")
        yield Finding(check, Verdict.DEGRADED, port.name, what, f"at most {limit}", source, Action.INSPECT)


def versions(case: Case) -> Iterator[Finding]:
    """Library, Fabric Manager and toolkit fit the driver that the kernel runs. What is not there is not judged."""
    found, smi = case.reading.versions, case.reading.smi
    if found is None:
        return
    if found.module is not None:
        for what, other in (("its library is", found.library), ("nvidia-smi speaks of", smi and smi.driver_version)):
            if other is not None and other != found.module:
                yield _misfit(f"the kernel runs the driver {found.module}, {what} {other}", _ONE_VERSION, Action.REBOOT)
        manager = None if found.fabric_manager is None else _upstream(found.fabric_manager)
        if case.declared.has_nvswitch and manager not in {None, found.module}:
            text = f"the driver is {found.module}, Fabric Manager {manager}"
            yield _misfit(text, "NVIDIA Fabric Manager user guide: of the driver's version", Action.DRAIN)
        odd = [version for version in found.described if version != found.module]
        if odd:
            text = f"containers are given the library of the driver {', '.join(odd)}, the kernel runs {found.module}"
            yield _misfit(text, "NVIDIA Container Toolkit: a description is of one driver", Action.DRAIN)
    if None not in {found.toolkit, found.toolkit_library} and found.toolkit != found.toolkit_library:
        text = f"the container toolkit is {found.toolkit}, its library {found.toolkit_library}"
        source = "NVIDIA Container Toolkit: the packages of a release are of one version"
        yield Finding("versions", Verdict.DEGRADED, "", text, "one version", source, Action.INSPECT)


def _misfit(text: str, source: str, action: Action) -> Finding:
    return Finding("versions", Verdict.FAILED, "", text, "one version", source, action)


def _upstream(version: str) -> str:
    """The maker's version in a Debian version: `550.90.07-1` and `1:550.90.07-1` are 550.90.07."""
    return version.partition(":")[2].rpartition("-")[0] if ":" in version else version.partition("-")[0]


def zombies(case: Case) -> Iterator[Finding]:
    """Processes of dead jobs that nobody has asked for."""
    count = case.reading.zombie_count
    for name, verdict, action in (
        ("zombies_failed", Verdict.FAILED, Action.REBOOT),
        ("zombies_degraded", Verdict.DEGRADED, Action.DRAIN),
    ):
        if count is not None and count > case.policy[name]:
            what, most = f"{count} dead processes", f"at most {case.policy[name]}"
            yield Finding("leftovers", verdict, "", what, most, case.policy.source(name), action)
            return
