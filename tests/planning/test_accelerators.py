"""What each host is declared to have comes from its group; serial numbers are its own."""

from __future__ import annotations

from leptonctl.health.readings import Declared
from leptonctl.planning.accelerators import expected_gpus
from leptonctl.planning.desired import desired
from leptonctl.sitefile.model import Site

SITE = {
    "site": "tiny",
    "owner": "ops@example.com",
    "core": {
        "platform": "ssh",
        "nodes": {
            "plain": {"hosts": ["box-1"]},
            "gpu": {
                "hosts": ["gpu-1", "gpu-2"],
                "accelerators": {
                    "gpus": {"count": 2, "model": "H100", "nvlinks": 18, "serials": {"gpu-2": ["a", "b"]}},
                    "health": {"shadow": True, "policy": {"out_percent": 5}},
                },
            },
        },
    },
}


def test_every_host_of_a_group_with_gpus_is_expected_to_have_them() -> None:
    site = Site.model_validate(SITE)
    found = expected_gpus(site, desired(site))
    assert {address: one.declared for address, one in found.items()} == {
        "core/gpu-1": Declared(count=2, model="H100", links=18),
        "core/gpu-2": Declared(count=2, model="H100", links=18, serials=("a", "b")),
    }
    assert {(one.is_shadow, one.policy["out_percent"], one.policy.source("out_percent")) for one in found.values()} == {
        (True, 5, "the site file")
    }
