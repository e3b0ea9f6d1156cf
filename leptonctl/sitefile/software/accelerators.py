"""Settings of the roles that drive accelerators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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


class GpuContainerToolkit(Settings):
    """GPUs in containers: NVIDIA's container toolkit, and the description of the GPUs (CDI) that runtimes read."""

    version: Annotated[
        Text | None, rolling("another toolkit is installed; containers that run keep what they have")
    ] = None
    """Debian version of the toolkit to hold, as `1.18.0*`; None takes the newest, and keeps it."""
    mode: Literal["cdi", "auto", "legacy"] = "cdi"
    """How the runtime `nvidia` gives GPUs to a container: by their description, or by its hook (legacy)."""
    repository: Text | None = None
    """Another place of the packages, such as a mirror; None is NVIDIA's own."""
    repository_key: Text | None = None
    """Fingerprint of the key that signs them; None is NVIDIA's own, which is pinned here."""


class Fpga(Settings):
    """The runtime of the host's FPGA cards, and whether they are as declared."""

    vendor: Literal["amd", "intel"] = "amd"
    """Whose cards the hosts have: AMD's (Alveo, once Xilinx) or Intel's."""
    repository: Text | None = None
    """Where the runtime's packages are (XRT, OPAE), with their key below it as `key.asc`; None installs nothing."""
    repository_key: Text | None = None
    """Fingerprint of the key that signs them."""
    suite: Text = "/"
    """Suite of that repository; one that ends in `/` has no components."""
    components: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Components of the suite."""
    packages: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Packages to install; none is what the maker calls its runtime: `xrt`, or `opae`."""
    version: Text | None = None
    """Debian version of the packages to hold; None takes the newest, and keeps it."""


class GpuHealth(Settings):
    """A collector on the host that judges its GPUs and leaves metrics for the node exporter."""

    interval_s: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds between two looks at the GPUs."""
