"""What the site file means, computed from it alone."""

from leptonctl.planning.desired import Desired, desired
from leptonctl.planning.diff import desired_digest
from leptonctl.sitefile.model import Site


def a_site(**changes: object) -> Site:
    site: dict[str, object] = {
        "site": "demo",
        "owner": "ops@example.com",
        "software": {"base": {"timezone": "Europe/Vienna"}, "monitoring_agent": {"port": 9200}},
        "core": {
            "platform": "local",
            "network": {"cidr": "10.80.0.0/24"},
            "nodes": {
                "control": {
                    "count": 2,
                    "roles": ["monitoring_agent", "base"],
                    "software": {"base": {"locale": "de_AT.UTF-8"}},
                }
            },
            "storage": {"data": {"size_gib": 2, "mount_path": "/srv/data", "nodes": ["control"]}},
        },
        "regions": {"west": {"platform": "local", "nodes": {"serve": {"count": 1}}}},
        "edges": {
            "shop": {
                "platform": "ssh",
                "parent": "west",
                "ssh": {"user": "ops", "port": 2222},
                "nodes": {
                    "box": {
                        "hosts": ["box-[1:2].example.com", {"name": "box-9", "address": "192.0.2.9", "user": "root"}],
                        "ssh": {"port": 22},
                    }
                },
            }
        },
    }
    return Site.model_validate(site | changes)


def of(site: Site) -> Desired:
    return desired(site)


def test_locations_come_in_tier_order_and_wait_only_for_what_they_depend_on() -> None:
    assert [(location.address, location.tier, location.depends_on) for location in of(a_site()).locations] == [
        ("core", "core", ()),
        ("regions/west", "region", ("core",)),
        ("edges/shop", "edge", ("regions/west",)),
    ]


def test_a_count_becomes_numbered_hosts_and_ranges_become_names() -> None:
    addresses = [host.address for location in of(a_site()).locations for host in location.hosts]
    assert addresses == [
        "core/control-1",
        "core/control-2",
        "regions/west/serve-1",
        "edges/shop/box-1.example.com",
        "edges/shop/box-2.example.com",
        "edges/shop/box-9",
    ]


def test_roles_run_in_the_order_of_their_needs_whatever_the_file_says() -> None:
    host = of(a_site()).locations[0].hosts[0]
    assert [role.name for role in host.roles] == ["base", "monitoring_agent"]


def test_the_deeper_setting_holds_and_the_others_stay() -> None:
    base, agent = of(a_site()).locations[0].hosts[0].roles
    assert (base.settings["timezone"], base.settings["locale"], base.settings["open_files"]) == (
        "Europe/Vienna",
        "de_AT.UTF-8",
        1048576,
    )
    assert agent.settings["port"] == 9200


def test_every_host_of_a_named_group_gets_its_own_volume() -> None:
    core = of(a_site()).locations[0]
    assert [(volume.address, volume.host, volume.mount_path) for volume in core.volumes] == [
        ("core/data/control-1", "core/control-1", "/srv/data"),
        ("core/data/control-2", "core/control-2", "/srv/data"),
    ]
    assert core.hosts[0].volumes == ("core/data/control-1",)


def test_ssh_settings_of_group_and_host_hold_over_those_of_the_location() -> None:
    first, _, last = of(a_site()).locations[2].hosts
    assert first.connection is not None
    assert (first.connection.hostname, first.connection.user, first.connection.port) == ("box-1.example.com", "ops", 22)
    assert last.connection is not None
    assert (last.connection.hostname, last.connection.user) == ("192.0.2.9", "root")


def test_the_digest_follows_the_meaning_of_the_file() -> None:
    same, other = a_site(), a_site(software={"base": {"timezone": "Europe/Rome"}, "monitoring_agent": {"port": 9200}})
    assert desired_digest(of(a_site())) == desired_digest(of(same))
    assert desired_digest(of(a_site())) != desired_digest(of(other))
