"""A look at a region, through the proxy: few calls, whatever the size."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3

from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_region import look_at
from tests.platforms.marks import REGION, start, tags

if TYPE_CHECKING:
    from tests.engine.proxy import Proxy

SIZE = 1000


def test_a_thousand_hosts_take_at_most_three_list_calls_a_type(aws_proxy: Proxy) -> None:
    ec2: Any = boto3.client("ec2", region_name=REGION)
    start(ec2, tags("host", "core/box-1"), count=SIZE)
    aws_proxy.forget()
    aws_proxy.refuse("DescribeVpcs", "RequestLimitExceeded")
    look = look_at(AwsCloud(REGION), "thin")
    assert len(look.of("core")) == SIZE
    assert look.locations == {"core"}
    assert aws_proxy.calls == Counter({
        "ec2:DescribeVpcs": 2, "ec2:DescribeVolumes": 1, "ec2:DescribeInstances": 1, "ec2:DescribeSecurityGroups": 1,
        "autoscaling:DescribeAutoScalingGroups": 1, "eks:Get /clusters": 1, "tagging:GetResources": 1,
    })  # fmt: skip
    assert aws_proxy.changing == {}
