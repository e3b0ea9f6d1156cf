"""The main job on six real hosts in three tiers. The tests of this file share the site and run in their order."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from leptonctl.assets import asset
from tests.e2e.local_site import Answer, Site, podman

pytestmark = pytest.mark.hosts

HOSTS = {
    "core/control-1": ["base", "container_runtime", "monitoring_agent", "monitoring_server"],
    "core/store-1": ["base", "monitoring_agent"],
    "regions/east/serve-1": ["base", "monitoring_agent"],
    "regions/west/serve-1": ["base", "container_runtime", "monitoring_agent"],
    "edges/mill/box-1": ["base", "monitoring_agent"],
    "edges/shop/box-1": ["base", "monitoring_agent"],
}
TEXT = """
software:
  base:
    users:
      - name: ana
        full_name: Ana "the Op" O'Neil $(touch /tmp/pwned) `id`
        ssh_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ana"]
  container_runtime: {snapshotter: native}
  monitoring_agent: {port: 9100}
  monitoring_server: {scrape_interval_s: 2, webhook_url: "env:LEPTON_TEST_WEBHOOK"}
core:
  platform: local
  nodes:
    control:
      count: 1
      machine: {cpus: 2, memory_gib: 1}
      roles: [base, container_runtime, monitoring_agent, monitoring_server]
    store: {count: 1, roles: [base, monitoring_agent]}
  storage:
    data: {size_gib: 1, mount_path: /srv/data, nodes: [store]}
regions:
  west:
    platform: local
    nodes:
      serve: {count: 1, roles: [base, container_runtime, monitoring_agent]}
  east:
    platform: local
    nodes:
      serve: {count: 1, roles: [base, monitoring_agent]}
edges:
  shop:
    platform: local
    parent: west
    nodes:
      box: {count: 1, roles: [base, monitoring_agent]}
  mill:
    platform: local
    parent: east
    nodes:
      box: {count: 1, roles: [base, monitoring_agent]}
"""
SECRET = "http://127.0.0.1:9/hook/t0ken-that-must-not-show"


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    made = make_site("six", TEXT)
    made.environ["LEPTON_TEST_WEBHOOK"] = SECRET
    return made


@pytest.fixture(scope="module")
def first_plan(site: Site) -> Answer:
    return site.run("plan", "--diff")


@pytest.fixture(scope="module")
def first_up(site: Site, first_plan: Answer) -> Answer:
    assert first_plan.exit_code == 0, first_plan.stderr
    return site.up()


def check_shape(answer: Answer) -> None:
    jsonschema.validate(answer.result, json.loads(asset("templates", "result.schema.json").read_text()))


def test_a_fresh_site_is_brought_up_in_three_tiers(site: Site, first_up: Answer) -> None:
    assert (first_up.exit_code, first_up.problems()) == (0, [])
    check_shape(first_up)
    assert first_up.result["data"]["message"] == "done: 6 hosts are as the site file says"
    running = site.podman("ps", "--format", '{{index .Labels "leptonctl.location"}}/{{index .Labels "leptonctl.host"}}')
    assert sorted(running.split()) == sorted(HOSTS)


def test_the_plan_of_a_fresh_site_predicted_what_up_then_did(first_plan: Answer, first_up: Answer) -> None:
    def roles(answer: Answer) -> dict[str, list[str]]:
        locations = answer.result["locations"]
        return {host["address"]: [role["name"] for role in host["roles"]] for one in locations for host in one["hosts"]}

    def resources(answer: Answer) -> set[tuple[str, str, str]]:
        return {(change["action"], change["kind"], change["address"]) for change in answer.result["changes"]}

    assert {address: sorted(names) for address, names in roles(first_plan).items()} == HOSTS
    assert {role["state"] for host in map(first_up.host, HOSTS) for role in host["roles"]} == {"done"}
    assert resources(first_plan) == resources(first_up)
    assert {action for action, _, _ in resources(first_plan)} == {"create"}
    check_shape(first_plan)


def test_prometheus_scrapes_every_host_of_all_tiers(site: Site, first_up: Answer) -> None:
    address = first_up.host("core/control-1")["hostname"]
    query = f"http://{address}:9090/api/v1/query?query=up"
    for _ in range(60):  # the first scrapes come within one interval, at a moment that Prometheus picks
        with urllib.request.urlopen(query, timeout=10) as answer:
            found = {one["metric"].get("host"): one["value"][1] for one in json.load(answer)["data"]["result"]}
        if {found.get(host) for host in HOSTS} == {"1"}:
            break
        subprocess.run(["podman", "exec", site.container("core/control-1"), "sleep", "0.5"], check=True)
    assert {host: found.get(host) for host in HOSTS} == dict.fromkeys(HOSTS, "1")


def test_verify_proves_it(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    verified = site.run("verify")
    assert (verified.exit_code, verified.problems()) == (0, [])
    check_shape(verified)
    assert [role["reasons"] for host in map(verified.host, HOSTS) for role in host["roles"] if role["reasons"]] == []


def test_status_gives_three_answers_for_every_host(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    status = site.run("status", "--exit-code")
    assert status.exit_code == 0
    check_shape(status)
    for address in HOSTS:
        host = status.host(address)
        assert [host[name]["value"] for name in ("deployed", "reachable", "in_sync")] == ["yes", "yes", "yes"]
        assert all(host[name]["age_s"] is not None for name in ("deployed", "reachable", "in_sync"))


def test_a_second_up_starts_no_ansible_and_a_forced_one_changes_nothing(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    before = site.configured_runs()
    second = site.up()
    assert (second.exit_code, second.result["data"]["message"]) == (0, "nothing to do: all is as the site file says")
    assert site.configured_runs() == before
    forced = site.up("--force")
    assert forced.exit_code == 0, forced.stdout
    # Ansible's own count.
    assert {host: forced.host(host)["changed_count"] for host in HOSTS} == dict.fromkeys(HOSTS, 0)


def test_verify_names_exactly_what_was_broken_and_up_mends_it(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    site.on("edges/shop/box-1", "systemctl", "stop", "prometheus-node-exporter.service")
    site.on("regions/west/serve-1", "sh", "-c", "echo '# by hand' >> /etc/containerd/config.toml")
    verified = site.run("verify")
    assert verified.exit_code == 6
    agent = "prometheus-node-exporter.service"
    on_shop = [text for where, text in verified.problems() if where == "edges/shop/box-1"]
    on_west = [text for where, text in verified.problems() if where == "regions/west/serve-1"]
    on_core = [text for where, text in verified.problems() if where == "core/control-1"]
    assert f"unit {agent} is stopped, should be running" in on_shop
    assert "/etc/containerd/config.toml: content changed" in on_west
    # Whoever looks from elsewhere sees it too, and names the host.
    assert all("edges/shop/box-1 is down" in text for text in on_core)
    assert {where for where, _ in verified.problems()} <= {
        "edges/shop/box-1",
        "regions/west/serve-1",
        "core/control-1",
    }
    mended = site.up()
    assert (mended.exit_code, mended.problems()) == (0, [])
    touched = {host for host in HOSTS if mended.host(host)["changed_count"] is not None}
    assert touched == {"edges/shop/box-1", "regions/west/serve-1"}
    again = site.run("verify")
    assert (again.exit_code, again.problems()) == (0, [])


def test_a_role_that_fails_on_one_host_leaves_the_other_five_done(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    broken = "regions/east/serve-1"
    settings = "/etc/default/prometheus-node-exporter"
    site.on(broken, "sh", "-c", f"rm {settings} && mkdir {settings}")
    site.file.write_text(site.file.read_text().replace("port: 9100", "port: 9111"))
    failed = site.up()
    assert failed.exit_code == 5
    assert {host for host in HOSTS if failed.host(host)["status"] != "changed"} == {broken}
    (problem,) = failed.result["problems"]
    assert (problem["where"], problem["rule"]) == (broken, "monitoring_agent")
    said = "ansible.builtin.systemd_service: Unable to restart service prometheus-node-exporter.service: "
    assert problem["message"].startswith(f"task 'Settings and service' failed: {said}")
    folder = Path(failed.result["run"])
    assert "Settings and service" in "".join(log.read_text() for log in folder.glob("configure-*/ansible.log"))
    assert failed.result["data"]["message"] == (
        "5 of 6 hosts are as the site file says; `leptonctl up` again goes on with the rest"
    )
    site.on(broken, "rm", "-r", settings)
    mended = site.up()
    assert mended.exit_code == 0
    assert {host for host in HOSTS if mended.host(host)["changed_count"] is not None} == {broken}


def test_values_with_quotes_and_commands_arrive_as_text(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    for host in HOSTS:
        account = site.on(host, "getent", "passwd", "ana").split(":")
        assert account[4] == 'Ana "the Op" O\'Neil $(touch /tmp/pwned) `id`'
        site.on(host, "test", "!", "-e", "/tmp/pwned")


def test_a_secret_stands_in_no_file_that_a_run_keeps(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    assert SECRET in site.on("core/control-1", "cat", "/etc/prometheus/alertmanager.yml")
    kept = [path for path in (site.file.parent / ".leptonctl").rglob("*") if path.is_file()]
    assert len(kept) > 10
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in first_up.stdout + first_up.stderr


def test_a_changed_host_key_is_refused_and_nothing_is_sent(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    host, key = "edges/mill/box-1", "/etc/ssh/ssh_host_ed25519_key"
    site.on(host, "sh", "-c", f"cp {key} /root/kept && rm {key}* && ssh-keygen -q -t ed25519 -N '' -f {key}")
    site.on(host, "systemctl", "restart", "ssh")
    before = site.on(host, "sh", "-c", "journalctl -u ssh | grep -c 'Accepted publickey' || true")
    try:
        refused = site.up("--force", "--only", host, "--only", "edges/shop/box-1")
        assert refused.exit_code == 7
        problems = [text for where, text in refused.problems() if where == host]
        assert len(problems) == 1
        assert "host key" in problems[0]
        assert problems[0].count("SHA256:") == 2
        assert site.on(host, "sh", "-c", "journalctl -u ssh | grep -c 'Accepted publickey' || true") == before
        verified = site.run("verify", "--only", host)
        assert verified.exit_code == 6
    finally:
        site.on(host, "sh", "-c", f"mv /root/kept {key} && ssh-keygen -y -f {key} > {key}.pub")
        site.on(host, "systemctl", "restart", "ssh")


def test_a_plan_file_is_done_only_while_it_is_true(site: Site, first_up: Answer, tmp_path: Path) -> None:
    assert first_up.exit_code == 0
    plan = tmp_path / "plan.json"
    assert site.run("plan", "--diff", "--out", str(plan)).exit_code == 0
    assert site.up("--plan", str(plan)).exit_code == 0
    text = site.file.read_text()
    site.file.write_text(text.replace("  monitoring_agent: {port: ", "  monitoring_agent: {port: 2"))
    try:
        refused = site.up("--plan", str(plan))
    finally:
        site.file.write_text(text)
    assert refused.exit_code == 7
    assert refused.problems()[0][1] == f"the site file (or --only) is not the one that {plan} was made from"
    site.on("edges/shop/box-1", "systemctl", "stop", "prometheus-node-exporter.service")
    refused = site.up("--plan", str(plan))
    assert refused.exit_code == 7
    assert refused.problems()[0][1] == f"what is there has changed since {plan} was made"
    assert site.up().exit_code == 0


def test_a_location_that_left_the_site_file_is_removed_and_prometheus_forgets_it(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    text = site.file.read_text()
    site.file.write_text(text[: text.index("  mill:")])
    planned = site.run("plan", "--diff")
    gone = [
        (change["action"], change["address"]) for change in planned.result["changes"] if change["action"] == "delete"
    ]
    assert sorted(gone) == [("delete", "edges/mill"), ("delete", "edges/mill/box-1")]
    done = site.up()
    assert done.exit_code == 0, done.stdout
    assert not [name for name in site.objects() if "edges-mill" in name]
    assert "edges/mill" not in site.on("core/control-1", "cat", "/etc/prometheus/targets/leptonctl.json")


def test_down_leaves_nothing_but_the_data_until_it_is_named(site: Site, first_up: Answer) -> None:
    assert first_up.exit_code == 0
    site.on("core/store-1", "sh", "-c", "echo precious > /srv/data/file")
    down = site.run("down", "--yes")
    assert (down.exit_code, down.problems()) == (0, [])
    check_shape(down)
    kept = [change for change in down.result["changes"] if change["action"] == "keep"]
    assert [(change["address"], change["is_data"]) for change in kept] == [("core/data/store-1", True)]
    (volume,) = site.objects()
    mount = podman("volume", "inspect", "--format", "{{.Mountpoint}}", volume).strip()
    assert (Path(mount) / "file").read_text() == "precious\n"
    gone = site.run("down", "--yes", "--delete-data", "core/data")
    assert gone.exit_code == 0
    assert site.objects() == []
    assert "nothing carries the mark of site" in gone.result["data"]["message"]
