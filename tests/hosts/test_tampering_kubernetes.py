"""What the role kubernetes manages, changed by hand on a real host: told alone, under its role, and mended.

Its packages are fakes (`kube_box`); files, source, key, holds, units and the part in the cluster are the role's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from tests.hosts import kube_box
from tests.hosts.box import Box, fresh_box, role
from tests.hosts.tampering import Change, Round, hold
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
DROP_IN = "/etc/systemd/system/kubelet.service.d/x.conf"

ROUNDS = {
    "files, source, key, holds and what stopped": Round(
        (
            Change(ROLE, f"{SOURCE}: content changed", f"echo >> {SOURCE}"),
            Change(ROLE, f"{KEY} is missing", f"rm {KEY}"),
            Change(ROLE, f"{SYSCTL}: content changed", f"echo >> {SYSCTL}"),
            Change(ROLE, f"{MODULES} is missing", f"rm {MODULES}"),
            Change(ROLE, f"{MEMBER}: mode 0777, should be 0755", f"chmod 0777 {MEMBER}"),
            Change(
                ROLE,
                "/etc/kubernetes/kubelet.conf: mode 0644, should be 0600",
                "chmod 0644 /etc/kubernetes/kubelet.conf",
            ),
            Change(ROLE, "package kubeadm is marked install, should be hold", "apt-mark unhold kubeadm"),
            Change(ROLE, "unit kubelet.service is stopped, should be running", "systemctl stop kubelet.service"),
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
            Change(
                ROLE,
                f"unit kubelet.service has an extra drop-in {DROP_IN}",
                f"printf '[Service]\\nNice=5\\n' | install -D -m 0644 /dev/stdin {DROP_IN} && systemctl daemon-reload",
            ),
            Change(ROLE, "unit kubelet.service is disabled, should be enabled", "systemctl disable kubelet.service"),
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
        made.target = replace(made.target, roles=(role("base"), runtime, role(ROLE, **told)))
        made.configure()
        assert made.record().problem is None
        assert made.look().roles[ROLE].not_observed == ()
        yield made


@pytest.mark.parametrize("name", ROUNDS)
def test_a_change_by_hand_is_told_alone_under_its_role_and_mended(box: Box, name: str) -> None:
    hold(box, ROUNDS[name])
