"""The filter `leptonctl.host.gpu_driver`: what a host's GPUs need, from what was read there and what was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leptonctl.devices.drivers import driver, refusals, wish_of
from leptonctl.devices.found import disagreements, generations_of, read_bus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def choice(look: str, settings: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """What to install, or the `problems` that stand in the way.

    `look` is what the role's look.py printed, `settings` are those of the role without its name before each, `declared`
    is what the site file says of the GPUs (empty: nothing).
    """
    bus = read_bus(json.loads(look))
    wish = wish_of(settings, has_nvswitch=bool(declared.get("nvswitch")))
    gpus = bus.gpus(wish.vendor)
    known = generations_of(gpus)
    problems = disagreements(bus, wish, count=declared.get("count"), model=declared.get("model"))
    refused = tuple(f"{one.message}: {one.hint}" for one in refusals(wish, known))
    chosen = driver(wish, known)
    versioned = {name: f"{name}={wish.version or f'{wish.branch}.*'}" for name in chosen.versioned}
    headers = [f"linux-headers-{bus.kernel}"] if bus.headers == "packaged" else []
    return {
        "problems": [*problems, *refused],
        "gpus": [one.bus_id for one in gpus],
        "kernel_module": chosen.kernel_module,
        "packages": [*headers, *(versioned.get(name, name) for name in chosen.packages)],
        "held": list(chosen.versioned),
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Give the filters by name."""
        return {"gpu_driver": choice}
