"""What each role is watched for: its alerts, the tests of its alerts, and its dashboard."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from leptonctl.assets import asset
from leptonctl.planning.estimate import MEMORY_W_PER_GIB, VCPU_BUSY_W, VCPU_IDLE_W
from leptonctl.sitefile.software import ROLE_NEEDS, SETTINGS, RoleName
from tests.hosts.box import Box, fresh_box, role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLES = asset("playbooks", "roles")
# Roles without alerts of their own, and who watches what they do.
WATCHED_ELSEWHERE: dict[RoleName, str] = {}
WATCHED = [name for name in SETTINGS if name not in WATCHED_ELSEWHERE]


def text_of(name: RoleName, part: str) -> str:
    return (ROLES / name / "monitoring" / part).read_text()


def alerts_of(name: RoleName) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text_of(name, "alerts.yml"))["groups"] for rule in group["rules"]]


def test_a_role_is_watched_unless_it_says_who_does() -> None:
    assert {path.parent.name for path in ROLES.glob("*/monitoring")} == set(WATCHED)


@pytest.mark.parametrize("name", WATCHED)
def test_every_alert_of_a_role_is_tested_and_says_how_bad_it_is_and_where(name: RoleName) -> None:
    tested = {
        case["alertname"]
        for test in yaml.safe_load(text_of(name, "alerts_test.yml"))["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    alerts = [rule for rule in alerts_of(name) if "alert" in rule]
    assert {rule["alert"] for rule in alerts} == tested
    for rule in alerts:
        assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
        assert "{{ $labels." in rule["annotations"]["summary"], rule["alert"]


def stays_silent(alert: dict[str, Any], test: dict[str, Any]) -> bool:
    """Whether the test has a moment or a series for which the alert must not fire."""
    cases = [case for case in test["alert_rule_test"] if case["alertname"] == alert["alert"]]
    metrics = [series["series"].partition("{")[0] for series in test["input_series"]]
    counts = [metrics.count(metric) for metric in metrics if re.search(rf"\b{metric}\b", alert["expr"])]
    return any(not case["exp_alerts"] or max(counts, default=0) > len(case["exp_alerts"]) for case in cases)


@pytest.mark.parametrize("name", WATCHED)
def test_every_alert_of_a_role_is_tested_to_stay_silent_as_well(name: RoleName) -> None:
    tests = yaml.safe_load(text_of(name, "alerts_test.yml"))["tests"]
    loud = [rule for rule in alerts_of(name) if "alert" in rule and not any(stays_silent(rule, one) for one in tests)]
    assert [rule["alert"] for rule in loud] == []


def test_an_alert_has_its_name_alone() -> None:
    names = [rule["alert"] for name in WATCHED for rule in alerts_of(name) if "alert" in rule]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", WATCHED)
def test_alerts_use_no_setting_but_the_servers_own(name: RoleName) -> None:
    used = re.findall(r"\[\[\s*(\w+)", text_of(name, "alerts.yml"))
    assert set(used) <= {f"monitoring_server_{setting}" for setting in SETTINGS["monitoring_server"].model_fields}


@pytest.mark.parametrize("name", WATCHED)
def test_a_dashboard_asks_whatever_data_source_is_chosen_and_shows_something(name: RoleName) -> None:
    found = json.loads(text_of(name, "dashboard.json"))
    assert found["uid"] == f"leptonctl-{name.replace('_', '-')}"
    assert found["title"]
    assert found["panels"]
    for panel in found["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert all(target["expr"] for target in panel["targets"]), panel["title"]
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])


SITE_DASHBOARDS = sorted((ROLES / "monitoring_server" / "monitoring").glob("site_*.json"))


def test_the_site_has_its_dashboards() -> None:
    names = ["site_energy", "site_gpu", "site_location", "site_overview", "site_storage"]
    assert [path.stem for path in SITE_DASHBOARDS] == names


@pytest.mark.parametrize("path", SITE_DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_of_the_site_asks_whatever_data_source_is_chosen(path: Path) -> None:
    found = json.loads(path.read_text())
    assert found["uid"] == f"leptonctl-{path.stem.replace('_', '-')}"
    assert found["panels"]
    for panel in found["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert all("$location" in target["expr"] for target in panel["targets"]), panel["title"]


def test_power_is_estimated_by_the_coefficients_of_the_catalogue() -> None:
    rules = {rule.get("record"): rule["expr"] for rule in alerts_of("monitoring_agent")}
    estimated = rules["leptonctl:host_watts_estimated"]
    assert f"({VCPU_IDLE_W} * " in estimated
    assert f"({VCPU_BUSY_W} - {VCPU_IDLE_W}) * " in estimated
    assert f"{MEMORY_W_PER_GIB} * " in estimated


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A host that watches for all roles there are."""
    with fresh_box(tmp_path_factory.mktemp("monitoring"), "monitoring") as box:
        settings: dict[RoleName, dict[str, Any]] = {
            "base": {},
            "monitoring_agent": {},
            "monitoring_server": {"targets": [], "watched_roles": list(ROLE_NEEDS)},
        }
        box.target = replace(box.target, roles=tuple(role(name, **given) for name, given in settings.items()))
        box.configure()
        assert box.record().problem is None
        yield box


@pytest.mark.hosts
@pytest.mark.matrix
@pytest.mark.parametrize("name", WATCHED)
def test_the_alerts_fire_as_their_tests_say_and_prometheus_takes_its_queries(server: Box, name: RoleName) -> None:
    """The rules are those that the role has put on the host, with its settings filled in."""
    content = base64.b64encode(text_of(name, "alerts_test.yml").encode()).decode()
    said = server.run(
        "rm -rf /root/rules && mkdir /root/rules && cd /root/rules && cp /etc/prometheus/rules/leptonctl.yml alerts.yml"
        f" && echo {content} | base64 --decode > test.yml && promtool test rules test.yml 2>&1"
    )
    assert "SUCCESS" in said
    assert json.loads(server.run(f"cat /usr/local/share/leptonctl/dashboards/{name}.json")) == json.loads(
        text_of(name, "dashboard.json")
    )
    for panel in json.loads(text_of(name, "dashboard.json"))["panels"]:
        for target in panel["targets"]:
            query = base64.b64encode(target["expr"].replace("$location", ".*").encode()).decode()
            server.run(f'promtool query instant http://127.0.0.1:9090 "$(echo {query} | base64 --decode)"')
