from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from leptonctl.doctor import Finding, Machine, PodmanAnswers, examine, judge
from leptonctl.errors import PlatformFailed
from leptonctl.platforms.image import read_recipe
from leptonctl.platforms.labels import MANAGED, SITE
from leptonctl.platforms.podman import Listed, PodmanImage, PodmanNetwork

if TYPE_CHECKING:
    from pathlib import Path

INFO: dict[str, Any] = {
    "version": {"Version": "4.3.1"},
    "host": {"cgroupVersion": "v2", "ociRuntime": {"name": "runc"}, "security": {"rootless": False}},
}
PODMAN = PodmanAnswers(info=INFO, networks=(), containers=(), recipe=read_recipe(), is_image_built=True, old_images=())
GOOD = Machine(
    python=(3, 11),
    ansible="2.19.4",
    programs={"runc": "1.1.5", "mmdebstrap": "1.3.5", "ssh": "9.2", "ssh-keygen": ""},
    podman=PODMAN,
    free_disk_gib={"/tmp": 50.0},
    free_memory_gib=8.0,
)


def finding(machine: Machine, name: str) -> Finding:
    return next(one for one in judge(machine) if one.name == name)


def host(**changed: object) -> PodmanAnswers:
    return replace(PODMAN, info=INFO | {"host": INFO["host"] | changed})


def test_a_fit_machine_has_only_good_findings() -> None:
    assert {one.is_ok for one in judge(GOOD)} == {True}


@pytest.mark.parametrize(
    ("machine", "name", "found", "hint"),
    [
        (
            replace(GOOD, python=(3, 9)),
            "python",
            "3.9",
            "make the environment with a newer one: python3.11 -m venv .venv",
        ),
        (
            replace(GOOD, ansible=None),
            "ansible-core",
            "not installed",
            "python -m pip install 'ansible-core>=2.19,<2.20'",
        ),
        (
            replace(GOOD, podman=PlatformFailed("podman info failed: no", hint="do this")),
            "podman",
            "podman info failed: no",
            "do this",
        ),
        (
            replace(GOOD, podman=replace(PODMAN, info=INFO | {"version": {"Version": "3.0.1"}})),
            "podman",
            "3.0.1",
            "install it: sudo apt-get install --yes podman runc uidmap",
        ),
        (
            replace(GOOD, programs={}),
            "mmdebstrap",
            "not installed",
            "sudo apt-get install --yes mmdebstrap",
        ),
        (
            replace(GOOD, podman=host(cgroupVersion="v1", ociRuntime={"name": "crun"})),
            "cgroups",
            "v1, runtime crun",
            "install it: sudo apt-get install --yes podman runc uidmap",
        ),
        (
            replace(GOOD, podman=host(cgroupVersion="v1", security={"rootless": True})),
            "cgroups",
            "v1, without root",
            "run leptonctl as root (sudo), or boot with systemd.unified_cgroup_hierarchy=1",
        ),
        (
            replace(GOOD, podman=replace(PODMAN, networks=(PodmanNetwork("1", "all", {}, ("10.0.0.0/8",)),))),
            "address ranges",
            "none",
            "set network.cidr of every local location in the site file",
        ),
        (
            replace(GOOD, is_root=False, user="ann", subordinate_ids="bob:100000:65536\n"),
            "subordinate ids",
            "none for ann in /etc/subuid",
            "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann; podman system migrate",
        ),
        (
            replace(GOOD, free_disk_gib={"/tmp": 0.5}),
            "disk",
            "0.5 GiB free on /tmp",
            "free some: podman system df shows what podman holds; or set TMPDIR to a larger disk for the build",
        ),
        (replace(GOOD, free_memory_gib=0.25), "memory", "0.2 GiB free", "stop something: free --human"),
    ],
)
def test_what_is_not_fit_is_told_with_the_command_that_mends_it(
    machine: Machine, name: str, found: str, hint: str
) -> None:
    one = finding(machine, name)
    assert (one.is_ok, one.found, one.hint) == (False, found, hint)


@pytest.mark.parametrize(
    ("machine", "name", "found"),
    [
        (replace(GOOD, podman=replace(PODMAN, is_image_built=False)), "host image", "not built yet"),
        (replace(GOOD, free_memory_gib=None), "memory", "could not be read"),
        (
            replace(GOOD, podman=replace(PODMAN, old_images=(PodmanImage("a" * 64, (), {}),))),
            "old host images",
            "1 unused",
        ),
        (
            replace(
                GOOD,
                podman=replace(
                    PODMAN,
                    containers=(
                        Listed("1", ("x",), "running", {MANAGED: "leptonctl", SITE: "demo"}, "i"),
                        Listed("2", ("y",), "running", {SITE: "not ours"}, "i"),
                    ),
                ),
            ),
            "local hosts",
            "1 of demo",
        ),
    ],
)
def test_what_is_only_worth_knowing_is_neither_good_nor_bad(machine: Machine, name: str, found: str) -> None:
    one = finding(machine, name)
    assert (one.is_ok, one.found) == (None, found)


def test_a_user_with_subordinate_ids_is_fit_for_rootless_hosts() -> None:
    assert finding(replace(GOOD, is_root=False, user="bob", subordinate_ids="bob:1:1"), "subordinate ids").is_ok is True


def test_every_bad_finding_has_a_hint_and_every_finding_a_need() -> None:
    nothing = Machine((3, 9), None, {}, PlatformFailed("no", hint="x"), {"/": 0.0}, 0.0)
    for one in judge(nothing):
        assert one.needed
        assert one.hint or one.is_ok is not False


def test_a_machine_without_podman_is_examined_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one.name: one for one in examine()}
    assert found["podman"].found == "podman is not installed (looked for it on PATH)"
    assert found["podman"].hint == "install it: sudo apt-get install --yes podman runc uidmap"
    assert found["python"].is_ok is True
    assert "disk" in found


@pytest.mark.hosts
def test_this_machine_is_fit_for_local_hosts() -> None:
    assert [one for one in examine() if one.is_ok is False] == []
