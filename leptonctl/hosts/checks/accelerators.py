"""What must hold where a role that drives accelerators ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.checks.kinds import Check, Command, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

GPU_DRIVER_PROGRAM = "/usr/local/lib/leptonctl/gpu_driver"


def gpu_driver(settings: Settings) -> tuple[Check, ...]:
    """The driver that is installed runs, and the boot image knows its settings.

    `loaded` is not quick: a driver that waits for a reboot, or for a GPU, is no difference that the role could mend.
    """
    vendor: str = setting("gpu_driver", settings, "vendor")
    declared: Any = settings.get("declared") or {}
    boot_image = Command(
        "the boot image knows the module settings",
        (GPU_DRIVER_PROGRAM, "boot-image"),
        expect="in order",
        covers=(GPU_DRIVER_PROGRAM,),
        is_quick=True,
        rests_on=(GPU_DRIVER_PROGRAM, "/etc/modprobe.d/60-leptonctl-gpu.conf"),
    )
    loaded = Command("the GPU driver is loaded", (GPU_DRIVER_PROGRAM, "loaded", vendor), expect="loaded", limit_s=60)
    checks: list[Check] = [boot_image, loaded]
    if declared and vendor == "nvidia" and setting("gpu_driver", settings, "persistence"):
        checks.append(Unit("nvidia-persistenced.service"))
    if declared.get("nvswitch"):
        argv = (GPU_DRIVER_PROGRAM, "fabric-manager")
        checks.append(Command("Fabric Manager is of the driver's version", argv, expect="in order"))
        checks.append(Unit("nvidia-fabricmanager.service"))
    return tuple(checks)
