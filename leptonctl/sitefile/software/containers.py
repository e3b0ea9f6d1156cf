"""Settings of the roles that run containers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leptonctl.sitefile.base import SecretRef, Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Port, Settings

Runtime = Literal["containerd", "docker", "podman"]


class RegistryLogin(Settings):
    """How hosts log in to a registry. It is kept on them in a file for root alone."""

    username: Text
    """Login name."""
    password: SecretRef
    """Password or token, as a reference."""


class ContainerRuntime(Settings):
    """What runs containers; mirrors and logins of registries; images that nobody uses go."""

    runtime: Annotated[
        Runtime,
        rolling("refused where the old one runs containers, unless `--stop-containers` names the host; images stay"),
    ] = "containerd"
    """Which one: containerd (it alone serves Kubernetes), Docker, or Podman."""
    version: Text | None = None
    """Debian version of the runtime's package to hold, as `1.6.20*`; None takes the archive's."""
    snapshotter: Annotated[
        Literal["native", "overlayfs"], rolling("the runtime starts again, and images have to be pulled anew")
    ] = "overlayfs"
    """How image layers are stored; `native` works where an overlay on an overlay does not (containers)."""
    registry_mirrors: dict[Text, Text] = Field(default_factory=dict)
    """For each registry host the URL that is asked first. Docker knows mirrors of docker.io alone."""
    registry_logins: dict[Text, RegistryLogin] = Field(default_factory=dict)
    """For each registry host how it is logged in to; mirrors have logins of their own."""
    metrics_port: Port = 1338
    """Where containerd serves the metrics of its containers. Docker and Podman serve none."""
    image_gc: bool = True
    """Whether images that no container uses are removed, once an hour, where the disk fills up."""
    image_gc_start_percent: Annotated[int, Field(ge=1, le=99)] = 85
    """Used share of the images' file system from which on they are removed (the kubelet's own default)."""
    image_gc_stop_percent: Annotated[int, Field(ge=1, le=99)] = 80
    """Used share at which enough of them are gone (the kubelet's own default)."""
