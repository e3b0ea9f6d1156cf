"""Host doctor: for one host what accelerators it has, what is installed for them, what is healthy, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from leptonctl.clock import Clock
from leptonctl.doctor import Finding
from leptonctl.errors import ExitCode, UsageProblem
from leptonctl.health.verdict import Verdict
from leptonctl.hosts.installed import Installed, read_installed
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.result import Result
from leptonctl.stages.judging import judge_hosts
from leptonctl.stages.looking import look_at_platforms, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.health.judge import HostHealth
    from leptonctl.health.readings import Declared
    from leptonctl.session import Session

_NVIDIA, _AMD = "0x10de", "0x1002"
_VENDORS = {_NVIDIA: "NVIDIA", _AMD: "AMD", "0x10ee": "AMD/Xilinx", "0x8086": "Intel", "0x1172": "Intel/Altera"}
_RUNTIMES = ("containerd", "containerd.io", "docker.io", "docker-ce", "podman", "kubelet")


def examine_host(session: Session, address: str) -> Result:
    """Read and judge one host. Reads only. Exits with 6 where something is not as it has to be."""
    clock = Clock()
    with clock.stage("look"):
        looked = look_at_platforms(session)
        session = session.knowing(looked.observed)
        known = {host.address for location in session.desired.locations for host in location.hosts}
        if address not in known:
            raise UsageProblem(
                f"site '{session.desired.site}' has no host {address!r}", hint="`leptonctl plan` lists every address"
            )
        aims = targets(session, looked.observed, session.desired)
        target = next((one for one in aims if one.address == address), None)
        found: Installed | str = "it is not there: `leptonctl status` tells more"
        health: HostHealth | None = None
        expected = expected_gpus(session.loaded.site, session.desired).get(address)
        if target is not None:
            found = read_installed(target)
            health = judge_hosts([target], {address: expected}).get(address) if expected is not None else None
    findings = tuple(findings_of(found, expected.declared if expected is not None else None, health))
    code = ExitCode.DIFFERENCE_FOUND if any(one.is_ok is False for one in findings) else ExitCode.DONE
    data = {"host": address, "findings": [asdict(one) for one in findings]}
    return Result(verb="doctor", site=session.desired.site, exit_code=code, durations_s=clock.read(), data=data)


def findings_of(found: Installed | str, declared: Declared | None, health: HostHealth | None) -> Iterator[Finding]:
    """Every finding about a host, what it has first. Pure."""
    if isinstance(found, str):
        yield Finding("host", is_ok=False, found=found, needed="an answer", hint="`leptonctl status` tells which")
        return
    yield from _devices(found, declared)
    yield from _drivers(found)
    yield from _runtimes(found)
    yield from _health(health, declared)


def _devices(found: Installed, declared: Declared | None) -> Iterator[Finding]:
    maker = _AMD if declared is not None and declared.vendor == "amd" else _NVIDIA
    count = sum(one.vendor == maker for one in found.devices)
    texts = [
        f"{one.bus_id} {_VENDORS.get(one.vendor, one.vendor)} {one.device.removeprefix('0x')}"
        f" ({one.driver or 'no driver'})"
        for one in found.devices
    ]
    needed = f"{declared.count} GPUs, as declared" if declared is not None else "known to the site file"
    is_ok = count == declared.count if declared is not None else None if found.devices else True
    hint = "write what it has under `accelerators` in its node group, so that it is judged"
    if declared is not None:
        hint = "is the card seated and powered, and passed through? Else correct `accelerators.gpus.count`"
    yield Finding("accelerators on the PCI bus", is_ok, "; ".join(texts) or "none", needed, hint)


def _drivers(found: Installed) -> Iterator[Finding]:
    vendors = {one.vendor for one in found.devices}
    for vendor, name in ((_NVIDIA, "nvidia"), (_AMD, "amdgpu")):
        module = found.modules[name]
        packages = [f"{key} {value}" for key, value in found.packages.items() if key.startswith((name, "rocm"))]
        if vendor not in vendors and not packages:
            continue
        if module.is_loaded:
            yield _loaded(name, module.version, module.installed)
        else:
            why = "installed, not loaded" if module.installed else "no kernel module is installed"
            why += "" if vendor in vendors else ": no such device"
            hint = f"the role gpu_driver installs it; then `modprobe {name}` or a reboot"
            if found.secure_boot and module.installed:
                hint = "Secure Boot is on: the module has to be signed with a key that the firmware knows"
            yield Finding(f"driver {name}", is_ok=False, found=why, needed="loaded", hint=hint)
        if packages:
            text = ", ".join(packages)
            yield Finding(f"packages of {name}", is_ok=True, found=text, needed="of one version")
    if _NVIDIA in vendors and found.modules["nouveau"].is_loaded:
        hint = "the role gpu_driver turns it off; it stays until a reboot"
        yield Finding("driver nouveau", is_ok=False, found="loaded", needed="not loaded", hint=hint)


def _loaded(name: str, loaded: str | None, installed: str | None) -> Finding:
    """A driver that was upgraded under a running one: its library and it no longer fit each other."""
    is_one = loaded is None or installed in {None, "unknown", loaded}
    text = f"{loaded or 'of no version'}, loaded" + ("" if is_one else f"; {installed} is installed")
    hint = None if is_one else "reboot the host, once nothing runs there: until then its library does not fit"
    return Finding(f"driver {name}", is_one, text, "loaded, and the one that is installed", hint)


def _runtimes(found: Installed) -> Iterator[Finding]:
    there = [f"{name} {found.packages[name]}" for name in _RUNTIMES if name in found.packages]
    yield Finding("container runtimes", True if there else None, ", ".join(there) or "none", "one, for containers")
    if any(one.vendor == _NVIDIA for one in found.devices):
        toolkit = found.packages.get("nvidia-container-toolkit")
        hint = "the role gpu_container_toolkit installs it"
        yield Finding(
            "container toolkit", True if toolkit else None, toolkit or "not installed", "for GPUs in containers", hint
        )
    for name, state in found.units.items():
        yield Finding(name, state == "active", state, "active", f"journalctl --unit {name}")


def _health(health: HostHealth | None, declared: Declared | None) -> Iterator[Finding]:
    if declared is None:
        yield Finding("health", None, "not judged: the site file declares no accelerators here", "declared")
        return
    if health is None:
        yield Finding("health", is_ok=False, found="could not be asked", needed="an answer")
        return
    for one in health.findings:
        is_ok = None if one.verdict in {Verdict.HEALTHY, Verdict.DEGRADED} else False
        yield Finding("health", is_ok, f"{one.verdict}: {health.text(one)}", one.threshold, str(one.action))
    if not health.findings:
        yield Finding("health", is_ok=True, found=f"healthy: {len(health.gpus)} GPUs", needed="healthy")
