"""Rules on drivers: one that knows the declared GPUs, from a source that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.devices.drivers import refusals, wish_of
from leptonctl.devices.gpus import of_model
from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.parts import groups
from leptonctl.sitefile.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site


def check_drivers(site: Site) -> Iterator[Finding]:
    """The driver of every group is one that there is for the declared GPUs. What no model says, the hosts will."""
    told: set[tuple[Path, str]] = set()
    for path, _, name, group in groups(site):
        if "gpu_driver" not in group.roles:
            continue
        gpus = group.accelerators.gpus if group.accelerators else None
        settings = resolve(site, "/".join(map(str, path[:-2])), name, "gpu_driver")
        wish = wish_of({key: one.value for key, one in settings.items()}, has_nvswitch=bool(gpus and gpus.nvswitch))
        generation = of_model(gpus.model) if gpus and gpus.model else None
        for refusal in refusals(wish, () if generation is None else (generation,)):
            place = settings[refusal.setting].origin or (*path, "roles", group.roles.index("gpu_driver"))
            if (place, refusal.message) not in told:
                told.add((place, refusal.message))
                yield Finding("impossible-driver", place, refusal.message, refusal.hint)
