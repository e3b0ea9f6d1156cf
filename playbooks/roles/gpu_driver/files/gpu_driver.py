#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Says whether the GPU driver runs that is installed, and why not; keeps the boot image in step with its settings.

Usage: gpu_driver loaded VENDOR | load VENDOR | reboot VENDOR | metrics VENDOR
       gpu_driver users | boot-image [--update] | fabric-manager

loaded          prints the version that runs, or fails with every reason why it is not the installed one
load            loads the module where a GPU is there and it is not loaded, and starts what keeps it; prints `loaded`
reboot          prints `not needed`, or `needed:` with the reason
users           prints one line for each container that runs and each program that holds a GPU
boot-image      prints `in order` where the boot image is newer than the modules' settings; --update makes it so
fabric-manager  prints `in order` where Fabric Manager is of the driver's version
metrics         writes what is loaded for Prometheus, where the node exporter reads it
"""

import os
import re
import subprocess
import sys
from pathlib import Path

MODULES = {"nvidia": "nvidia", "amd": "amdgpu"}
# Debian's packages give the module another name, and load it by an alias.
FILES = {"nvidia": ("nvidia-current", "nvidia"), "amd": ("amdgpu",)}
PERSISTENCE = "nvidia-persistenced.service"
VENDORS = {"nvidia": "0x10de", "amd": "0x1002"}
GPU_CLASSES = ("0x03", "0x12")
KERNEL_PACKAGES = (
    "nvidia-kernel-dkms",
    "nvidia-open-kernel-dkms",
    "nvidia-kernel-open-dkms",
)
METRICS = Path("/var/lib/prometheus/node-exporter/leptonctl_gpu_driver.prom")
SETTINGS = Path("/etc/modprobe.d/60-leptonctl-gpu.conf")
SECURE_BOOT = Path("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
DEVICE = re.compile(r"/dev/(nvidia|dri/render|kfd)")


def run(*argv: str) -> "tuple[int, str]":
    """The exit status of a program and what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, f"{argv[0]}: {error}"
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip()


def text(path: "Path | str") -> str:
    """What a file of the kernel's says; empty where there is none."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def gpus(vendor: str) -> "list[Path]":
    """The GPUs on the PCI bus."""
    folders = sorted(Path("/sys/bus/pci/devices").glob("*"))
    return [
        one
        for one in folders
        if text(one / "vendor") == VENDORS[vendor] and text(one / "class").startswith(GPU_CLASSES)
    ]


def version_of(*packages: str) -> str:
    """The upstream version of the first of these packages that is installed."""
    for name in packages:
        status, said = run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name)
        if status == 0 and said.startswith("installed "):
            return said.split()[1].split(":")[-1].split("-")[0]
    return ""


def installed(vendor: str) -> str:
    """The version of the driver that is installed; AMD's is part of the kernel."""
    return version_of(*KERNEL_PACKAGES) if vendor == "nvidia" else os.uname().release


def running(vendor: str) -> str:
    """The version of the driver that is loaded; empty where none is."""
    if not Path("/sys/module", MODULES[vendor]).exists():
        return ""
    return text("/sys/module/nvidia/version") if vendor == "nvidia" else os.uname().release


def reasons(vendor: str) -> "list[str]":
    """Why the installed driver is not loaded."""
    found = []
    if not gpus(vendor):
        found.append("no GPU on the PCI bus")
    container = run("systemd-detect-virt", "--container")
    if container[0] == 0:
        found.append(f"this is a container ({container[1]}), and the kernel is the machine's")
    if Path("/sys/module/nouveau").exists():
        found.append("nouveau holds the GPUs until the host was rebooted")
    if all(run("modinfo", "--filename", name)[0] != 0 for name in FILES[vendor]):
        found.append(f"no module {' or '.join(FILES[vendor])} was built for the kernel {os.uname().release}")
    elif secure_boot_is_on():
        found.append("Secure Boot is on: the module loads only where its key is enrolled (mokutil --import)")
    return found or ["the module is there and was not loaded; see `dmesg`"]


def secure_boot_is_on() -> bool:
    """Whether the firmware checks what is loaded."""
    try:
        return SECURE_BOOT.read_bytes()[-1:] == b"\1"
    except OSError:
        return False


def loaded(vendor: str) -> int:
    """Tell what runs."""
    wanted, found = installed(vendor), running(vendor)
    if not wanted:
        sys.stderr.write("not installed\n")
        return 1
    if not found:
        sys.stderr.write("installed, not loaded: " + "; ".join(reasons(vendor)) + "\n")
        return 1
    if found != wanted:
        sys.stderr.write(f"{found} is loaded and {wanted} is installed: the host has to be rebooted\n")
        return 1
    without = [one.name for one in gpus(vendor) if not (one / "driver").exists()]
    if without:
        sys.stderr.write(f"loaded {found}, and no driver has " + ", ".join(without) + "\n")
        return 1
    print(f"loaded {found}")
    return 0


def load(vendor: str) -> int:
    """Load the module where it can serve; why it cannot is told by `loaded`."""
    if gpus(vendor) and not running(vendor) and run("modprobe", MODULES[vendor])[0] == 0:
        print("loaded")
    if running(vendor) and run("systemctl", "is-enabled", PERSISTENCE)[0] == 0:
        run("systemctl", "start", PERSISTENCE)
    return 0


def reboot(vendor: str) -> int:
    """Say whether only a reboot helps."""
    wanted, found = installed(vendor), running(vendor)
    if not gpus(vendor):
        print("not needed")
    elif found and wanted and found != wanted:
        print(f"needed: {found} is loaded and {wanted} is installed")
    elif not found and Path("/sys/module/nouveau").exists():
        print("needed: nouveau holds the GPUs")
    else:
        print("not needed")
    return 0


def users() -> int:
    """Name what would be lost by a reboot."""
    for argv in (("ctr", "tasks", "ls"), ("docker", "ps", "--quiet"), ("podman", "ps", "--quiet")):
        status, said = run(*argv)
        lines = said.splitlines() if status == 0 else []
        for line in lines[1:] if argv[0] == "ctr" else lines:
            print(f"container {line.split()[0]} ({argv[0]})")
    for folder in sorted(Path("/proc").glob("[0-9]*")):
        if holds_gpu(folder) and text(folder / "comm") not in ("nvidia-persiste", "nv-fabricmanage"):
            print("process {} ({})".format(folder.name, text(folder / "comm")))
    return 0


def holds_gpu(process: Path) -> bool:
    """Whether a process has a GPU's device open."""
    try:
        return any(DEVICE.match(str(one.readlink())) for one in (process / "fd").iterdir())
    except OSError:
        return False  # it ended meanwhile


def boot_image(is_update: bool) -> int:  # noqa: FBT001 - called with what was asked for
    """Compare the age of the boot image with that of the settings, or make it anew."""
    image = Path("/boot/initrd.img-" + os.uname().release)
    if not image.exists() or not SETTINGS.exists() or image.stat().st_mtime >= SETTINGS.stat().st_mtime:
        print("in order")
        return 0
    if not is_update:
        sys.stderr.write(f"{image} is older than {SETTINGS}\n")
        return 1
    status, said = run("update-initramfs", "-u")
    print("updated" if status == 0 else said)
    return status


def fabric_manager() -> int:
    """Compare the versions of Fabric Manager and of the driver."""
    status, said = run("nv-fabricmanager", "--version")
    found = re.search(r"(\d+\.\d+[.\d]*)", said)
    wanted = installed("nvidia")
    if status == 0 and found and found.group(1) == wanted:
        print("in order")
        return 0
    is_version = found.group(1) if found else said
    sys.stderr.write(f"Fabric Manager is {is_version}, the driver is {wanted}\n")
    return 1


def metrics(vendor: str) -> int:
    """Write what is loaded, whole or not at all."""
    there, found, wanted = gpus(vendor), running(vendor), installed(vendor)
    is_late = bool(there) and (bool(found and found != wanted) or Path("/sys/module/nouveau").exists())
    values = {
        "loaded": int(bool(found)),
        "gpus": len(there),
        "gpus_without_driver": len([one for one in there if not (one / "driver").exists()]),
        "reboot_needed": int(is_late),
    }
    new = METRICS.with_name(f".{METRICS.name}.new")
    new.write_text("".join(f"leptonctl_gpu_driver_{name} {value}\n" for name, value in values.items()))
    new.chmod(0o644)
    new.replace(METRICS)
    return 0


def main(do: str, *rest: str) -> int:
    """Do what was asked for."""
    if do == "boot-image":
        return boot_image(rest == ("--update",))
    known = {"loaded": loaded, "load": load, "reboot": reboot, "users": users, "fabric-manager": fabric_manager}
    known["metrics"] = metrics
    return known[do](*rest)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
