"""Settings: site < location < group, setting by setting, each with the place that set it."""

from __future__ import annotations

import pytest

from leptonctl.errors import UsageProblem
from leptonctl.sitefile.explain import explain
from leptonctl.sitefile.load import load_text
from leptonctl.sitefile.settings import Resolved, resolve

SITE = load_text(
    """
site: demo
owner: ops
software:
  base:
    timezone: Europe/Berlin
    sysctl: {vm.swappiness: 1, vm.dirty_ratio: 2}
    open_files: 2048
core:
  platform: local
  nodes: {box: {count: 1}}
regions:
  west:
    platform: ssh
    ssh: {user: operator, jump: gate.example.com}
    software:
      base: {sysctl: {vm.swappiness: 3}, open_files: 1048576, apt_proxy: "http://proxy:3128"}
    nodes:
      box:
        ssh: {user: root}
        hosts: ["box-[1:2]", {name: box-3, address: 192.0.2.3, port: 2222}]
        software: {base: {apt_proxy: null}}
edges:
  shop: {platform: local, parent: west, nodes: {box: {count: 1, machine: {cpus: 2}}},
         storage: {data: {size_gib: 1, mount_path: /data, nodes: [box]}}}
""",
    file="site.yaml",
    environ={},
).site


def test_what_nothing_sets_is_the_default_and_has_no_origin() -> None:
    assert resolve(SITE, "core", "box", "base")["locale"] == Resolved("C.UTF-8", None)


def test_the_site_holds_over_the_default() -> None:
    assert resolve(SITE, "core", "box", "base")["timezone"] == Resolved(
        "Europe/Berlin", ("software", "base", "timezone")
    )


def test_a_mapping_that_is_set_deeper_replaces_the_whole_one() -> None:
    assert resolve(SITE, "regions/west", None, "base")["sysctl"] == Resolved(
        {"vm.swappiness": 3}, ("regions", "west", "software", "base", "sysctl")
    )


def test_a_value_that_is_set_deeper_to_the_default_holds() -> None:
    assert resolve(SITE, "regions/west", "box", "base")["open_files"] == Resolved(
        1048576, ("regions", "west", "software", "base", "open_files")
    )


def test_null_takes_a_setting_back() -> None:
    assert resolve(SITE, "regions/west", None, "base")["apt_proxy"].value == "http://proxy:3128"
    assert resolve(SITE, "regions/west", "box", "base")["apt_proxy"] == Resolved(
        None, ("regions", "west", "nodes", "box", "software", "base", "apt_proxy")
    )


def test_a_place_that_does_not_exist_is_a_key_error() -> None:
    for location, group in (("regions/east", None), ("core", "other"), ("nowhere", None)):
        with pytest.raises(KeyError):
            resolve(SITE, location, group, "base")


def test_explain_a_host_gives_its_facts_with_their_origin() -> None:
    facts = explain(SITE, "regions/west/box-3").facts
    here = ("regions", "west", "nodes", "box")
    assert facts["platform"] == Resolved("ssh", ("regions", "west", "platform"))
    assert facts["group"] == Resolved("box", here)
    assert facts["ssh.hostname"] == Resolved("192.0.2.3", (*here, "hosts", 1))
    assert facts["ssh.port"] == Resolved(2222, (*here, "hosts", 1, "port"))
    assert facts["ssh.user"] == Resolved("root", (*here, "ssh", "user"))
    assert facts["ssh.jump"] == Resolved("gate.example.com", ("regions", "west", "ssh", "jump"))
    assert "ssh.key" not in facts


def test_explain_a_host_of_a_range_names_the_list() -> None:
    explanation = explain(SITE, "regions/west/box-2")
    assert explanation.facts["ssh.hostname"] == Resolved("box-2", ("regions", "west", "nodes", "box", "hosts"))
    assert explanation.facts["ssh.port"] == Resolved(22, None)
    assert explanation.roles["base"] == resolve(SITE, "regions/west", "box", "base")


def test_explain_a_local_host_shows_machine_and_storage() -> None:
    facts = explain(SITE, "edges/shop/box-1").facts
    assert facts["machine.cpus"] == Resolved(2.0, ("edges", "shop", "nodes", "box", "machine", "cpus"))
    assert facts["storage.data"] == Resolved("/data", ("edges", "shop", "storage", "data", "mount_path"))


def test_explain_a_location_shows_its_tier_hosts_and_parent() -> None:
    explanation = explain(SITE, "edges/shop")
    assert (explanation.tier, explanation.group) == ("edge", None)
    assert explanation.facts["hosts"] == Resolved(1, None)
    assert explanation.facts["parent"] == Resolved("west", ("edges", "shop", "parent"))
    assert list(explanation.roles) == ["base"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("regions/wst", "the site has no address 'regions/wst' (did you mean 'regions/west'?)"),
        ("regions/west/box-7", "the site has no address 'regions/west/box-7' (did you mean 'regions/west/box-3'?)"),
        ("core/", "the site has no address 'core/' (did you mean 'core'?)"),
        ("", "the site has no address ''"),
        ("\x1b[2J", "the site has no address '\\x1b[2J'"),
    ],
)
def test_an_unknown_address_is_a_usage_problem(address: str, message: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        explain(SITE, address)
    assert caught.value.message == message
    assert caught.value.hint == "locations of this site: core, regions/west, edges/shop"
