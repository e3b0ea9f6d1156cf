"""Rules on drivers: one that knows the declared GPUs, from a source that has it and is named as one can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.devices.drivers import refusals, wish_of
from leptonctl.devices.gpus import of_model
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.forms import url_flaw
from leptonctl.sitefile.rules.parts import groups, sections
from leptonctl.sitefile.settings import resolve
from leptonctl.sitefile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site
    from leptonctl.sitefile.software import RoleName

# Roles whose packages come from a repository that the site file may name: its URL, and the fingerprint of its key.
_WITH_REPOSITORY: tuple[RoleName, ...] = ("gpu_driver", "gpu_container_toolkit", "fpga", "kubernetes", "dashboards")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def check_drivers(site: Site) -> Iterator[Finding]:
    """The driver of every group is one that there is for the declared GPUs. What no model says, the hosts will."""
    told: set[tuple[Path, str]] = set()
    for path, _, name, group in groups(site):
        if "gpu_driver" not in group.roles:
            continue
        gpus = group.accelerators.gpus if group.accelerators else None
        settings = resolve(site, "/".join(map(str, path[:-2])), name, "gpu_driver")
        if gpus is not None and settings["vendor"].value != gpus.vendor:
            message = f"the driver is {settings['vendor'].value}'s, and the group declares GPUs of {gpus.vendor}"
            hint = f"set `software.gpu_driver.vendor: {gpus.vendor}`, or `accelerators.gpus.vendor`"
            origin: Path = settings["vendor"].origin or (*path, "roles", group.roles.index("gpu_driver"))
            yield Finding("impossible-driver", origin, message, hint)
        if settings["vendor"].value == "amd" and "gpu_container_toolkit" in group.roles:
            message = "NVIDIA's container toolkit does not know AMD's GPUs: they need no toolkit"
            hint = "take the role from this group"
            where = (*path, "roles", group.roles.index("gpu_container_toolkit"))
            yield Finding("impossible-driver", where, message, hint)
        wish = wish_of({key: one.value for key, one in settings.items()}, has_nvswitch=bool(gpus and gpus.nvswitch))
        generation = of_model(gpus.model) if gpus and gpus.model else None
        for refusal in refusals(wish, () if generation is None else (generation,)):
            place: Path = settings[refusal.setting].origin or (*path, "roles", group.roles.index("gpu_driver"))
            if (place, refusal.message) not in told:
                told.add((place, refusal.message))
                yield Finding("impossible-driver", place, refusal.message, refusal.hint)


def check_repositories(site: Site) -> Iterator[Finding]:
    """Every package repository of such a role is a URL without a login, every key of one a whole fingerprint."""
    for path, software, _ in sections(site):
        for role in _WITH_REPOSITORY:
            url, key = (getattr(getattr(software, role), name, None) for name in ("repository", "repository_key"))
            if url is not None and (flaw := url_flaw(url, may_have_path=True)) is not None:
                # A login is a secret, and is not shown again.
                shown = "this URL" if "@" in url else quoted(url)
                hint = "write it as https://HOST[:PORT]/PATH"
                yield Finding(
                    "bad-url", (*path, role, "repository"), f"{shown} {flaw}", hint, shows_line="@" not in url
                )
            if role == "fpga" and url is not None and key is None:
                message = "packages from here need the fingerprint of the key that signs them"
                hint = "write it as `repository_key`"
                yield Finding("bad-fingerprint", (*path, role, "repository"), message, hint, at="key")
            if key is not None and not _FINGERPRINT.fullmatch(key.replace(" ", "").upper()):
                message = f"{quoted(key)} is not the fingerprint of a key"
                hint = "write all of its 40 hexadecimal digits"
                yield Finding("bad-fingerprint", (*path, role, "repository_key"), message, hint)
