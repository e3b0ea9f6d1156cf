"""The machines of a scaling group come as the bucket refills."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3

from tests.engine.disturbances import Rate
from tests.engine.slow_start import SlowStart

if TYPE_CHECKING:
    from tests.engine.proxy import Proxy

REGION = "eu-central-1"


def test_a_scaling_group_has_as_many_machines_as_there_are_tokens_and_the_others_later(aws_proxy: Proxy) -> None:
    clock = [0.0]
    slow = SlowStart(aws_proxy.target, left=3, rate=Rate(1000, 2), clock=lambda: clock[0])
    aws_proxy.add(slow)
    ec2: Any = boto3.client("ec2", region_name=REGION)
    template = ec2.create_launch_template(
        LaunchTemplateName="serve", LaunchTemplateData={"ImageId": "ami-0d0debian13amd64", "InstanceType": "m5.large"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    scaling: Any = boto3.client("autoscaling", region_name=REGION)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="serve",
        MinSize=5,
        MaxSize=5,
        AvailabilityZones=[f"{REGION}a"],
        LaunchTemplate={"LaunchTemplateId": template},
    )

    def count() -> int:
        return sum(len(group["Instances"]) for group in ec2.describe_instances()["Reservations"])

    assert count() == 3
    assert (slow.first_call_at, slow.all_started_at) == (0.0, None)
    clock[0] = 1.0
    pause = threading.Event()
    while slow.all_started_at is None:
        assert not pause.wait(0.1)
    assert count() == 5
