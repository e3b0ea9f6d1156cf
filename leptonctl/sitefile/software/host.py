"""Settings of the role that every host has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Name, Text
from leptonctl.sitefile.software.fields import KernelValue, MemoryLimit, Settings


class User(Settings):
    """A person's account on a host."""

    name: Name
    """Login name."""
    full_name: Text | None = None
    """Shown in the account's comment field."""
    ssh_keys: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Public keys that may log in as this user; one line each, as in authorized_keys."""
    sudo: bool = False
    """Whether the user may become root without a password."""
    shell: Text = "/bin/bash"
    """Login shell."""


class Base(Settings):
    """Users, time, locale, kernel settings and limits, security updates, log limits."""

    timezone: Text = "Etc/UTC"
    """Time zone by its IANA name."""
    locale: Text = "C.UTF-8"
    """The hosts' default locale."""
    users: Annotated[tuple[User, ...], Field(strict=False)] = ()
    """Accounts on every host."""
    sysctl: dict[Text, KernelValue] = Field(default_factory=dict)
    """Kernel settings added to, or put over, the defaults for AI hosts."""
    open_files: Annotated[int, Field(ge=1024, le=2**30)] = 1048576
    """Open files that a process may have (soft and hard)."""
    locked_memory: MemoryLimit = "unlimited"
    """Memory that a process may lock, in KiB; RDMA and GPU drivers need much of it."""
    security_updates: bool = True
    """Whether security updates install themselves every day."""
    journal_max_mib: Annotated[int, Field(ge=16, le=2**20)] = 512
    """The most that the system journal keeps on disk, in MiB."""
    apt_proxy: Text | None = None
    """HTTP proxy for package downloads, as `http://HOST:PORT`."""
