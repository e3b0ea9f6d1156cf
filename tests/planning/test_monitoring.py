"""Who watches whom: which server scrapes a host, who sends to whom, and who is missed."""

from typing import Any

import pytest

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import DesiredRole, desired
from leptonctl.planning.monitoring import SENDER, SERVER, exporters
from leptonctl.planning.served import Audience, served
from leptonctl.sitefile.model import Site
from leptonctl.sitefile.software import SETTINGS, RoleName

AGENT = ["base", "monitoring_agent"]
NAMES = {
    "core/control-1": "10.9.0.2",
    "regions/west/gate-1": "10.9.1.2",
    "edges/shop/box-1": "10.9.2.2",
    "edges/yard/box-1": "10.9.3.2",
}


def group(*roles: str) -> dict[str, Any]:
    return {"platform": "local", "nodes": {"box": {"count": 1, "roles": [*AGENT, *roles]}}}


def settings(*, region: tuple[str, ...] = ("monitoring_server",), names: dict[str, str] = NAMES) -> dict[str, Any]:
    """What each server and sender of a site is told: a core, a region, an edge that sends and one that does not."""
    core, west = (group(*roles) for roles in (("monitoring_server",), region))
    core["nodes"]["control"] = core["nodes"].pop("box")
    west["nodes"]["gate"] = west["nodes"].pop("box")
    edges = {"shop": {**group("edge"), "parent": "west"}, "yard": {**group(), "parent": "west"}}
    site = {"site": "demo", "owner": "ops", "core": core, "regions": {"west": west}, "edges": edges}
    found = roles_by_host(desired(Site.model_validate(site)), names)
    return {
        host: dict(role.settings) for host, roles in found.items() for role in roles if role.name in {SERVER, SENDER}
    }


def hosts(entries: list[dict[str, str]]) -> list[str]:
    return [one["host"] for one in entries]


def test_edges_are_scraped_by_their_regions_own_server_and_boxes_that_send_by_themselves() -> None:
    told = settings()
    assert hosts(told["core/control-1"]["targets"]) == ["core/control-1"]
    assert hosts(told["regions/west/gate-1"]["targets"]) == ["regions/west/gate-1", "edges/yard/box-1"]
    assert hosts(told["edges/shop/box-1"]["targets"]) == ["edges/shop/box-1"]
    assert told["edges/shop/box-1"]["targets"][0]["endpoint"] == "127.0.0.1:9100"


def test_what_a_region_has_goes_on_to_the_core_which_misses_all_that_it_does_not_scrape() -> None:
    told = settings()
    assert told["edges/shop/box-1"]["write_to"] == ["http://10.9.1.2:9090/api/v1/write"]
    assert told["regions/west/gate-1"]["write_to"] == ["http://10.9.0.2:9090/api/v1/write"]
    assert told["regions/west/gate-1"]["alertmanagers"] == ["10.9.0.2:9093"]
    assert (told["core/control-1"]["write_to"], told["core/control-1"]["alertmanagers"]) == ([], [])
    assert hosts(told["regions/west/gate-1"]["senders"]) == ["edges/shop/box-1"]
    assert hosts(told["core/control-1"]["senders"]) == ["regions/west/gate-1", "edges/shop/box-1", "edges/yard/box-1"]


def test_without_a_server_of_the_region_the_cores_does_its_work() -> None:
    told = settings(region=())
    assert hosts(told["core/control-1"]["targets"]) == ["core/control-1", "regions/west/gate-1", "edges/yard/box-1"]
    assert hosts(told["core/control-1"]["senders"]) == ["edges/shop/box-1"]
    assert told["edges/shop/box-1"]["write_to"] == ["http://10.9.0.2:9090/api/v1/write"]


def test_servers_take_samples_that_are_as_old_as_a_buffer_may_be() -> None:
    told = settings()
    assert told["regions/west/gate-1"]["out_of_order_hours"] == told["core/control-1"]["out_of_order_hours"] == 24


def test_where_nobody_sends_nothing_comes_late() -> None:
    core = {**group("monitoring_server")}
    found = roles_by_host(desired(Site.model_validate({"site": "demo", "owner": "ops", "core": core})), {})
    (server,) = (role for role in found["core/box-1"] if role.name == SERVER)
    assert (server.settings["out_of_order_hours"], server.settings["targets"], server.settings["senders"]) == (
        0,
        [],
        [],
    )


@pytest.mark.parametrize(
    ("hostname", "endpoint"),
    [
        ("10.1.2.3", "10.1.2.3:9100"),
        ("box-1.example.com", "box-1.example.com:9100"),
        ("2001:db8::7", "[2001:db8::7]:9100"),
    ],
)
def test_a_target_is_a_host_and_a_port_that_prometheus_can_tell_apart(hostname: str, endpoint: str) -> None:
    (target,) = settings(names={"regions/west/gate-1": hostname})["regions/west/gate-1"]["targets"]
    assert target == {
        "host": "regions/west/gate-1",
        "location": "regions/west",
        "tier": "region",
        "job": "hosts",
        "endpoint": endpoint,
        "path": "/metrics",
    }


def test_a_server_that_nobody_can_name_yet_is_sent_nothing() -> None:
    assert settings(names={})["edges/shop/box-1"]["write_to"] == []


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("container_runtime", {}, [("containers", 1338, "/v1/metrics")]),
        ("container_runtime", {"runtime": "docker"}, []),
        ("container_runtime", {"runtime": "podman"}, []),
        ("storage_hdfs", {"parts": ["name_node", "data_node"]}, [("hdfs", 9870, "/prom"), ("hdfs", 9864, "/prom")]),
    ],
)
def test_what_a_role_serves_for_prometheus_is_scraped_and_open_to_the_servers(
    name: RoleName, more: dict[str, object], expected: list[tuple[str, int, str]]
) -> None:
    settings = {**SETTINGS[name]().model_dump(mode="json"), **more}
    assert [(one.job, one.port, one.path) for one in exporters(DesiredRole(name, settings))] == expected
    open_to_servers = {one.port for one in served(name, settings) if Audience.MONITORING in one.audiences}
    assert open_to_servers == {port for _, port, _ in expected}
