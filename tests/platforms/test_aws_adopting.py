"""What has no tag of its own is found again by what it is made of; moto plays AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.platforms.aws_adopting import FINDERS, REPEATED
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.sitefile.load import load_site
from tests.platforms.marks import REGION, specified, tags

ROOT = Path(__file__).parents[2]
TYPES = {
    "route": "aws:ec2/route:Route",
    "association": "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "zone": "aws:route53/zone:Zone",
    "record": "aws:route53/record:Record",
    "zone_association": "aws:route53/zoneAssociation:ZoneAssociation",
    "mount": "aws:efs/mountTarget:MountTarget",
    "log": "aws:cloudwatch/logGroup:LogGroup",
    "rule": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "role": "aws:iam/role:Role",
    "nat": "aws:ec2/natGateway:NatGateway",
    "cluster": "aws:eks/cluster:Cluster",
    "nodes": "aws:eks/nodeGroup:NodeGroup",
    "issuer": "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "key": "aws:kms/key:Key",
}


def find(what: str, **inputs: Any) -> tuple[str, ...]:
    return FINDERS[TYPES[what]](AwsCloud(REGION), inputs)


def test_every_type_that_the_stacks_register_is_either_found_again_or_may_be_made_again() -> None:
    files = [
        path
        for folder in ("templates", "tests/sites/valid", "tests/engine/sites")
        for path in sorted((ROOT / folder).glob("*.yaml"))
        if "platform: aws" in path.read_text(encoding="utf-8")
    ]
    sites = [load_site(path, environ={}).site for path in files]
    every = [location_args(site, address) for site in sites for address in site.locations()]
    types = {one.type for args in every if args is not None for one in planned_resources(args)}
    assert len(types) > 30
    known = FINDERS.keys() | REPEATED.keys()
    assert types - known == set(), "decide in leptonctl/platforms/aws_adopting.py what becomes of it after a kill"
    assert FINDERS.keys() & REPEATED.keys() == set()


def test_a_cluster_its_groups_and_its_issuer_are_found_by_their_names(ec2: Any) -> None:
    assert ec2
    eks, iam = boto3.client("eks", region_name=REGION), boto3.client("iam", region_name=REGION)
    role = "arn:aws:iam::123456789012:role/made"
    assert find("cluster", name="demo_core") == ()
    eks.create_cluster(name="demo_core", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
    assert find("cluster", name="demo_core") == ("demo_core",)
    assert find("nodes", clusterName="demo_core", nodeGroupName="gpu-1") == ()
    eks.create_nodegroup(clusterName="demo_core", nodegroupName="gpu-1", nodeRole=role, subnets=["subnet-1"])
    assert find("nodes", clusterName="demo_core", nodeGroupName="gpu-1") == ("demo_core:gpu-1",)
    assert find("issuer", url="https://oidc.example.com/id/1") == ()
    made = iam.create_open_id_connect_provider(Url="https://oidc.example.com/id/1", ThumbprintList=["0" * 40])
    assert find("issuer", url="https://oidc.example.com/id/1") == (made["OpenIDConnectProviderArn"],)


def test_a_key_is_found_by_its_tags_unless_it_is_being_deleted(ec2: Any) -> None:
    assert ec2
    kms = boto3.client("kms", region_name=REGION)
    marks = {"leptonctl:site": "demo", "leptonctl:location": "core", "Name": "demo.core.key"}
    key = kms.create_key(Tags=[{"TagKey": name, "TagValue": value} for name, value in marks.items()])
    made = key["KeyMetadata"]["KeyId"]
    assert find("key", tags=marks) == (made,)
    assert find("key", tags={**marks, "Name": "another"}) == ()
    kms.schedule_key_deletion(KeyId=made)
    assert find("key", tags=marks) == ()


def test_a_route_and_the_table_of_a_subnet_are_found_by_their_ends(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    gate = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gate)
    assert find("route", routeTableId=table, destinationCidrBlock="0.0.0.0/0") == ()
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gate)
    # The number is the provider's checksum of the range.
    assert find("route", routeTableId=table, destinationCidrBlock="0.0.0.0/0") == (f"r-{table}1080289494",)
    assert find("association", routeTableId=table, subnetId=subnet) == ()
    made = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert find("association", routeTableId=table, subnetId=subnet) == (made,)


def test_a_zone_its_record_and_a_network_that_sees_it_are_found_by_name(ec2: Any) -> None:
    dns = boto3.client("route53")
    vpc, other = (ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (1, 2))
    zone = {"name": "core.thin.internal", "vpcs": [{"vpcId": vpc, "vpcRegion": REGION}]}
    assert find("zone", **zone) == ()
    made = dns.create_hosted_zone(
        Name=zone["name"], CallerReference="1", VPC={"VPCId": vpc, "VPCRegion": REGION},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )["HostedZone"]["Id"].rpartition("/")[2]  # fmt: skip
    assert find("zone", **zone) == (made,)

    record = {"zoneId": made, "name": "box-1.core.thin.internal", "type": "A"}
    assert find("record", **record) == ()
    wanted = {"Name": record["name"], "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.1.0.4"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": wanted}]}
    dns.change_resource_record_sets(HostedZoneId=made, ChangeBatch=batch)
    assert find("record", **record) == (f"{made}_box-1.core.thin.internal_A",)

    seen = {"zoneId": made, "vpcId": other, "vpcRegion": REGION}
    assert find("zone_association", **seen) == ()
    dns.associate_vpc_with_hosted_zone(HostedZoneId=made, VPC={"VPCId": other, "VPCRegion": REGION})
    assert find("zone_association", **seen) == (f"{made}:{other}",)


def test_a_mount_target_is_found_by_its_subnet(ec2: Any) -> None:
    efs = boto3.client("efs", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    system = efs.create_file_system(CreationToken="1")["FileSystemId"]
    assert find("mount", fileSystemId=system, subnetId=subnet) == ()
    made = efs.create_mount_target(FileSystemId=system, SubnetId=subnet)["MountTargetId"]
    assert find("mount", fileSystemId=system, subnetId=subnet) == (made,)


def test_a_log_group_and_a_role_are_found_by_the_name_that_was_chosen_before(ec2: Any) -> None:
    logs = boto3.client("logs", region_name=REGION)
    logs.create_log_group(logGroupName="flow-1-more")
    assert find("log", name="flow-1") == ()
    logs.create_log_group(logGroupName="flow-1")
    assert find("log", name="flow-1") == ("flow-1",)
    assert find("role", name="writer") == ()
    boto3.client("iam").create_role(RoleName="writer", AssumeRolePolicyDocument="{}")
    assert find("role", name="writer") == ("writer",)
    assert ec2


def test_a_rule_and_a_nat_gateway_are_found_by_their_tags(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    marks = tags("access", "core")
    assert find("rule", tags=marks) == ()
    opened = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    made = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=opened, TagSpecifications=specified("security-group-rule", marks)
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    assert find("rule", tags=marks) == (made,)

    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    gate = ec2.create_nat_gateway(
        SubnetId=subnet, ConnectivityType="private", TagSpecifications=specified("natgateway", tags("network", "core"))
    )["NatGateway"]["NatGatewayId"]
    assert find("nat", tags=tags("network", "core")) == (gate,)
    ec2.delete_nat_gateway(NatGatewayId=gate)
    assert find("nat", tags=tags("network", "core")) == ()
