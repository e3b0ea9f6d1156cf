"""A location with a cluster: made, kept, mended, and removed, also where the cluster went behind our back."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import boto3
import pytest

from leptonctl.errors import PlatformFailed
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import Progress, silent
from tests.engine.double.kubernetes import SERVER_VARIABLE
from tests.engine.kubernetes_api import FakeKubernetes
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]
REGION = "eu-central-1"
DEVICE_PLUGIN = "/apis/apps/v1/namespaces/lepton-system/daemonsets/device-plugin"


@pytest.fixture
def kubernetes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKubernetes]:
    fake = FakeKubernetes()
    monkeypatch.setenv(SERVER_VARIABLE, fake.start())
    yield fake
    fake.stop()


def test_a_cluster_is_made_as_planned_kept_mended_and_removed(
    aws_proxy: Proxy, kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    session = open_site("cluster", tmp_path)
    platform, core = platform_of(session), core_of(session)
    assert core.aws is not None
    told: list[Progress] = []

    made = platform.ensure(core, told.append)
    assert {one.action for one in resource_changes(core, made)} == {Action.KEEP}
    created = {progress.message.partition(" created in")[0] for progress in told if "created in" in progress.message}
    assert created == {f"{one.type.rpartition(':')[2]} {one.name}" for one in planned_resources(core.aws)}
    inside = [one for one in planned_resources(core.aws) if one.type.startswith("kubernetes:")]
    assert len(kubernetes.paths()) == len(inside)
    assert list(made.endpoints) == ["core/gate-1"]
    eks = boto3.client("eks", region_name=REGION)
    cluster = eks.describe_cluster(name="cluster_core")["cluster"]
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]

    aws_proxy.forget()
    kubernetes.forget()
    assert platform.ensure(core, silent).resources == made.resources
    assert aws_proxy.changing == {}
    assert set(kubernetes.calls) == {"GET"}

    before = deepcopy(kubernetes.objects[kubernetes.cluster])
    del kubernetes.objects[kubernetes.cluster][DEVICE_PLUGIN]
    eks.update_nodegroup_config(
        clusterName="cluster_core",
        nodegroupName=eks.list_nodegroups(clusterName="cluster_core")["nodegroups"][0],
        scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 9},
    )
    namespace = "/api/v1/namespaces/serving"
    enforced = "pod-security.kubernetes.io/enforce"
    kubernetes.objects[kubernetes.cluster][namespace]["metadata"]["labels"][enforced] = "privileged"
    closely = platform.look(("core",), closely=frozenset({"core"}))
    assert closely.unanswered == {}
    changed_inside = [
        reason
        for one in resource_changes(core, closely.locations["core"])
        for reason in one.reasons
        if "in the cluster" in reason
    ]
    assert changed_inside == [
        (
            f"Namespace addons-serving: metadata.labels.{enforced} is privileged in the cluster, restricted in the "
            "plan and in the state (changed behind our back)"
        ),
        "DaemonSet addons-device-plugin: in the plan and in the state, not in the cluster (deleted behind our back)",
    ]
    steps = platform.preview_steps(core)
    changing = {(step.action, step.type, step.name) for step in steps.steps.values() if step.action is not Action.KEEP}
    assert (Action.CREATE, "DaemonSet", "addons-device-plugin") in changing
    assert len(changing) == 3
    found = platform.observe("core")
    assert [one.reasons for one in resource_changes(core, found) if one.action is Action.UPDATE] in (
        [("group system: desired 9 -> 2", "group system: max 9 -> 3")],
        [("group gpu: desired 9 -> 2", "group gpu: max 9 -> 4")],
    )
    mended = platform.ensure(core, silent)
    assert {one.action for one in resource_changes(core, mended)} == {Action.KEEP}
    assert kubernetes.objects[kubernetes.cluster] == before

    removed = platform.destroy("core", delete_data=frozenset(), report=silent)
    assert {"eks-cluster", "eks-nodegroup", "kms-key"} <= {one.properties["type"] for one in removed}
    assert platform.leftovers() == ()
    assert platform.observe("core") is None


def test_a_cluster_that_was_deleted_behind_our_back_is_no_hindrance_to_removing_or_making_again(
    aws: str, kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    session = open_site("cluster", tmp_path)
    platform, core = platform_of(session), core_of(session)
    platform.ensure(core, silent)
    delete_cluster()
    kubernetes.unplug()

    found = platform.observe("core")
    changed = [one for one in resource_changes(core, found) if one.action is not Action.KEEP]
    assert [(one.action, one.kind) for one in changed] == [(Action.CREATE, "cluster")]
    platform.ensure(core, silent)
    assert DEVICE_PLUGIN in kubernetes.paths()

    delete_cluster()
    kubernetes.unplug()
    platform.destroy("core", delete_data=frozenset(), report=silent)
    assert platform.leftovers() == ()
    assert aws


def test_a_cluster_that_does_not_answer_is_not_taken_for_gone(
    aws: str, kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    session = open_site("cluster", tmp_path)
    platform, core = platform_of(session), core_of(session)
    platform.ensure(core, silent)
    kubernetes.unplug()
    with pytest.raises(PlatformFailed, match="configured Kubernetes cluster is unreachable"):
        platform.ensure(core, silent)
    platform.destroy("core", delete_data=frozenset(), report=silent)
    assert platform.leftovers() == ()
    assert aws


def delete_cluster() -> None:
    """Delete it as AWS does: its own security group goes with it."""
    eks, ec2 = boto3.client("eks", region_name=REGION), boto3.client("ec2", region_name=REGION)
    for name in eks.list_nodegroups(clusterName="cluster_core")["nodegroups"]:
        eks.delete_nodegroup(clusterName="cluster_core", nodegroupName=name)
    eks.delete_cluster(name="cluster_core")
    own = [{"Name": "group-name", "Values": ["eks-cluster-sg-cluster_core"]}]
    for group in ec2.describe_security_groups(Filters=own)["SecurityGroups"]:
        ec2.delete_security_group(GroupId=group["GroupId"])
