from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation, DesiredRole
from leptonctl.planning.diff import diff
from leptonctl.planning.kubeadm import cluster_of, refused_upgrade, upgrade_path
from leptonctl.planning.kubeadm_config import api_version
from leptonctl.planning.observed import HostLook, Observed, ObservedLocation, Reach, RoleLook, RoleState
from leptonctl.planning.plan import Action
from leptonctl.planning.rollout import in_turns, turns_of
from leptonctl.sitefile.model import Machine
from leptonctl.sitefile.software.kubernetes import HostCluster


def host(name: str, *, control: bool = False, version: str = "1.32.4", more: tuple[str, ...] = ()) -> DesiredHost:
    settings = {**HostCluster(version=version).model_dump(mode="json"), "control_plane": control}
    roles = (DesiredRole("kubernetes", settings), *(DesiredRole(one, {}) for one in more))  # type: ignore[arg-type]
    return DesiredHost(f"edges/shop/{name}", name, "box", Machine(), roles)


def location(*hosts: DesiredHost) -> DesiredLocation:
    return DesiredLocation("edges/shop", "edge", "local", (), None, hosts, ())


CONTROL = tuple(host(f"control-{number}", control=True) for number in (1, 2, 3))
WORKERS = tuple(host(f"box-{number}") for number in (1, 2))
NAMES = {one.address: f"10.0.0.{number}" for number, one in enumerate((*CONTROL, *WORKERS), start=1)}


def test_a_location_without_a_control_plane_is_no_cluster() -> None:
    assert cluster_of(location(*WORKERS)) is None
    assert cluster_of(location(DesiredHost("edges/shop/a", "a", "box", Machine(), ()))) is None


def test_control_plane_hosts_come_first_and_one_after_the_other() -> None:
    place = location(*WORKERS, *CONTROL)
    cluster = cluster_of(place)
    assert cluster is not None
    assert [cluster.part_of(one.address) for one in (*CONTROL, *WORKERS)] == [
        *("first", "control_plane", "control_plane"),
        *("worker", "worker"),
    ]
    everyone = tuple(one.address for one in (*WORKERS, *CONTROL))
    assert in_turns((everyone,), turns_of([place])) == (
        *((one.address,) for one in CONTROL),
        tuple(one.address for one in WORKERS),
    )
    assert in_turns((everyone[:1], everyone[1:2]), turns_of([place])) == ((WORKERS[0].address,), (WORKERS[1].address,))


def settings_of(address: str, *hosts: DesiredHost) -> dict[str, object]:
    site = Desired("demo", "ops", (location(*hosts),))
    (role,) = (role for role in roles_by_host(site, NAMES)[address] if role.name == "kubernetes")
    return dict(role.settings)


def test_the_first_host_is_told_how_to_begin_the_cluster() -> None:
    found = settings_of(CONTROL[0].address, *CONTROL, *WORKERS)
    assert found["part"] == "first"
    assert found["control_plane_addresses"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert found["configuration"] == [
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "InitConfiguration",
            "bootstrapTokens": [{"ttl": "1m0s", "usages": ["signing", "authentication"]}],
            "nodeRegistration": {
                "name": "control-1",
                "criSocket": "unix:///run/containerd/containerd.sock",
                "kubeletExtraArgs": [
                    {"name": "node-ip", "value": "10.0.0.1"},
                    {"name": "node-labels", "value": "lepton.site/location=edges.shop,lepton.site/tier=edge"},
                ],
            },
            "localAPIEndpoint": {"bindPort": 6443, "advertiseAddress": "10.0.0.1"},
        },
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "ClusterConfiguration",
            "clusterName": "demo-edges-shop",
            "kubernetesVersion": "v1.32.4",
            "controlPlaneEndpoint": "10.0.0.1:6443",
            "networking": {"podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/12"},
        },
        {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd"},
    ]


def test_a_worker_is_told_whom_to_join_in_the_form_of_its_version_and_no_token() -> None:
    old = host("box-1", version="1.30.2", more=("gpu_container_toolkit",))
    found = settings_of(old.address, host("control-1", control=True, version="1.30.2"), old)
    assert found["has_gpus"] is True
    assert found["configuration"] == [
        {
            "apiVersion": "kubeadm.k8s.io/v1beta3",
            "kind": "JoinConfiguration",
            "discovery": {"bootstrapToken": {"apiServerEndpoint": "10.0.0.1:6443"}},
            "nodeRegistration": {
                "name": "box-1",
                "criSocket": "unix:///run/containerd/containerd.sock",
                "kubeletExtraArgs": {
                    "node-ip": "10.0.0.4",
                    "node-labels": ",".join(  # noqa: FLY002 - too long a line
                        ("lepton.site/accelerator=nvidia", "lepton.site/location=edges.shop", "lepton.site/tier=edge")
                    ),
                },
            },
        }
    ]


def test_another_control_plane_host_serves_the_api_too() -> None:
    (document,) = cast("list[dict[str, object]]", settings_of(CONTROL[1].address, *CONTROL)["configuration"])
    assert document["controlPlane"] == {"localAPIEndpoint": {"bindPort": 6443, "advertiseAddress": "10.0.0.2"}}


def test_before_the_first_host_has_an_address_there_is_no_configuration() -> None:
    place = location(host("new", control=True))
    (roles,) = roles_by_host(Desired("demo", "ops", (place,)), {}).values()
    assert roles[0].settings["configuration"] == []
    assert roles[0].settings["api_endpoint"] is None


@pytest.mark.parametrize(("version", "api"), [("1.30.9", "v1beta3"), ("1.31.0", "v1beta4"), ("1.35.1", "v1beta4")])
def test_each_version_gets_the_configuration_that_it_reads(version: str, api: str) -> None:
    assert api_version(version) == f"kubeadm.k8s.io/{api}"


def test_the_path_of_an_upgrade_names_each_minor() -> None:
    assert upgrade_path("1.30.4", "1.32.1") == ("1.30", "1.31", "1.32")
    assert upgrade_path("1.32.1", "1.32.4") == ("1.32",)
    assert upgrade_path("1.32.1", "1.31.9") == ()


@pytest.mark.parametrize(
    ("running", "wanted", "refused"),
    [
        ("1.30.4", "1.31.0", None),
        ("1.31.0", "1.31.7", None),
        (
            "1.30.4",
            "1.32.1",
            (
                "Kubernetes 1.30.4 -> 1.32.1 skips a minor version: go 1.30 -> 1.31 -> 1.32, "
                "with `leptonctl up` after each; next is version 1.31"
            ),
        ),
        (
            "1.32.1",
            "1.31.0",
            "Kubernetes runs as 1.32.1 and does not go back to 1.31.0: write 1.32.1 or a later version",
        ),
    ],
)
def test_an_upgrade_goes_one_minor_at_a_time_and_never_back(running: str, wanted: str, refused: str | None) -> None:
    assert refused_upgrade(running, wanted) == refused


def test_a_plan_names_what_a_cluster_cannot_become_once() -> None:
    place = location(host("control-1", control=True), host("box-1"))
    former = {"version": "1.30.4", "pod_cidr": "10.1.0.0/16"}
    look = RoleLook(RoleState.SETTINGS_CHANGED, changed_settings=tuple(former), former_settings=former)
    looks = {
        one.address: HostLook(one.address, Reach.OK, datetime.now(UTC), {"kubernetes": look}) for one in place.hosts
    }
    there = {place.address: ObservedLocation(place.address, (), {})}
    found = diff(Desired("demo", "ops", (place,)), Observed(there, looks=looks))
    assert [change.reasons for change in found.changes if change.action is Action.FORBIDDEN] == [
        (
            (
                "a cluster keeps the range of its pods: "
                "take the role kubernetes off the hosts first, then make a new cluster"
            ),
        ),
        (refused_upgrade("1.30.4", "1.32.4"),),
    ]
