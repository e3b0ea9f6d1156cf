"""Grafana's source, key, settings and provisioning on a real host, with a fake of its package.

What is shown is what the role writes and refuses. That Grafana reads it is not: its repository cannot be reached here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.hosts.box import HOOK, fresh_box
from tests.hosts.tampering import Change, Round, hold
from tests.playbooks.fake_vendor import URI, FakeVendor, grafana_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

FOLDER = "/etc/grafana"
PASSWORD = HOOK["env:HOOK"]
SOURCE = "/etc/apt/sources.list.d/leptonctl-grafana.sources"
UNIT = "grafana-server.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/x.conf"
LOGIN = f"{FOLDER}/leptonctl-admin"
PROVISIONED = f"{FOLDER}/provisioning/datasources/leptonctl.yaml"
ASKED = {"admin_password": "env:HOOK", "prometheus_port": 9091}

ROUNDS = {
    "files, source, key, hold and what stopped": Round(
        (
            Change(
                "dashboards",
                f"{FOLDER}/grafana.ini: content changed",
                f"echo 'allow_sign_up = true' >> {FOLDER}/grafana.ini",
            ),
            Change("dashboards", f"{PROVISIONED} is missing", f"rm {PROVISIONED}"),
            Change("dashboards", f"{LOGIN}: mode 0644, should be 0640", f"chmod 0644 {LOGIN}"),
            Change("dashboards", f"{SOURCE}: content changed", f"echo >> {SOURCE}"),
            Change(
                "dashboards",
                "/etc/apt/keyrings/leptonctl-grafana.asc is missing",
                "rm /etc/apt/keyrings/leptonctl-grafana.asc",
            ),
            Change("dashboards", "package grafana is marked install, should be hold", "apt-mark unhold grafana"),
            Change("dashboards", f"unit {UNIT} is stopped, should be running", f"systemctl stop {UNIT}"),
        )
    ),
    "another password, and what was put over ours": Round(
        (
            Change("dashboards", f"{LOGIN}: content changed", f"echo another-password > {LOGIN}"),
            Change(
                "dashboards",
                f"unit {UNIT} has an extra drop-in {DROP_IN}",
                f"printf '[Service]\\nNice=5\\n' | install -D -m 0644 /dev/stdin {DROP_IN} && systemctl daemon-reload",
            ),
            Change("dashboards", f"unit {UNIT} is disabled, should be enabled", f"systemctl disable {UNIT}"),
        )
    ),
}


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeVendor]:
    folder = tmp_path_factory.mktemp("dashboards")
    with fresh_box(folder, "dashboards") as box:
        made = FakeVendor(box, folder)
        made.serve()
        made.publish("/grafana", "/grafana/gpg.key", *grafana_packages(), suite="stable")
        yield made


def test_a_wrong_key_and_an_unsigned_source_are_refused_and_nothing_is_written(vendor: FakeVendor) -> None:
    wrong = "A" * 40
    assert vendor.ask(dashboards={**ASKED, **vendor.source("/grafana"), "repository_key": wrong}) == (
        f"repository leptonctl-grafana: the key at {URI}/grafana/gpg.key has the fingerprint {vendor.fingerprint},"
        f" and {wrong} is pinned: nothing was changed"
    )
    vendor.publish("/unsigned", "/unsigned/gpg.key", *grafana_packages(), suite="stable", is_signed=False)
    assert vendor.ask(dashboards={**ASKED, **vendor.source("/unsigned")}) == (
        f"repository leptonctl-grafana: {URI}/unsigned is not signed: nothing is taken from it"
    )
    assert vendor.box.run("find /etc/apt/sources.list.d /etc/apt/keyrings -name '*grafana*'") == ""


def test_it_is_taken_from_the_signed_source_and_listens_on_loopback_alone(vendor: FakeVendor) -> None:
    assert vendor.ask(dashboards={**ASKED, **vendor.source("/grafana")}) is None
    source = vendor.box.run(f"cat {SOURCE}")
    assert "Signed-By: /etc/apt/keyrings/leptonctl-grafana.asc" in source
    assert vendor.box.run("dpkg-query --show --showformat='${Version}' grafana") == "12.1.0"
    assert "grafana" in vendor.box.run("apt-mark showhold")
    assert "http_addr = 127.0.0.1" in vendor.box.run(f"cat {FOLDER}/grafana.ini")


def test_its_data_and_the_dashboards_are_provisioned_as_files(vendor: FakeVendor) -> None:
    (data,) = yaml.safe_load(vendor.box.run(f"cat {FOLDER}/provisioning/datasources/leptonctl.yaml"))["datasources"]
    assert (data["type"], data["url"], data["editable"]) == ("prometheus", "http://127.0.0.1:9091", False)
    (shown,) = yaml.safe_load(vendor.box.run(f"cat {FOLDER}/provisioning/dashboards/leptonctl.yaml"))["providers"]
    assert shown["options"] == {"path": "/usr/local/share/leptonctl/dashboards"}
    assert shown["allowUiUpdates"] is False


def test_the_password_is_in_one_file_for_the_service_and_nowhere_else(vendor: FakeVendor) -> None:
    assert vendor.box.run(f"stat --format='%a %U %G' {FOLDER}/leptonctl-admin").split() == ["640", "root", "grafana"]
    assert vendor.box.run(f"cat {FOLDER}/leptonctl-admin") == PASSWORD
    ini = vendor.box.run(f"cat {FOLDER}/grafana.ini")
    assert f"admin_password = $__file{{{FOLDER}/leptonctl-admin}}" in ini
    assert PASSWORD not in ini + vendor.box.last_log()


def test_it_is_in_order_then_and_a_second_run_changes_nothing(vendor: FakeVendor) -> None:
    assert vendor.box.record().problem is None
    assert vendor.box.found(with_checks=True) == {}
    assert vendor.ask(dashboards={**ASKED, **vendor.source("/grafana")}) is None
    assert vendor.box.done.changed_count == 0


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_and_mended_by_the_next_run(vendor: FakeVendor, name: str) -> None:
    hold(vendor.box, ROUNDS[name])
