"""Tunnels: who has one to whom, and addresses that stay."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.tunnels import BOX, GATEWAY, addresses, tunnels
from leptonctl.sitefile.model import Site

NETWORK = IPv4Network("10.213.0.0/16")
NAMES = {"core/box-1": "10.9.0.2", "regions/west/box-1": "10.9.1.2", "edges/shop/box-1": "10.9.2.2"}


def group(*roles: str) -> dict[str, Any]:
    return {"platform": "local", "nodes": {"box": {"count": 1, "roles": ["base", "monitoring_agent", *roles]}}}


def site(*, region: tuple[str, ...] = ("monitoring_server", "edge_gateway")) -> Desired:
    return desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "core": group("monitoring_server"),
                "regions": {"west": group(*region)},
                "edges": {"shop": {**group("edge"), "parent": "west"}, "yard": {**group(), "parent": "west"}},
            }
        )
    )


def told(want: Desired, host: str, role: str) -> dict[str, Any]:
    return dict(next(one.settings for one in roles_by_host(want, NAMES)[host] if one.name == role))


def test_a_box_has_a_tunnel_to_the_gateway_of_its_region_and_the_gateway_knows_it() -> None:
    (tunnel,) = tunnels(site())
    assert (tunnel.gateway, list(tunnel.boxes), str(tunnel.address)) == (
        "regions/west/box-1",
        ["edges/shop/box-1"],
        "10.213.0.1",
    )
    address = str(tunnel.boxes["edges/shop/box-1"])
    assert told(site(), "edges/shop/box-1", BOX)["tunnel"] == {
        "address": f"{address}/16",
        "gateway": "10.213.0.1",
        "endpoint": "10.9.1.2:51820",
        "package_cache_port": 3142,
        "image_cache_port": 5000,
        "log_port": 19532,
        "state_port": 8470,
    }
    gateway = told(site(), "regions/west/box-1", GATEWAY)
    assert gateway["address"] == "10.213.0.1/16"
    assert gateway["boxes"] == [{"host": "edges/shop/box-1", "address": address}]


def test_metrics_go_through_the_tunnel_where_the_gateway_is_the_server() -> None:
    assert told(site(), "edges/shop/box-1", BOX)["write_to"] == ["http://10.213.0.1:9090/api/v1/write"]
    apart = site(region=("edge_gateway",))
    assert told(apart, "edges/shop/box-1", BOX)["write_to"] == ["http://10.9.0.2:9090/api/v1/write"]


def mirrors(upstream: str | None, **runtime: object) -> dict[str, str]:
    """The mirrors of a box's runtime whose gateway keeps images of `upstream`."""
    west = {**group("monitoring_server", "edge_gateway"), "software": {"edge_gateway": {"image_upstream": upstream}}}
    shop = {**group("container_runtime", "edge"), "parent": "west", "software": {"container_runtime": runtime}}
    core = group("monitoring_server")
    file = {"site": "demo", "owner": "ops", "core": core, "regions": {"west": west}, "edges": {"shop": shop}}
    want = desired(Site.model_validate(file))
    return dict(told(want, "edges/shop/box-1", "container_runtime")["registry_mirrors"])


def test_a_box_asks_its_gateway_first_for_images_that_this_keeps() -> None:
    cache = "http://10.213.0.1:5000"
    assert mirrors("https://registry-1.docker.io") == {"docker.io": cache}
    assert mirrors("https://quay.io") == {"quay.io": cache}
    other = {"ghcr.io": "http://10.0.0.9:5000"}
    assert mirrors("https://quay.io", registry_mirrors=other) == {**other, "quay.io": cache}
    own = {"quay.io": "http://10.0.0.9:5000"}
    assert mirrors("https://quay.io", registry_mirrors=own) == own
    assert mirrors(None) == {}


def test_docker_is_told_of_a_mirror_of_its_own_registry_alone() -> None:
    assert mirrors("https://quay.io", runtime="docker") == {}
    assert mirrors("https://registry-1.docker.io", runtime="docker") == {"docker.io": "http://10.213.0.1:5000"}


def test_without_a_gateway_there_is_no_tunnel() -> None:
    assert told(site(region=()), "edges/shop/box-1", BOX)["tunnel"] == {}


def test_addresses_are_different_and_neither_the_gateways_nor_the_networks_own() -> None:
    found = addresses(NETWORK, [f"edges/e{number}/box-1" for number in range(500)])
    assert len(set(found.values())) == 500
    reserved = {NETWORK[0], NETWORK[1], NETWORK[-1]}
    assert not reserved & set(found.values())
    assert all(address in NETWORK for address in found.values())


def test_a_box_that_comes_moves_no_other() -> None:
    few = addresses(NETWORK, ["edges/a/box-1", "edges/c/box-1"])
    more = addresses(NETWORK, ["edges/a/box-1", "edges/b/box-1", "edges/c/box-1"])
    assert {name: more[name] for name in few} == few


def test_a_network_that_is_full_takes_all_it_has_room_for_and_no_more() -> None:
    small = IPv4Network("10.213.0.0/29")
    assert len(set(addresses(small, "abcde").values())) == 5
    with pytest.raises(ValueError, match="has room for 5 boxes, and there are 6"):
        addresses(small, "abcdef")
