"""Cluster: a managed Kubernetes cluster (EKS): its control plane, who may do what in it, and its machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.planning.aws_cluster_resources import admin_label
from leptonctl.sitefile.aws import partition_of
from stacks.components.clusteraccount import ClusterAccount, ClusterAccountArgs
from stacks.components.clusternodes import ClusterNodes, ClusterNodesInputs
from stacks.components.policies import trust_of
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_cluster_types import ClusterArgs
    from leptonctl.planning.aws_types import LocationArgs

_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
# The key encrypts what dies with the cluster: there is nothing to keep it for longer than AWS insists on.
_KEY_KEPT_DAYS = 7
# The plug-in enforces network policies only where it is told to.
_NETWORK_SETTINGS = {"enableNetworkPolicy": "true"}


@dataclass(frozen=True, slots=True)
class ClusterInputs:
    """The location and its cluster, and a private subnet in each zone."""

    location: LocationArgs
    cluster: ClusterArgs
    subnet_ids: Sequence[pulumi.Input[str]]


class Cluster(pulumi.ComponentResource):
    """A cluster with all its logs on and its secrets encrypted, which only the named admins may do anything in.

    Gives `control` (the EKS cluster), `issuer` (the OIDC provider) and `nodes` with their groups.
    """

    def __init__(self, name: str, inputs: ClusterInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:cluster:Cluster", name, None, opts)
        self._name, self._inputs = name, inputs
        self._own = pulumi.ResourceOptions(parent=self)
        self._partition = partition_of(inputs.location.region)
        self.control = self._control_plane()
        self._open_to_the_location()
        self.issuer = aws.iam.OpenIdConnectProvider(
            f"{name}-oidc",
            url=self.control.identities[0].oidcs[0].issuer,
            client_id_lists=["sts.amazonaws.com"],
            tags=self._tags("oidc"),
            opts=self._own,
        )
        for admin in inputs.cluster.admins:
            self._admit(admin)
        network = self._account("network", "aws-node", "AmazonEKS_CNI_Policy")
        first = [
            self._addon("vpc-cni", role_arn=network.role.arn, settings=_NETWORK_SETTINGS, after=[network]),
            self._addon("kube-proxy"),
        ]
        self.nodes = ClusterNodes(
            name,
            ClusterNodesInputs(inputs.location, inputs.cluster, self.control.name, inputs.subnet_ids),
            # Machines that come before the network plug-in never get ready.
            pulumi.ResourceOptions(parent=self, depends_on=first),
        )
        # These have pods that wait for a machine.
        last = [self._addon("coredns", after=[self.nodes])]
        if inputs.cluster.addons is not None:
            volumes = self._account("volumes", "ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy")
            last.append(self._addon("aws-ebs-csi-driver", role_arn=volumes.role.arn, after=[volumes, self.nodes]))
        self.is_ready = last
        self.register_outputs({"name": self.control.name})

    def _control_plane(self) -> aws.eks.Cluster:
        name, cluster = self._name, self._inputs.cluster
        key = aws.kms.Key(
            f"{name}-key",
            description=f"leptonctl: secrets of the cluster {cluster.name}",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_KEPT_DAYS,
            tags=self._tags("key"),
            opts=self._own,
        )
        # EKS would make it itself, and keep its logs for ever.
        log = aws.cloudwatch.LogGroup(
            f"{name}-log",
            name=f"/aws/eks/{cluster.name}/cluster",
            retention_in_days=cluster.log_days,
            tags=self._tags("log"),
            opts=self._own,
        )
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=trust_of("eks.amazonaws.com"),
            tags=self._tags("role"),
            opts=self._own,
        )
        may = [
            aws.iam.RolePolicyAttachment(
                f"{name}-role",
                role=role.name,
                policy_arn=f"arn:{self._partition}:iam::aws:policy/AmazonEKSClusterPolicy",
                opts=self._own,
            ),
            aws.iam.RolePolicy(f"{name}-role-key", role=role.id, policy=_use_of(key), opts=self._own),
        ]
        return aws.eks.Cluster(
            f"{name}-control",
            name=cluster.name,
            version=cluster.version,
            role_arn=role.arn,
            enabled_cluster_log_types=_LOGS,
            bootstrap_self_managed_addons=False,
            access_config=aws.eks.ClusterAccessConfigArgs(
                # Access entries alone. Who makes the cluster is no admin of it unless the site file names them.
                authentication_mode="API",
                bootstrap_cluster_creator_admin_permissions=False,
            ),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=key.arn), resources=["secrets"]
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(
                service_ipv4_cidr=cluster.service_cidr
            ),
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=list(self._inputs.subnet_ids),
                endpoint_private_access=True,
                endpoint_public_access=bool(cluster.api_from),
                public_access_cidrs=list(cluster.api_from) or None,
            ),
            # Paid, extended support is not slipped into.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            tags=self._tags("control"),
            # The name is its own, so the old one has to go first; without its log group EKS makes one without an end.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log, *may], delete_before_replace=True),
        )

    def _open_to_the_location(self) -> None:
        """The location's own hosts reach the API too: a jump host is a way to it."""
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-api",
            security_group_id=self.control.vpc_config.cluster_security_group_id,
            cidr_ipv4=self._inputs.location.network.cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self._tags("api"),
            opts=self._own,
        )

    def _admit(self, admin: str) -> None:
        label = admin_label(admin)
        entry = aws.eks.AccessEntry(
            label,
            cluster_name=self.control.name,
            principal_arn=admin,
            type="STANDARD",
            tags=self._tags(label.removeprefix(f"{self._name}-")),
            opts=self._own,
        )
        aws.eks.AccessPolicyAssociation(
            label,
            cluster_name=self.control.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{self._partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=self._own,
        )

    def _account(self, label: str, account: str, policy: str) -> ClusterAccount:
        """What a service account of `kube-system` may do in AWS: exactly one policy of AWS's own."""
        return ClusterAccount(
            f"{self._name}-{label}",
            ClusterAccountArgs(
                issuer_arn=self.issuer.arn,
                issuer_url=self.issuer.url,
                namespace="kube-system",
                account=account,
                policy_arn=f"arn:{self._partition}:iam::aws:policy/{policy}",
                tags=self._tags(label),
            ),
            self._own,
        )

    def _addon(
        self,
        addon: str,
        *,
        role_arn: pulumi.Input[str] | None = None,
        settings: dict[str, str] | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> aws.eks.Addon:
        return aws.eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self.control.name,
            addon_name=addon,
            service_account_role_arn=role_arn,
            configuration_values=pulumi.Output.json_dumps(settings) if settings else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="PRESERVE",
            tags=self._tags(addon),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _tags(self, label: str) -> dict[str, str]:
        return tags_of(self._inputs.location, "cluster", f"{self._name}-{label}")


def _use_of(key: aws.kms.Key) -> pulumi.Output[str]:
    """A policy that lets the control plane use this key, and nothing else."""
    return pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"],
                    "Resource": [key.arn],
                }
            ],
        }
    )
