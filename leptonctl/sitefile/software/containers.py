"""Settings of the roles that run containers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Settings


class ContainerRuntime(Settings):
    """containerd with systemd cgroups."""

    version: Text | None = None
    """Debian version of the package to hold, as `1.6.20*`; None takes the archive's."""
    snapshotter: Annotated[
        Literal["native", "overlayfs"], rolling("containerd starts again, and images have to be pulled anew")
    ] = "overlayfs"
    """How image layers are stored; `native` works where an overlay on an overlay does not (containers)."""
    registry_mirrors: dict[Text, Text] = Field(default_factory=dict)
    """For each registry host the URL that is asked first."""
