"""The resources that a cluster and its add-ons register, computed without Pulumi: type and name of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.planning.aws_cluster_types import AddonsArgs, ClusterArgs

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
KUBERNETES = "kubernetes:"
"""How the types of what is inside a cluster begin."""
SYSTEM_NAMESPACE = "lepton-system"
PRIORITIES = {"serving": 100_000, "training": 10_000, "batch": 1_000}
"""Priority classes and their values: what serves goes before what trains, that before what can wait."""

_ROLE, _ATTACHMENT = "aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_ADDON = "aws:eks/addon:Addon"
_NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_METRICS_SERVER = (
    ("kubernetes:core/v1:ServiceAccount", "account"),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "reader"),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "role"),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "role"),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "delegator"),
    ("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "auth"),
    ("kubernetes:core/v1:Service", "service"),
    ("kubernetes:apps/v1:Deployment", "deployment"),
    ("kubernetes:apiregistration.k8s.io/v1:APIService", "api"),
)


INSIDE = frozenset(
    {
        "kubernetes:core/v1:Namespace",
        _NETWORK_POLICY,
        "kubernetes:storage.k8s.io/v1:StorageClass",
        "kubernetes:scheduling.k8s.io/v1:PriorityClass",
        "kubernetes:apps/v1:DaemonSet",
        *(kind for kind, _ in _METRICS_SERVER),
    }
)
"""The types of what is put into a cluster."""


def cluster_resources(cluster: ClusterArgs) -> Iterator[tuple[str, str]]:
    """What the component `Cluster` registers, then what `Addons` does."""
    yield "aws:kms/key:Key", "cluster-key"
    yield "aws:cloudwatch/logGroup:LogGroup", "cluster-log"
    yield _ROLE, "cluster-role"
    yield _ATTACHMENT, "cluster-role"
    yield "aws:iam/rolePolicy:RolePolicy", "cluster-role-key"
    yield CLUSTER, "cluster-control"
    yield "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "cluster-api"
    yield "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "cluster-oidc"
    for admin in cluster.admins:
        yield "aws:eks/accessEntry:AccessEntry", admin_label(admin)
        yield "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", admin_label(admin)
    for account in ("network", "volumes") if cluster.addons else ("network",):
        yield _ROLE, f"cluster-{account}"
        yield _ATTACHMENT, f"cluster-{account}"
    for addon in managed_addons(cluster):
        yield _ADDON, f"cluster-{addon}"
    yield _ROLE, "cluster-nodes"
    for policy in ("worker", "images"):
        yield _ATTACHMENT, f"cluster-nodes-{policy}"
    for nodes in cluster.nodes:
        yield "aws:ec2/launchTemplate:LaunchTemplate", f"cluster.{nodes.name}"
        yield NODE_GROUP, f"cluster-{nodes.name}"
    if cluster.addons is not None:
        yield from _addons(cluster.addons)


def managed_addons(cluster: ClusterArgs) -> tuple[str, ...]:
    """The parts that AWS itself keeps in the cluster, in the versions that go with the cluster's."""
    return ("vpc-cni", "kube-proxy", "coredns", *(("aws-ebs-csi-driver",) if cluster.addons else ()))


def admin_label(arn: str) -> str:
    """The name of an admin's access entry in the program: account, kind and name, whatever their order in the file."""
    account, _, rest = arn.partition("::")[2].partition(":")
    return f"cluster-admin-{account}-{rest.replace('/', '-')}"


def _addons(addons: AddonsArgs) -> Iterator[tuple[str, str]]:
    for namespace in (SYSTEM_NAMESPACE, *(one.name for one in addons.namespaces)):
        yield "kubernetes:core/v1:Namespace", f"addons-{namespace}"
        yield _NETWORK_POLICY, f"addons-{namespace}-closed"
        yield _NETWORK_POLICY, f"addons-{namespace}-names"
    yield "kubernetes:storage.k8s.io/v1:StorageClass", "addons-gp3"
    for name in PRIORITIES:
        yield "kubernetes:scheduling.k8s.io/v1:PriorityClass", f"addons-{name}"
    if addons.device_plugin_image is not None:
        yield "kubernetes:core/v1:ServiceAccount", "addons-device-plugin"
        yield "kubernetes:apps/v1:DaemonSet", "addons-device-plugin"
    for kind, name in _METRICS_SERVER:
        yield kind, f"addons-metrics-{name}"
