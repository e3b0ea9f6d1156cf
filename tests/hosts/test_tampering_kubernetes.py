"""What the role kubernetes manages, changed by hand on a real host: told alone, under its role, and mended.

Its packages are fakes (`kube_box`); files, source, key, holds, units and the part in the cluster are the role's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts import kube_box
from tests.hosts.box import Box, fresh_box, role
from tests.hosts.tampering import Change, Round, content, disabled, hold, missing, mode, put_over, stopped
from tests.playbooks.fake_vendor import FakeVendor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

ROLE: Literal["kubernetes"] = "kubernetes"
SOURCE = "/etc/apt/sources.list.d/leptonctl-kubernetes.sources"
KEY = "/etc/apt/keyrings/leptonctl-kubernetes.asc"
SYSCTL = "/etc/sysctl.d/60-leptonctl-kubernetes.conf"
MODULES = "/etc/modules-load.d/60-leptonctl-kubernetes.conf"
MEMBER = "/usr/local/lib/leptonctl/member"
API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml"

ROUNDS = {
    "files, source, key, holds and what stopped": Round(
        (
            content(ROLE, SOURCE),
            missing(ROLE, KEY),
            content(ROLE, SYSCTL),
            missing(ROLE, MODULES),
            mode(ROLE, MEMBER, "0777", "0755"),
            mode(ROLE, "/etc/kubernetes/kubelet.conf", "0644", "0600"),
            Change(ROLE, "package kubeadm is marked install, should be hold", "apt-mark unhold kubeadm"),
            stopped(ROLE, "kubelet.service"),
        )
    ),
    "packages, the part in the cluster, and what was put over ours": Round(
        (
            Change(ROLE, "package kubectl is not installed", "dpkg --remove kubectl"),
            Change(
                ROLE,
                f"the host is in its cluster: no: exit 0: its API server is {kube_box.SECOND}",
                f"sed -i s/v{kube_box.FIRST}/v{kube_box.SECOND}/ {API_SERVER}",
            ),
            put_over(ROLE, "kubelet.service"),
            disabled(ROLE, "kubelet.service"),
        )
    ),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("kube-box")
    with fresh_box(folder, "kube-box") as made:
        vendor = FakeVendor(made, folder)
        vendor.serve()
        kube_box.publish(vendor)
        told = {**kube_box.settings(kube_box.FIRST), **vendor.source(kube_box.AT)}
        runtime = role("container_runtime", snapshotter="native")
        made.become(role("base"), runtime, role(ROLE, **told))
        assert made.look().roles[ROLE].not_observed == ()
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])
