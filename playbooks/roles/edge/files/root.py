#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Whether what is written to this box's root goes to memory. Prints `read-only`, or why it is not. Reads only."""

import subprocess
import sys
from pathlib import Path

# What overlayroot calls the device of the root that it put together.
DEVICE = "overlayroot"


def is_in_force(mounts: str) -> bool:
    """Whether the root is overlayroot's, by the kernel's list of mounts; what is mounted last lies on top."""
    roots = [line.split()[0] for line in mounts.splitlines() if line.split()[1] == "/"]
    return bool(roots) and roots[-1] == DEVICE


def reason() -> str:
    """Why it is not in force."""
    asked = subprocess.run(["systemd-detect-virt", "--container"], capture_output=True, text=True, check=False)
    kind = asked.stdout.strip()
    if asked.returncode == 0 and kind:
        return f"installed, not in force: this is a container ({kind}), and its root is the machine's to give"
    return "installed, not in force: it takes effect at the next start"


if __name__ == "__main__":
    if is_in_force(Path("/proc/mounts").read_text()):
        print("read-only")
    else:
        print(reason())
        sys.exit(1)
