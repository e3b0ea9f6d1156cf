"""Each container runtime on a real local host: it starts a container, takes its settings, and is changed with care."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

BOX = "core/box-1"
PASSWORD = "s3cr3t-of-the-registry"
TEXT = """
core:
  platform: local
  nodes:
    box: {count: 1, roles: [base, container_runtime]}
software:
  container_runtime:
    snapshotter: native
    image_gc_start_percent: 2
    image_gc_stop_percent: 1
"""
LOGIN = """\
    registry_logins:
      registry.example.com: {username: ci, password: env:REGISTRY_TOKEN}
"""
# Podman's default on hosts with version 2 of cgroups alone, which local hosts are not.
KEEPER = ("--cgroupns=private", "--network=none", "--pull=never", "--detach", "--name=keeper")
IMAGE = "localhost/leptonctl/probe:1"


class Runtimes:
    """One host whose runtime is changed again and again; the order of the tests is that of the changes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.head = site.file.read_text().partition("core:")[0]

    def want(self, runtime: str, more: str = "") -> None:
        self.site.file.write_text(f"{self.head}{TEXT}    runtime: {runtime}\n{more}")

    def up(self, *arguments: str) -> None:
        done = self.site.up(*arguments)
        assert done.exit_code == 0, done.stdout + done.stderr

    def on(self, *command: str) -> str:
        return self.site.on(BOX, *command)


@pytest.fixture(scope="module")
def runtimes(make_site: Callable[[str, str], Site]) -> Runtimes:
    site = make_site("runtimes", TEXT)
    site.environ["REGISTRY_TOKEN"] = PASSWORD
    return Runtimes(site)


def test_containerd_then_docker_then_podman_each_start_a_container_and_take_the_former_away(runtimes: Runtimes) -> None:
    packages = {"containerd": "containerd", "docker": "docker.io", "podman": "podman"}
    # Docker runs its containers by containerd.
    stay = {"containerd": {"containerd"}, "docker": {"containerd", "docker"}, "podman": {"podman"}}
    for runtime in packages:
        runtimes.want(runtime, LOGIN)
        runtimes.up()
        proof = runtimes.site.run("verify")
        assert (proof.exit_code, proof.problems()) == (0, []), runtime
        form = "--showformat=${Package} ${db:Status-Status}\n"
        known = runtimes.on("sh", "-c", f"dpkg-query --show '{form}' {' '.join(packages.values())} 2>&1 || true")
        assert {name for name, package in packages.items() if f"{package} installed" in known} == stay[runtime]
        runs = runtimes.site.configured_runs()
        runtimes.up()
        assert runtimes.site.configured_runs() == runs


def test_a_password_is_for_root_alone_and_nowhere_else(runtimes: Runtimes) -> None:
    places = runtimes.on("sh", "-c", f"grep --recursive --files-with-matches {PASSWORD} /etc /root /var/lib || true")
    encoded = runtimes.on("sh", "-c", "stat --format='%U %a' /root/.docker/config.json")
    assert (places, encoded.strip()) == ("", "root 600")  # Podman keeps it as base64
    for file in runtimes.site.file.parent.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file


def test_another_password_behind_the_same_reference_is_a_changed_setting(runtimes: Runtimes) -> None:
    runtimes.site.environ["REGISTRY_TOKEN"] = "another-one"
    runtimes.up()
    assert json.loads(runtimes.on("cat", "/root/.docker/config.json"))["auths"] == {
        "registry.example.com": {"auth": "Y2k6YW5vdGhlci1vbmU="}
    }
    runtimes.want("podman")
    runtimes.up()
    assert runtimes.on("sh", "-c", "ls /root/.docker") == ""


def test_images_that_nobody_uses_go_when_the_disk_is_full_and_the_proof_stays(runtimes: Runtimes) -> None:
    """The disk is fuller than two percent: so it is, for this test, full."""
    runtimes.on("podman", "commit", runtimes.on("podman", "create", IMAGE).strip(), "localhost/unused:1")
    runtimes.on("podman", "rm", "--all")
    runtimes.on("systemctl", "start", "leptonctl-image-gc.service")
    listed = runtimes.on("podman", "images", "--format={{.Repository}}:{{.Tag}}").split()
    assert listed == [IMAGE]


def test_a_runtime_is_not_changed_under_running_containers_unless_the_host_is_named(runtimes: Runtimes) -> None:
    runtimes.on("podman", "run", *KEEPER, IMAGE, "/bin/busybox", "sleep", "86400")
    runtimes.want("containerd")
    runs = runtimes.site.configured_runs()
    refused = runtimes.site.up()
    assert refused.exit_code == 7, refused.stdout + refused.stderr
    assert refused.problems() == [(BOX, "the runtime becomes containerd; running are podman: keeper")]
    assert "keeper" in runtimes.on("podman", "ps", "--format={{.Names}}")
    assert runtimes.site.up("--stop-containers", "core/box-2").exit_code == 7
    assert runtimes.site.configured_runs() == runs
    runtimes.up("--stop-containers", "core")
    assert runtimes.site.run("verify").exit_code == 0
    assert "podman" not in runtimes.on("sh", "-c", "ls /usr/bin")


def test_the_role_itself_refuses_where_nobody_has_looked(runtimes: Runtimes) -> None:
    """A runtime that somebody installed by hand, on a host that the role runs on anew."""
    runtimes.on("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends docker.io")
    script = "/usr/local/lib/leptonctl/probe_image docker localhost/leptonctl/probe:1 native"
    runtimes.on("sh", "-c", f"{script} && docker run {' '.join(KEEPER)} {IMAGE} /bin/busybox sleep 86400")
    found = runtimes.site.run("verify")
    assert found.exit_code == 6
    assert any("package docker.io is there, should be absent" in message for _, message in found.problems())
    failed = runtimes.site.up()
    assert failed.exit_code == 5
    assert "under running containers: keeper" in failed.stdout
    runtimes.up("--stop-containers", BOX)
    assert runtimes.site.run("verify").problems() == []
