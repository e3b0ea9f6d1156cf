"""Settings of the roles that drive accelerators."""

from __future__ import annotations

from typing import Annotated, Literal

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import no_effect, rolling
from leptonctl.sitefile.software.fields import Settings

_ANOTHER_DRIVER = rolling("another driver is installed; the one that runs stays until the host was rebooted")


class GpuDriver(Settings):
    """The driver of the host's GPUs. What the site file declares under `accelerators` is compared with the PCI bus."""

    vendor: Annotated[Literal["nvidia", "amd"], _ANOTHER_DRIVER] = "nvidia"
    """Whose GPUs the hosts have."""
    source: Annotated[Literal["debian", "vendor"], _ANOTHER_DRIVER] = "debian"
    """Whose packages: Debian's (non-free), or those of the maker's own repository."""
    branch: Annotated[Literal[535, 550, 570, 580], _ANOTHER_DRIVER] = 535
    """Branch of NVIDIA's data-centre driver. Debian 12 has 535."""
    version: Annotated[Text | None, _ANOTHER_DRIVER] = None
    """Debian version of the driver to hold, as `535.261.03*`; None takes the newest of the branch, and keeps it."""
    kernel_module: Annotated[Literal["auto", "open", "proprietary"], _ANOTHER_DRIVER] = "auto"
    """NVIDIA's kernel module: the one that the GPUs need (auto), or this one."""
    rocm: Text = "6.4.3"
    """Release of AMD's driver and tools in AMD's own repository."""
    repository: Text | None = None
    """Another place of the source's packages, such as a mirror; None is deb.debian.org, or the maker's own."""
    repository_key: Text | None = None
    """Fingerprint of the key that signs the maker's packages; None is the maker's own, which is pinned here."""
    persistence: bool = True
    """Whether the persistence daemon keeps the driver loaded while nothing uses a GPU."""
    reboot: Annotated[Literal["never", "if_needed"], no_effect("the next change of the driver uses it")] = "never"
    """Whether the host is rebooted where the new driver takes effect only then."""
    interrupt: Annotated[bool, no_effect("the next change of the driver uses it")] = False
    """Whether it is rebooted also while containers run or programs use a GPU."""
