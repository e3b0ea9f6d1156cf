"""What `verify` asks of a host, role by role."""

import json

import pytest

from leptonctl.hosts.checks import checks_for
from leptonctl.hosts.checks.kinds import Command, Package, Port, PrometheusTargets, Unit, as_json
from leptonctl.planning.desired import DesiredRole
from leptonctl.sitefile.software import SETTINGS, RoleName


def role(name: RoleName, **settings: object) -> DesiredRole:
    return DesiredRole(name, {**SETTINGS[name]().model_dump(mode="json"), **settings})


@pytest.mark.parametrize("name", SETTINGS)
def test_every_role_has_checks_and_they_are_plain_json(name: RoleName) -> None:
    checks = checks_for(role(name))
    assert checks
    for check in checks:
        text = as_json(check)
        assert json.loads(json.dumps(text))["kind"] == check.kind
        assert check.title


def test_kinds_are_few_and_each_has_a_name_of_its_own() -> None:
    kinds = [kind.kind for kind in (Unit, Port, Package, Command, PrometheusTargets)]
    assert kinds == ["unit", "port", "package", "command", "prometheus_targets"]


def test_update_timers_are_only_asked_for_where_updates_install_themselves() -> None:
    timers = {Unit("apt-daily.timer"), Unit("apt-daily-upgrade.timer")}
    assert timers <= set(checks_for(role("base")))
    assert not timers & set(checks_for(role("base", security_updates=False)))


def test_a_locale_is_looked_for_by_the_name_that_the_archive_gives_it() -> None:
    checks = [check for check in checks_for(role("base", locale="de_AT.UTF-8")) if isinstance(check, Command)]
    assert [check.expect for check in checks if "locale-gen" in check.covers] == ["de_AT.utf8"]


def test_a_container_is_started_with_the_snapshotter_of_the_settings_under_a_name_that_no_other_look_uses() -> None:
    (started,) = (
        check
        for check in checks_for(role("container_runtime", snapshotter="native"))
        if check.title == "a container starts"
    )
    assert isinstance(started, Command)
    assert started.argv == (
        *("ctr", "run", "--rm", "--snapshotter", "native", "localhost/leptonctl/probe:1", "leptonctl-{unique}"),
        *("/bin/busybox", "echo", "started"),
    )


def test_a_held_version_is_asked_for_and_no_version_means_any() -> None:
    assert Package("containerd", "1.6.20*") in checks_for(role("container_runtime", version="1.6.20*"))
    assert Package("containerd", None) in checks_for(role("container_runtime"))


def test_the_agent_answers_at_its_port() -> None:
    assert Port(9200) in checks_for(role("monitoring_agent", port=9200))


def test_every_host_of_the_site_has_to_be_scraped_within_two_intervals() -> None:
    targets = [
        {"host": "core/box-1", "location": "core", "tier": "core", "endpoint": "10.0.0.1:9100"},
        {"host": "edges/shop/box-1", "location": "edges/shop", "tier": "edge", "endpoint": "10.0.1.1:9100"},
    ]
    check = checks_for(role("monitoring_server", targets=targets, scrape_interval_s=10))[-1]
    assert check == PrometheusTargets(9090, ("core/box-1", "edges/shop/box-1"), wait_s=25)
    assert check.title == "Prometheus reaches all of its 2 hosts"
    senders = [{"host": "edges/shop/box-2"}]
    check = checks_for(role("monitoring_server", targets=targets, senders=senders, scrape_interval_s=10))[-1]
    assert check == PrometheusTargets(
        9090, ("core/box-1", "edges/shop/box-1"), senders=("edges/shop/box-2",), wait_s=50
    )


def test_checks_can_be_made_of_any_text_also_of_one_that_a_site_file_may_not_have() -> None:
    user = {"name": "ada", "full_name": "{{ 7 * 7 }}", "ssh_keys": [], "sudo": False, "shell": "/bin/bash"}
    assert checks_for(role("base", users=[user])) == checks_for(role("base"))


def test_a_setting_that_is_not_named_has_the_default_of_the_model() -> None:
    assert checks_for(DesiredRole("monitoring_agent", {})) == checks_for(role("monitoring_agent"))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_check_of_every_look_says_what_it_rests_on_so_that_one_change_is_told_once(name: RoleName) -> None:
    quick = [check for check in checks_for(role(name)) if isinstance(check, Command) and check.is_quick]
    assert [check.title for check in quick if not check.rests_on] == []
    assert [
        check.title for check in quick if check.argv[0].startswith("/") and check.argv[0] not in check.rests_on
    ] == []


def test_what_other_hosts_have_to_be_there_for_is_not_asked_while_they_are_still_to_be_done() -> None:
    parts: tuple[str, ...] = ("name_node", "checkpoint_node", "data_node")
    asking = {check.title for check in checks_for(role("storage_hdfs", parts=parts)) if check.asks_others}
    assert asking == {"HDFS has all its data nodes and blocks"}
    parts = ("journal_node", "data_node")
    asking = {check.title for check in checks_for(role("storage_hdfs", parts=parts)) if check.asks_others}
    assert asking == {
        "the journal node keeps the edits of HDFS, and votes",
        "the data node has its disks and its name node",
    }


def test_of_two_name_nodes_each_has_who_makes_it_the_active_one() -> None:
    parts = ("name_node", "journal_node")
    units = {
        count: {check.name for check in checks_for(role("storage_hdfs", parts=parts, name_nodes=["192.0.2.1"] * count))
                if isinstance(check, Unit)}
        for count in (1, 2)
    }  # fmt: skip
    assert units[2] - units[1] == {"leptonctl-hdfs-failover.service"}
    assert "leptonctl-hdfs-zookeeper.service" in units[1]
