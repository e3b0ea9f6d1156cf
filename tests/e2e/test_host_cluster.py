"""A cluster of two local hosts from a signed repository of FAKE packages: order, tokens, upgrades, refusals.

What is real: hosts, leptonctl as a process, Ansible, apt with signatures. See `fake_kubernetes` for what is not.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import fake_kubernetes
from tests.playbooks.test_repository import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

CONTROL, BOX, MIRROR = "core/control-1", "core/box-1", "core/mirror-1"
KUBERNETES = "base, container_runtime, kubernetes"
TEXT = """\
software:
  container_runtime: {{snapshotter: native}}
core:
  platform: local
  nodes:
    box: {{count: 1, roles: [{box}]}}
    control:
      count: 1
      roles: [base, container_runtime, kubernetes]
      software: {{kubernetes: {{control_plane: true}}}}
    mirror: {{count: 1}}
  software:
    kubernetes: {{version: {version}, repository: "http://{mirror}:8000", repository_key: {key}}}
"""


class Cluster:
    """The site, and what its file says now."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.head = site.file.read_text().partition("software:")[0]
        self.words = {"box": KUBERNETES, "version": "1.31.4", "mirror": "192.0.2.1", "key": "0" * 40}

    def want(self, **changed: str) -> None:
        self.words |= changed
        self.site.file.write_text(self.head + TEXT.format(**self.words))

    def up(self, *arguments: str) -> None:
        done = self.site.up(*arguments)
        assert done.exit_code == 0, done.stdout + done.stderr

    def calls(self, address: str) -> list[dict[str, Any]]:
        """What the fakes were told on a host."""
        lines = self.site.on(address, "cat", "/var/lib/fake-kubernetes/calls.jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def nodes(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.site.on(CONTROL, "cat", "/var/lib/fake-kubernetes/nodes.json"))
        return found


@pytest.fixture(scope="module")
def cluster(make_site: Callable[[str, str], Site], tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    folder = tmp_path_factory.mktemp("fake-kubernetes")
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    fingerprint, key = new_key(home, "fake-kubernetes")
    served = fake_kubernetes.publish(folder, home, fingerprint, key, ("1.31.4", "1.32.2"))
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
    made = Cluster(make_site("kube", "software: {}\ncore: {platform: local}\n"))
    made.want(key=fingerprint)
    made.up("--only", MIRROR)
    subprocess.run(["podman", "cp", str(served), f"{made.site.container(MIRROR)}:/srv/served"], check=True)
    serve = ["systemd-run", "--quiet", "--unit=served", "python3", "-m", "http.server", "--directory=/srv/served"]
    made.site.on(MIRROR, *serve, "8000")
    made.want(mirror=made.site.on(MIRROR, "hostname", "--all-ip-addresses").split()[0])
    made.up()
    return made


def test_the_control_plane_begins_the_cluster_and_the_worker_joins_after_it(cluster: Cluster) -> None:
    begun = next(call for call in cluster.calls(CONTROL) if call["argv"][1] == "init")
    joined = next(call for call in cluster.calls(BOX) if call["argv"][1] == "join")
    assert begun["argv"] == ["kubeadm", "init", "--config", "/dev/stdin", "--skip-token-print"]
    assert begun["kinds"] == ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration"]
    assert (joined["argv"], joined["kinds"]) == (["kubeadm", "join", "--config", "/dev/stdin"], ["JoinConfiguration"])
    assert begun["at"] < joined["at"]
    assert cluster.nodes() == {
        name: {"labels": {"lepton.site/location": "core", "lepton.site/tier": "core"}, "version": "1.31.4"}
        for name in ("control-1", "box-1")
    }


def test_all_holds_and_a_second_run_has_nothing_to_do(cluster: Cluster) -> None:
    proof = cluster.site.run("verify")
    assert (proof.exit_code, proof.problems()) == (0, [])
    runs = cluster.site.configured_runs()
    cluster.up()
    assert cluster.site.configured_runs() == runs


def test_the_join_token_is_in_no_argument_and_no_file_of_either_side(cluster: Cluster) -> None:
    tokens = cluster.site.on(CONTROL, "cat", "/var/lib/fake-kubernetes/tokens").split()
    assert tokens
    for token in tokens:
        assert all(token not in str(call["argv"]) for host in (CONTROL, BOX) for call in cluster.calls(host))
        for file in cluster.site.file.parent.rglob("*"):
            assert not file.is_file() or token.encode() not in file.read_bytes(), file
        script = f"grep --recursive --files-with-matches {token} /etc /root /tmp /var || true"
        assert cluster.site.on(BOX, "sh", "-c", script) == ""
    created = next(call for call in cluster.calls(CONTROL) if call["argv"][1:3] == ["token", "create"])
    assert created["argv"] == ["kubeadm", "token", "create", "--ttl", "30m"]


def test_an_upgrade_that_skips_a_minor_is_refused_with_the_path_to_take(cluster: Cluster) -> None:
    cluster.want(version="1.33.1")
    path = (
        "Kubernetes 1.31.4 -> 1.33.1 skips a minor version: go 1.31 -> 1.32 -> 1.33, "
        "with `leptonctl up` after each; next is version 1.32"
    )
    before = cluster.calls(CONTROL)
    for answer in (cluster.site.run("plan", "--diff"), cluster.site.up()):
        assert answer.exit_code == 7
        assert ("core", path) in answer.problems()
    assert cluster.calls(CONTROL) == before


def test_packages_that_another_key_signed_change_nothing(cluster: Cluster) -> None:
    right = cluster.words["key"]
    cluster.want(version="1.32.2", key="A" * 40)
    failed = cluster.site.up()
    assert failed.exit_code == 5, failed.stdout
    assert "repository leptonctl-kubernetes" in failed.stdout
    assert {node["version"] for node in cluster.nodes().values()} == {"1.31.4"}
    cluster.want(key=right)


def test_a_mirror_that_is_down_changes_nothing(cluster: Cluster) -> None:
    cluster.site.on(MIRROR, "systemctl", "stop", "served.service")
    failed = cluster.site.up()
    assert failed.exit_code == 5, failed.stdout
    assert {node["version"] for node in cluster.nodes().values()} == {"1.31.4"}
    serve = ["systemd-run", "--quiet", "--unit=served", "python3", "-m", "http.server", "--directory=/srv/served"]
    cluster.site.on(MIRROR, *serve, "8000")


def test_an_upgrade_raises_the_control_plane_first_and_empties_each_worker(cluster: Cluster) -> None:
    cluster.up()
    assert {node["version"] for node in cluster.nodes().values()} == {"1.32.2"}
    raised = next(call for call in cluster.calls(CONTROL) if call["argv"][1:3] == ["upgrade", "apply"])
    node = next(call for call in cluster.calls(BOX) if call["argv"][1:3] == ["upgrade", "node"])
    # The tries before, which failed, emptied it too.
    drained = [call for call in cluster.calls(CONTROL) if call["argv"][3:5] == ["drain", "box-1"]][-1]
    freed = [call for call in cluster.calls(CONTROL) if call["argv"][3:5] == ["uncordon", "box-1"]][-1]
    assert raised["argv"] == ["kubeadm", "upgrade", "apply", "v1.32.2", "--yes"]
    assert raised["at"] < drained["at"] < node["at"] < freed["at"]
    assert cluster.site.run("verify").problems() == []


def test_a_host_without_the_role_leaves_the_cluster_and_what_etcd_kept_stays(cluster: Cluster) -> None:
    cluster.want(box="base, container_runtime")
    cluster.up()
    assert cluster.calls(BOX)[-1]["argv"] == ["kubeadm", "reset", "--force"]
    assert cluster.site.on(BOX, "sh", "-c", "ls /usr/bin/kube* 2>/dev/null || true") == ""
    assert cluster.site.run("verify").problems() == []
