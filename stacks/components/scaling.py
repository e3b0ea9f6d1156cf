"""ScalingGroup: machines that come and go within limits, over the zones and machine types that the group may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import GroupArgs, LocationArgs, ScalingArgs


@dataclass(frozen=True, slots=True)
class ScalingGroupArgs:
    """The location and group, its limits, how its machines start, and a subnet for each of its zones."""

    location: LocationArgs
    group: GroupArgs
    scaling: ScalingArgs
    template: aws.ec2.LaunchTemplate
    subnet_ids: Sequence[pulumi.Input[str]]


class ScalingGroup(pulumi.ComponentResource):
    """An Auto Scaling group (`group`); with a policy of mixed machines where it has fallbacks or buys spot."""

    def __init__(self, name: str, args: ScalingGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:scaling:ScalingGroup", name, None, opts)
        scaling, group = args.scaling, args.group
        is_mixed = group.capacity == "spot" or bool(group.fallback_types)
        version = args.template.latest_version.apply(str)
        self.group = aws.autoscaling.Group(
            name,
            min_size=scaling.min,
            max_size=scaling.max,
            desired_capacity=scaling.desired,
            vpc_zone_identifiers=list(args.subnet_ids),
            launch_template=None
            if is_mixed
            else aws.autoscaling.GroupLaunchTemplateArgs(id=args.template.id, version=version),
            mixed_instances_policy=_mixed(group, args.template.id, version) if is_mixed else None,
            capacity_rebalance=True if group.capacity == "spot" else None,
            # Where there is another zone or type to go to, one that has nothing is no failure.
            ignore_failed_scaling_activities=True if is_mixed or len(args.subnet_ids) > 1 else None,
            tags=_tags(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": self.group.name})


def _mixed(
    group: GroupArgs, template_id: pulumi.Input[str], version: pulumi.Input[str]
) -> aws.autoscaling.GroupMixedInstancesPolicyArgs:
    """The machine types in order. All that is bought is of one kind: spot, or on demand."""
    is_spot = group.capacity == "spot"
    return aws.autoscaling.GroupMixedInstancesPolicyArgs(
        instances_distribution=aws.autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs(
            on_demand_allocation_strategy="prioritized",
            on_demand_base_capacity=0,
            on_demand_percentage_above_base_capacity=0 if is_spot else 100,
            # By capacity first, by our order where there is enough: what is stopped least often.
            spot_allocation_strategy="capacity-optimized-prioritized" if is_spot else None,
        ),
        launch_template=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
            launch_template_specification=(
                aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
                    launch_template_id=template_id, version=version
                )
            ),
            overrides=[
                aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(instance_type=machine_type)
                for machine_type in group.machine_types
            ],
        ),
    )


def _tags(args: ScalingGroupArgs) -> list[aws.autoscaling.GroupTagArgs]:
    """The tags of the group. Its machines have theirs from the launch template: they are hosts, and not the group."""
    found = tags_of(
        args.location,
        "group",
        args.group.name,
        address=args.scaling.address,
        group=args.group.name,
        host_key=args.scaling.host_key or "",
    )
    return [
        aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=False) for key, value in found.items()
    ]
