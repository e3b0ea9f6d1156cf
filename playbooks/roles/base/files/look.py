"""Prints as JSON what the role `base` has to know of a host before it changes anything. Reads only."""

import fcntl
import json
import os
import re
import struct
import subprocess
import time
from pathlib import Path

CAP_SYS_RESOURCE = 24
WHOLE_USER_NAMESPACE = "4294967295"


def os_release() -> dict[str, str | int]:
    """The fields of /etc/os-release that name the system."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    fields = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', text, re.MULTILINE))
    return {"id": fields.get("ID", ""), "version": int(fields.get("VERSION_ID", "0").partition(".")[0] or 0)}


def hard_limit(name: str) -> int | str:
    """The hard limit of process 1 as /proc shows it: a number, or the word unlimited."""
    text = Path("/proc/1/limits").read_text(encoding="utf-8")
    value = re.search(rf"^Max {name}\s+\S+\s+(\S+)", text, re.MULTILINE).group(1)
    return value if value == "unlimited" else int(value)


def may_raise_limits() -> bool:
    """Whether this process, outside any user namespace, has the capability to raise hard limits."""
    effective = re.search(r"^CapEff:\s+(\S+)", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    capable = bool(int(effective.group(1), 16) >> CAP_SYS_RESOURCE & 1)
    return capable and WHOLE_USER_NAMESPACE in Path("/proc/self/uid_map").read_text(encoding="utf-8")


def package_lists_age_s() -> int | None:
    """Seconds since the package lists were last fetched; None where there are none.

    The folder's time alone would not do: an image is made with an empty folder that looks fresh.
    """
    lists = Path("/var/lib/apt/lists")
    if not any(lists.glob("*_Packages*")):
        return None
    return int(time.time() - lists.stat().st_mtime)


def holder_of_the_package_manager() -> str | None:
    """The process that installs packages at this moment, as `apt-get (process 123)`; None where there is none."""
    lock = Path("/var/lib/dpkg/lock-frontend")
    if not lock.exists():
        return None
    with lock.open("rb") as file:
        asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return None
    name = Path(f"/proc/{pid}/comm")
    return f"{name.read_text(encoding='utf-8').strip() if name.exists() else 'another'} (process {pid})"


def is_half_installed() -> bool:
    """Whether dpkg was stopped in the middle, by a power cut or a reboot: then apt does nothing until that is finished.

    Not where somebody installs at this moment: packages pass through such states.
    """
    if holder_of_the_package_manager() is not None:
        return False
    if any(path.name.isdigit() for path in Path("/var/lib/dpkg/updates").glob("*")):
        return True
    status = Path("/var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    return re.search(r"^Status: \S+ \S+ (half-\S+|unpacked|triggers-\S+)$", status, re.MULTILINE) is not None


def overrides() -> list[str]:
    """Files that change the units which packages brought: drop-ins, and units in the place of packed ones.

    Each role takes away those of its own services that it did not write.
    """
    found = []
    for top in ("/etc/systemd", "/run/systemd"):
        for folder in ("system", "system.control"):
            place = Path(top, folder)
            found += [
                *place.glob("*.d/*.conf"),
                *place.glob("*.service"),
                *place.glob("*.socket"),
                *place.glob("*.timer"),
            ]
    return sorted(str(path) for path in found if path.is_file() and not path.is_symlink())


def held_packages() -> list[str]:
    """Packages that somebody holds at their version."""
    found = subprocess.run(["apt-mark", "showhold"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def container() -> str | None:
    """The kind of container that this host is, or None on a machine of its own."""
    found = subprocess.run(["systemd-detect-virt", "--container"], capture_output=True, text=True, check=False)
    kind = found.stdout.strip()
    return None if kind in ("", "none") else kind


memlock = hard_limit("locked memory")
print(
    json.dumps(
        {
            "os": os_release(),
            "has_systemd": Path("/run/systemd/system").is_dir(),
            "container": container(),
            "may_raise_limits": may_raise_limits(),
            "nr_open": int(Path("/proc/sys/fs/nr_open").read_text(encoding="utf-8")),
            "open_files_max": hard_limit("open files"),
            "locked_memory_max_kib": memlock if memlock == "unlimited" else memlock // 1024,
            "package_lists_age_s": package_lists_age_s(),
            "package_manager_held_by": holder_of_the_package_manager(),
            "is_half_installed": is_half_installed(),
            "overrides": overrides(),
            "held_packages": held_packages(),
        }
    )
)
