"""Which ports of a host are open to whom, from the roles of the whole site."""

import pytest

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.firewall import merged
from leptonctl.sitefile.model import Site

NAMES = {"core/control-1": "10.9.0.2", "regions/west/box-1": "10.9.1.2", "regions/west/box-2": "10.9.1.3"}


def site(**hardening: object) -> Desired:
    agent = ["base", "monitoring_agent", "hardening"]
    return desired(
        Site.model_validate(
            {
                "site": "demo",
                "owner": "ops",
                "software": {"hardening": hardening},
                "core": {
                    "platform": "local",
                    "nodes": {"control": {"count": 1, "roles": [*agent, "monitoring_server"]}},
                },
                "regions": {"west": {"platform": "local", "nodes": {"box": {"count": 2, "roles": agent}}}},
            }
        )
    )


def given(want: Desired, host: str, names: dict[str, str] = NAMES) -> dict[str, object]:
    """What the role is told on a host."""
    return dict(next(role.settings for role in roles_by_host(want, names)[host] if role.name == "hardening"))


def opened(want: Desired, host: str, names: dict[str, str] = NAMES) -> list[tuple[str, str, list[str]]]:
    openings = given(want, host, names)["openings"]
    assert isinstance(openings, list)
    return [(one["role"], one["port"], one["sources"]) for one in openings]


def test_an_exporter_is_open_to_the_monitoring_server_alone() -> None:
    assert opened(site(), "regions/west/box-1") == [("monitoring_agent", "9100", ["10.9.0.2"])]


def test_what_people_use_is_open_to_operators_and_closed_where_there_are_none() -> None:
    agent = ("monitoring_agent", "9100", ["10.9.0.2"])
    assert opened(site(), "core/control-1") == [agent]
    assert opened(site(operators=["192.0.2.0/24"]), "core/control-1") == [
        agent,
        ("monitoring_server", "9090", ["192.0.2.0/24"]),
        ("monitoring_server", "9093", ["192.0.2.0/24"]),
    ]


def test_hosts_that_come_from_a_translated_address_are_let_in_by_that() -> None:
    assert opened(site(translated_from=["198.51.100.0/30"]), "regions/west/box-2") == [
        ("monitoring_agent", "9100", ["10.9.0.2", "198.51.100.0/30"])
    ]


def test_a_host_that_is_not_known_yet_is_let_in_when_it_is() -> None:
    without = {name: value for name, value in NAMES.items() if name != "core/control-1"}
    assert opened(site(), "regions/west/box-1", without) == []


def test_a_role_that_is_not_on_a_host_opens_nothing_there() -> None:
    want = site()
    assert all(role != "monitoring_server" for role, _, _ in opened(want, "regions/west/box-1"))


def test_ranges_for_ssh_are_told_without_those_that_lie_in_others() -> None:
    assert given(site(ssh_from=["10.0.0.0/8", "10.9.0.0/16", "2001:db8::/32"]), "core/control-1")["ssh_from"] == [
        "10.0.0.0/8",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["10.0.0.1", "10.0.0.0/8"], ("10.0.0.0/8",)),
        (["10.0.0.2", "10.0.0.1", "10.0.0.2"], ("10.0.0.1", "10.0.0.2")),
        (["2001:db8::1", "192.0.2.1"], ("192.0.2.1", "2001:db8::1")),
        (["box.example.com", "192.0.2.1"], ("192.0.2.1", "box.example.com")),
    ],
)
def test_no_source_lies_in_another_one(sources: list[str], expected: tuple[str, ...]) -> None:
    assert merged(sources) == expected
