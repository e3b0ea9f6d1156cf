"""The peer of the AWS benchmarks: terraform on as many resources of the same kinds as a location's stack has.

Where terraform or its AWS provider is not installed, or is older than the figures that were recorded, those take its
place and are marked as recorded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGINS = Path("/opt/tf-plugins")
"""Where the provider lies on machines without a way to the registry."""
RECORDED_RESOURCES, RECORDED_PLAN_S, RECORDED_PLAN_MIB = 1005, 15.5, 615.0
RECORDED_NO_CHANGE_S = 15.9
RECORDED_WITH = "terraform 1.11 and AWS provider 5.100 against moto, two cores"
ENVIRONMENT = {"TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
_PROVIDER = "registry.terraform.io/hashicorp/aws"


def is_installed() -> bool:
    """Whether terraform and its AWS provider are there."""
    return shutil.which("terraform") is not None and any((PLUGINS / _PROVIDER).glob("*"))


def write(folder: Path, counts: Mapping[str, int], *, region: str, url: str) -> list[str]:
    """Write a configuration with this many resources of each Pulumi type, make it ready, and give the plan's command.

    Raises KeyError for a type that has no counterpart here: then the comparison would not be one.
    """
    resources: dict[str, dict[str, Any]] = {}
    for token, count in counts.items():
        kind, values = _RESOURCES[token]
        resources[kind] = {f"r{number}": _filled(values, number) for number in range(count)}
    provider = {
        "region": region,
        "access_key": "test",
        "secret_key": "test",
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_requesting_account_id": True,
        "s3_use_path_style": True,
        "endpoints": [dict.fromkeys(("ec2", "iam", "route53", "cloudwatchlogs", "sts", "s3"), url)],
    }
    config = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": provider},
        "resource": resources,
    }
    (folder / "main.tf.json").write_text(json.dumps(config))
    _terraform(folder, "init", "-input=false", f"-plugin-dir={PLUGINS}")
    return ["terraform", f"-chdir={folder}", "plan", "-input=false", "-lock=false"]


def apply(folder: Path) -> None:
    """Make what was written, as quickly as terraform can; not measured."""
    _terraform(folder, "apply", "-auto-approve", "-input=false", "-parallelism=50")


def _terraform(folder: Path, *words: str) -> None:
    subprocess.run(
        ["terraform", f"-chdir={folder}", *words],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
    )


def _filled(values: Mapping[str, Any], number: int) -> dict[str, Any]:
    text = json.dumps(values).replace("%N", str(number))
    filled: dict[str, Any] = json.loads(text)
    return filled


_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
    }
)
_READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::leptonctl-peer-%N/*"}],
    }
)
_TLS_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::leptonctl-peer-%N/*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
)
_VPC = "${aws_vpc.r0.id}"
_RULE = {"security_group_id": "${aws_security_group.r%N.id}", "ip_protocol": "-1", "cidr_ipv4": "10.64.0.0/20"}
_ROUTE_TABLE = "${aws_route_table.r0.id}"
_SUBNET = "${aws_subnet.r0.id}"
_TAGS = {"leptonctl:site": "big", "leptonctl:location": "core", "leptonctl:owner": "ops", "Name": "name-%N"}
_BUCKET = "${aws_s3_bucket.r%N.id}"
_RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "aws:ec2/instance:Instance": (
        "aws_instance",
        {
            "ami": "ami-12345678",
            "instance_type": "g6.xlarge",
            "subnet_id": _SUBNET,
            "vpc_security_group_ids": ["${aws_security_group.r0.id}"],
            "metadata_options": {"http_tokens": "required"},
            "tags": _TAGS,
        },
    ),
    "aws:route53/record:Record": (
        "aws_route53_record",
        {
            "zone_id": "${aws_route53_zone.r0.zone_id}",
            "name": "r%N.core.big.internal",
            "type": "A",
            "ttl": 60,
            "records": ["${aws_instance.r%N.private_ip}"],
        },
    ),
    "aws:ebs/volume:Volume": (
        "aws_ebs_volume",
        {"availability_zone": "eu-central-1a", "size": 500, "type": "gp3", "encrypted": True, "tags": _TAGS},
    ),
    "aws:ec2/volumeAttachment:VolumeAttachment": (
        "aws_volume_attachment",
        {
            "device_name": "/dev/sdf",
            "instance_id": "${aws_instance.r%N.id}",
            "volume_id": "${aws_ebs_volume.r%N.id}",
        },
    ),
    "aws:ec2/subnet:Subnet": ("aws_subnet", {"vpc_id": _VPC, "cidr_block": "10.64.%N.0/24", "tags": _TAGS}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        "aws_route_table_association",
        {"subnet_id": "${aws_subnet.r%N.id}", "route_table_id": _ROUTE_TABLE},
    ),
    "aws:ec2/routeTable:RouteTable": ("aws_route_table", {"vpc_id": _VPC, "tags": _TAGS}),
    "aws:ec2/route:Route": (
        "aws_route",
        {
            "route_table_id": "${aws_route_table.r%N.id}",
            "destination_cidr_block": "0.0.0.0/0",
            "gateway_id": "${aws_internet_gateway.r0.id}",
        },
    ),
    "aws:iam/role:Role": ("aws_iam_role", {"name": "name-%N", "assume_role_policy": _TRUST, "tags": _TAGS}),
    "aws:iam/instanceProfile:InstanceProfile": (
        "aws_iam_instance_profile",
        {"name": "name-%N", "role": "${aws_iam_role.r%N.name}", "tags": _TAGS},
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        "aws_iam_role_policy",
        {"role": "${aws_iam_role.r%N.name}", "policy": _READS},
    ),
    "aws:ec2/securityGroup:SecurityGroup": ("aws_security_group", {"vpc_id": _VPC, "name": "name-%N", "tags": _TAGS}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ("aws_vpc_security_group_ingress_rule", _RULE),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ("aws_vpc_security_group_egress_rule", _RULE),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        "aws_launch_template",
        {"name": "name-%N", "image_id": "ami-12345678", "instance_type": "g6.xlarge", "tags": _TAGS},
    ),
    "aws:ec2/vpc:Vpc": ("aws_vpc", {"cidr_block": "10.64.0.0/20", "tags": _TAGS}),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("aws_default_security_group", {"vpc_id": _VPC}),
    "aws:ec2/internetGateway:InternetGateway": ("aws_internet_gateway", {"vpc_id": _VPC, "tags": _TAGS}),
    "aws:ec2/eip:Eip": ("aws_eip", {"domain": "vpc", "tags": _TAGS}),
    "aws:ec2/natGateway:NatGateway": (
        "aws_nat_gateway",
        {"allocation_id": "${aws_eip.r0.id}", "subnet_id": _SUBNET, "tags": _TAGS},
    ),
    "aws:route53/zone:Zone": ("aws_route53_zone", {"name": "core.big.internal", "vpc": {"vpc_id": _VPC}}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "aws_vpc_endpoint",
        {"vpc_id": _VPC, "service_name": "com.amazonaws.eu-central-1.s3", "tags": _TAGS},
    ),
    "aws:cloudwatch/logGroup:LogGroup": ("aws_cloudwatch_log_group", {"name": "name-%N", "tags": _TAGS}),
    "aws:ec2/flowLog:FlowLog": (
        "aws_flow_log",
        {
            "vpc_id": _VPC,
            "traffic_type": "ALL",
            "iam_role_arn": "${aws_iam_role.r0.arn}",
            "log_destination": "${aws_cloudwatch_log_group.r0.arn}",
        },
    ),
    "aws:s3/bucket:Bucket": ("aws_s3_bucket", {"bucket": "leptonctl-peer-%N", "tags": _TAGS}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "aws_s3_bucket_public_access_block",
        {
            "bucket": _BUCKET,
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        "aws_s3_bucket_ownership_controls",
        {"bucket": _BUCKET, "rule": {"object_ownership": "BucketOwnerEnforced"}},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "aws_s3_bucket_server_side_encryption_configuration",
        {"bucket": _BUCKET, "rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (
        "aws_s3_bucket_versioning",
        {"bucket": _BUCKET, "versioning_configuration": {"status": "Enabled"}},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "aws_s3_bucket_lifecycle_configuration",
        {
            "bucket": _BUCKET,
            "rule": {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": 30},
            },
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (
        "aws_s3_bucket_policy",
        {"bucket": _BUCKET, "policy": _TLS_ONLY},
    ),
}
