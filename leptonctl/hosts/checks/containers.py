"""What must hold where a role that runs containers ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import UNIQUE, Check, Command, Package, Port, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings
    from leptonctl.sitefile.software.containers import Runtime

PROBE_IMAGE = "localhost/leptonctl/probe:1"
PROBE_IMAGE_PROGRAM = "/usr/local/lib/leptonctl/probe_image"
CONTAINERS_PROGRAM = "/usr/local/lib/leptonctl/containers"


def container_runtime(settings: Settings) -> tuple[Check, ...]:
    """The runtime is there and runs, no other one does, and an image proves that a container starts."""
    runtime: Runtime = setting("container_runtime", settings, "runtime")
    snapshotter: str = setting("container_runtime", settings, "snapshotter")
    package, *units = _PARTS[runtime]
    name = f"--name=leptonctl-{UNIQUE}"
    image = Command(
        "the image that proves it is there",
        _LISTS[runtime],
        expect=PROBE_IMAGE,
        covers=(PROBE_IMAGE_PROGRAM,),
        is_quick=True,
        rests_on=(PROBE_IMAGE_PROGRAM, *(f"unit {unit}" for unit in units), f"package {package}"),
    )
    starts = (
        ("ctr", "run", "--rm", "--snapshotter", snapshotter, PROBE_IMAGE, f"leptonctl-{UNIQUE}")
        if runtime == "containerd"
        # Podman takes the namespace for granted on hosts with version 2 of cgroups alone, and no setting asks for it.
        else (runtime, "run", "--rm", "--cgroupns=private", "--network=none", "--pull=never", name, PROBE_IMAGE)
    )
    alone = Command(
        "no other runtime runs containers",
        (CONTAINERS_PROGRAM, "--check", runtime),
        expect="none",
        covers=(CONTAINERS_PROGRAM,),
        rests_on=(CONTAINERS_PROGRAM,),
    )
    return (
        image,
        alone,
        Package(package, setting("container_runtime", settings, "version")),
        *map(Unit, units),
        *((Port(setting("container_runtime", settings, "metrics_port")),) if runtime == "containerd" else ()),
        Command("a container starts", (*starts, "/bin/busybox", "echo", "started"), expect="started", limit_s=60),
    )


# The package that a version is asked for, and the units that have to run.
_PARTS: dict[Runtime, tuple[str, ...]] = {
    "containerd": ("containerd", "containerd.service"),
    "docker": ("docker.io", "docker.service"),
    "podman": ("podman", "podman-restart.service"),
}
_LISTS: dict[Runtime, tuple[str, ...]] = {
    "containerd": ("ctr", "image", "ls", "--quiet", f"name=={PROBE_IMAGE}"),
    "docker": ("docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", PROBE_IMAGE),
    "podman": ("podman", "image", "ls", "--format={{.Repository}}:{{.Tag}}", PROBE_IMAGE),
}
