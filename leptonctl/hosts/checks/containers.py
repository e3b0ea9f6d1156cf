"""What must hold where a role that runs containers ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import UNIQUE, Check, Command, Package, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

PROBE_IMAGE = "localhost/leptonctl/probe:1"
PROBE_IMAGE_PROGRAM = "/usr/local/lib/leptonctl/probe_image"


def container_runtime(settings: Settings) -> tuple[Check, ...]:
    """The runtime is installed and runs, and an image is there that proves that a container starts."""
    snapshotter: str = setting("container_runtime", settings, "snapshotter")
    run = ("ctr", "run", "--rm", "--snapshotter", snapshotter, PROBE_IMAGE, f"leptonctl-{UNIQUE}")
    image = Command(
        "the image that proves it is there",
        ("ctr", "image", "ls", "--quiet", f"name=={PROBE_IMAGE}"),
        expect=PROBE_IMAGE,
        covers=(PROBE_IMAGE_PROGRAM,),
        is_quick=True,
        rests_on=(PROBE_IMAGE_PROGRAM, "unit containerd.service", "package containerd"),
    )
    return (
        image,
        Package("containerd", setting("container_runtime", settings, "version")),
        Unit("containerd.service"),
        Command("a container starts", (*run, "/bin/busybox", "echo", "started"), expect="started", limit_s=60),
    )
