"""ClusterNodes: the machines of a cluster, as managed node groups. Kubernetes and AWS look after them, not Ansible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from leptonctl.sitefile.aws import partition_of
from stacks.components.policies import trust_of
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_cluster_types import ClusterArgs, ClusterNodesArgs
    from leptonctl.planning.aws_types import LocationArgs

_TAGGED_AT_START = ("instance", "volume", "network-interface")
# What a machine itself may do: join the cluster and pull images. Addresses and volumes are for two pods' own roles.
_POLICIES = {"worker": "AmazonEKSWorkerNodePolicy", "images": "AmazonEC2ContainerRegistryPullOnly"}
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
# The device that Amazon Linux starts from.
_ROOT = "/dev/xvda"


@dataclass(frozen=True, slots=True)
class ClusterNodesInputs:
    """The location and its cluster, the cluster's name once it is there, and a private subnet in each zone."""

    location: LocationArgs
    cluster: ClusterArgs
    cluster_name: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]


class ClusterNodes(pulumi.ComponentResource):
    """A launch template and a managed node group for each group of the cluster; gives `groups` by name."""

    def __init__(self, name: str, inputs: ClusterNodesInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:clusternodes:ClusterNodes", name, None, opts)
        self._name, self._inputs = name, inputs
        self._own = pulumi.ResourceOptions(parent=self)
        self._role = aws.iam.Role(
            f"{name}-nodes",
            assume_role_policy=trust_of("ec2.amazonaws.com"),
            tags=tags_of(inputs.location, "cluster", f"{name}-nodes"),
            opts=self._own,
        )
        partition = partition_of(inputs.location.region)
        self._may = [
            aws.iam.RolePolicyAttachment(
                f"{name}-nodes-{label}",
                role=self._role.name,
                policy_arn=f"arn:{partition}:iam::aws:policy/{policy}",
                opts=self._own,
            )
            for label, policy in _POLICIES.items()
        ]
        self.groups = {nodes.name: self._group(nodes) for nodes in inputs.cluster.nodes}
        self.register_outputs({})

    def _group(self, nodes: ClusterNodesArgs) -> aws.eks.NodeGroup:
        template = self._template(nodes)
        return aws.eks.NodeGroup(
            f"{self._name}-{nodes.name}",
            cluster_name=self._inputs.cluster_name,
            node_role_arn=self._role.arn,
            subnet_ids=list(self._inputs.subnet_ids),
            version=self._inputs.cluster.version,
            ami_type=nodes.ami_type,
            capacity_type="SPOT" if nodes.is_spot else "ON_DEMAND",
            instance_types=[nodes.machine_type],
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                desired_size=nodes.desired, min_size=nodes.least, max_size=nodes.most
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
            labels=dict(nodes.labels),
            taints=[
                aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value, effect=_EFFECTS[taint.effect])
                for taint in nodes.taints
            ]
            or None,
            tags=self._tags(nodes, nodes.name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._may),
        )

    def _template(self, nodes: ClusterNodesArgs) -> aws.ec2.LaunchTemplate:
        return aws.ec2.LaunchTemplate(
            f"{self._name}.{nodes.name}",
            update_default_version=True,
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name=_ROOT,
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        encrypted="true", volume_type="gp3", volume_size=nodes.root_gib, delete_on_termination="true"
                    ),
                )
            ],
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self._tags(nodes, nodes.name))
                for kind in _TAGGED_AT_START
            ],
            tags=self._tags(nodes, f"{nodes.name}-template"),
            opts=self._own,
        )

    def _tags(self, nodes: ClusterNodesArgs, label: str) -> dict[str, str]:
        return tags_of(self._inputs.location, "cluster", f"{self._name}-{label}", group=nodes.name)
