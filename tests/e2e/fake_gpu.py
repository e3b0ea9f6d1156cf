"""A fake GPU on a local host: a device on the PCI bus and an nvidia-smi that repeats what a real A100 said.

There is no driver and no card behind it: nothing that is shown with it is evidence about one. It does not fake NVLink,
the kernel log, or anything that computes.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.health.recorded import A100, edited

if TYPE_CHECKING:
    from tests.e2e.local_site import Site

PERSISTENT = ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")
SERIAL = "1650522003820"
BUS = "0000:01:00.0"
PROGRAM = "/usr/local/bin/nvidia-smi"
ANSWER = "/var/lib/fake-gpu.xml"
DEVICES = "/sys/bus/pci/devices"


def plant(site: Site, address: str) -> None:
    """Put one on the bus of a host, well, until the host is gone. The bus has nothing else then."""
    device = f"/var/lib/fake-pci/{BUS}"
    site.on(address, "mkdir", "-p", device)
    site.on(address, "sh", "-c", f"echo 0x10de >{device}/vendor; echo 0x030200 >{device}/class")
    site.on(address, "mount", "--bind", "/var/lib/fake-pci", DEVICES)
    site.on(address, "sh", "-c", f"printf '#!/bin/sh\\nexec cat {ANSWER}\\n' >{PROGRAM}; chmod 755 {PROGRAM}")
    answer(site, address)


def answer(site: Site, address: str, *edits: tuple[str, str]) -> None:
    """Let its nvidia-smi say something else from now on."""
    text = edited(A100, PERSISTENT, *edits)
    done = subprocess.run(
        ["podman", "exec", "--interactive", site.container(address), "sh", "-c", f"cat >{ANSWER}"],
        input=text,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
