"""The settings of every role: the `software` section, for the site, a location or a node group.

A class in this folder is the typed twin of `playbooks/roles/<role>/meta/argument_specs.yml`: the field `timezone` of
`base` is the Ansible variable `base_timezone`, with the same type and default. A test holds the two together.
"""

from __future__ import annotations

from typing import Literal

from leptonctl.sitefile.base import Frozen
from leptonctl.sitefile.software.containers import ContainerRuntime
from leptonctl.sitefile.software.host import Base
from leptonctl.sitefile.software.monitoring import MonitoringAgent, MonitoringServer


class Software(Frozen):
    """Settings by role. What is set deeper (location, then node group) holds over what is set further up."""

    base: Base | None = None
    """Settings of the role `base`."""
    container_runtime: ContainerRuntime | None = None
    """Settings of the role `container_runtime`."""
    monitoring_agent: MonitoringAgent | None = None
    """Settings of the role `monitoring_agent`."""
    monitoring_server: MonitoringServer | None = None
    """Settings of the role `monitoring_server`."""


RoleName = Literal["base", "container_runtime", "monitoring_agent", "monitoring_server"]

# The order in which roles run on a host, and what each needs beside it on the same host.
ROLE_NEEDS: dict[RoleName, tuple[RoleName, ...]] = {
    "base": (),
    "container_runtime": ("base",),
    "monitoring_agent": ("base",),
    "monitoring_server": ("base", "monitoring_agent"),
}

SETTINGS: dict[RoleName, type[Frozen]] = {
    "base": Base,
    "container_runtime": ContainerRuntime,
    "monitoring_agent": MonitoringAgent,
    "monitoring_server": MonitoringServer,
}
