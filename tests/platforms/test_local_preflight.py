from __future__ import annotations

from typing import Any

import pytest

from leptonctl.platforms.local_preflight import machine_problems, watch_problems


def info(*, cgroups: str, runtime: str = "runc", is_rootless: bool = False) -> dict[str, Any]:
    return {
        "host": {"cgroupVersion": cgroups, "ociRuntime": {"name": runtime}, "security": {"rootless": is_rootless}},
    }


@pytest.mark.parametrize(
    "fit",
    [
        info(cgroups="v1"),
        info(cgroups="v2", runtime="crun"),
        info(cgroups="v2", is_rootless=True),
        info(cgroups="v1", runtime="/usr/sbin/runc"),
    ],
)
def test_root_with_runc_and_anybody_with_cgroups_v2_may_run_hosts(fit: dict[str, Any]) -> None:
    assert list(machine_problems(fit, user="ann", subids="ann:100000:65536\n")) == []


def test_without_root_cgroups_v1_and_missing_ids_are_told_with_what_to_do() -> None:
    found = list(machine_problems(info(cgroups="v1", is_rootless=True), user="ann", subids="anna:1:1\n"))
    assert [(one.message, one.hint) for one in found] == [
        (
            "hosts without root need cgroups v2; this machine has v1",
            "run leptonctl as root (sudo), or boot with systemd.unified_cgroup_hierarchy=1",
        ),
        (
            "user ann has no subordinate ids, which hosts without root need (/etc/subuid)",
            "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann; podman system migrate",
        ),
    ]


def test_crun_on_cgroups_v1_is_told_to_be_replaced_by_runc() -> None:
    (problem,) = machine_problems(info(cgroups="v1", runtime="crun"), user="root", subids="")
    assert problem.message == "podman uses crun, which does not work with cgroups v1"
    assert problem.hint == "install it: sudo apt-get install --yes podman runc uidmap"


def test_more_hosts_than_the_kernel_has_watches_for_are_told_with_the_command_that_gives_more() -> None:
    (problem,) = watch_problems(20, 128)
    assert (problem.message, problem.hint) == (
        "20 hosts need about 156 inotify instances; this kernel gives a user 128",
        "sudo sysctl -w fs.inotify.max_user_instances=1024",
    )
    assert list(watch_problems(16, 128)) == []
    assert list(watch_problems(20, None)) == []
