"""One look at a region; moto plays AWS."""

from __future__ import annotations

from typing import Any

from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_region import look_at
from tests.platforms.marks import REGION, specified, tags


def test_a_rule_that_somebody_made_is_found_with_its_location(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    marked = specified("security-group", tags("access", "core"))
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc, TagSpecifications=marked)["GroupId"]
    opened = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=opened)
    look = look_at(AwsCloud(REGION), "thin")
    told = "lets 0.0.0.0/0 in on port 22, which leptonctl did not ask for: `up` takes that rule away"
    assert [rule.text for rule in look.rules_of("core") if not rule.is_egress] == [f"security group {group} {told}"]
    assert look.rules_of("regions/west") == ()
