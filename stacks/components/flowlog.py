"""FlowLog: the record of what connections a network saw, kept for some days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.policies import trust_of
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs


@dataclass(frozen=True, slots=True)
class FlowLogArgs:
    """The location and the network that is watched."""

    location: LocationArgs
    vpc_id: pulumi.Input[str]


class FlowLog(pulumi.ComponentResource):
    """A log group, which AWS encrypts, and a role that may write to it and to nothing else."""

    def __init__(self, name: str, args: FlowLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:flowlog:FlowLog", name, None, opts)
        location, own = args.location, pulumi.ResourceOptions(parent=self)
        tags = tags_of(location, "network", "flow")
        group = aws.cloudwatch.LogGroup(
            f"{name}-log", retention_in_days=location.network.flow_log_days, tags=tags, opts=own
        )
        role = aws.iam.Role(
            f"{name}-writer", assume_role_policy=trust_of("vpc-flow-logs.amazonaws.com"), tags=tags, opts=own
        )
        aws.iam.RolePolicy(
            f"{name}-writer",
            role=role.id,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                            "Resource": group.arn.apply(lambda arn: f"{arn}:*"),
                        }
                    ],
                }
            ),
            opts=own,
        )
        aws.ec2.FlowLog(
            f"{name}-record",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=tags,
            opts=own,
        )
        self.register_outputs({})
