"""The filter `leptonctl.host.modules`: the modules that a role's program needs beside it on a host, as one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.collector import collector_modules

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES: dict[str, Callable[[], str]] = {"gpu_health": collector_modules}


def modules(role: str) -> str:
    """The modules of that role's program; KeyError where it needs none."""
    return _MODULES[role]()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[[str], str]]:
        """Give the filters by name."""
        return {"modules": modules}
