"""What must hold where a role that drives accelerators ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.checks.kinds import Check, Command, Package, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

GPU_DRIVER_PROGRAM = "/usr/local/lib/leptonctl/gpu_driver"
GPU_CDI_PROGRAM = "/usr/local/lib/leptonctl/gpu_cdi"
FPGA_PROGRAM = "/usr/local/lib/leptonctl/fpga"
GPU_HEALTH_METRICS = "/var/lib/prometheus/node-exporter/leptonctl_gpu_health.prom"


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
    checks: list[Check] = [boot_image, loaded, Unit("leptonctl-gpu-driver-metrics.timer")]
    if declared and vendor == "nvidia" and setting("gpu_driver", settings, "persistence"):
        checks.append(Unit("nvidia-persistenced.service"))
    if declared.get("nvswitch"):
        argv = (GPU_DRIVER_PROGRAM, "fabric-manager")
        checks.append(Command("Fabric Manager is of the driver's version", argv, expect="in order"))
        checks.append(Unit("nvidia-fabricmanager.service"))
    return tuple(checks)


def gpu_container_toolkit(settings: Settings) -> tuple[Check, ...]:
    """The toolkit is installed, the GPUs are described as the driver has them now, and a container sees them.

    None is quick: without a driver nothing can be described, and the role could not mend that.
    """
    described = Command(
        "the GPUs are described for containers",
        (GPU_CDI_PROGRAM, "check"),
        expect="in order",
        limit_s=120,
        covers=(GPU_CDI_PROGRAM,),
    )
    return (
        Package("nvidia-container-toolkit", setting("gpu_container_toolkit", settings, "version")),
        described,
        Command("a container sees a GPU", (GPU_CDI_PROGRAM, "container"), expect="/dev/nvidia0", limit_s=120),
    )


def fpga(settings: Settings) -> tuple[Check, ...]:
    """The cards are as declared, their shells too, drivers have them, and the PCI bus knows nothing against them."""
    del settings
    return (
        Command("the FPGAs are as declared", (FPGA_PROGRAM, "check"), expect="in order"),
        Unit("leptonctl-fpga-metrics.timer"),
    )


def gpu_health(settings: Settings) -> tuple[Check, ...]:
    """The timer runs, and the metrics that it leaves are not old."""
    interval_s: int = setting("gpu_health", settings, "interval_s")
    # A look may take three minutes on a host whose driver hangs, and is not begun twice.
    minutes = (3 * interval_s + 180) // 60 + 1
    fresh = Command(
        "the metrics of the GPUs are fresh",
        ("find", GPU_HEALTH_METRICS, "-mmin", f"-{minutes}"),
        expect=GPU_HEALTH_METRICS,
    )
    return (Unit("leptonctl-gpu-health.timer"), fresh)
