"""Permissions: which actions of AWS leptonctl and its engine need, from one table by type of resource. Pure.

Written from the calls that the AWS provider makes to create, read, change, tag and delete each type (provider 7), and
held against the calls that the test suite sees. No action has a wildcard. A policy from here says what may be done, not
to what: an organisation may narrow it by tags (`leptonctl:site`), regions and accounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning.aws_resources import planned_resources
from leptonctl.planning.aws_state_permissions import whole_state_statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leptonctl.planning.aws_types import LocationArgs


def _of(service: str, names: str) -> frozenset[str]:
    return frozenset(f"{service}:{name}" for name in names.split())


LOOK = (
    _of("sts", "GetCallerIdentity")
    | _of("tag", "GetResources")
    | _of(
        "ec2",
        "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeFlowLogs DescribeImages "
        "DescribeInstanceAttribute DescribeInstanceTypeOfferings DescribeInstanceTypes DescribeInstances "
        "DescribeInternetGateways DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeNatGateways "
        "DescribeNetworkInterfaces DescribePlacementGroups DescribeRegions DescribeRouteTables "
        "DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags DescribeVolumes "
        "DescribeKeyPairs DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcPeeringConnections DescribeVpcs",
    )
    | _of("autoscaling", "DescribeAutoScalingGroups")
    | _of("iam", "GetAccountAuthorizationDetails GetRole SimulatePrincipalPolicy")
    | _of("route53", "GetHostedZone ListHostedZones ListHostedZonesByVPC ListResourceRecordSets")
    | _of("elasticfilesystem", "DescribeFileSystems DescribeMountTargets")
    | _of("fsx", "DescribeFileSystems")
    | _of("s3", "GetBucketLocation GetBucketTagging ListAllMyBuckets")
    | _of("eks", "DescribeCluster ListClusters")
    | _of("servicequotas", "GetAWSDefaultServiceQuota GetServiceQuota")
    | _of("logs", "DescribeLogGroups")
)
"""What every look and preflight asks, whatever the site has."""

_TAGS = _of("ec2", "CreateTags DeleteTags")
_RULES = _of("ec2", "DescribeSecurityGroupRules DescribeSecurityGroups ModifySecurityGroupRules") | _TAGS
_BUCKET_SETTING = _of("s3", "ListBucket GetBucketLocation")

BY_TYPE: dict[str, frozenset[str]] = {
    "aws:autoscaling/group:Group": _of(
        "autoscaling",
        "CreateAutoScalingGroup CreateOrUpdateTags DeleteAutoScalingGroup DeleteTags DescribeAutoScalingGroups "
        "DescribeScalingActivities DescribeTags UpdateAutoScalingGroup EnableMetricsCollection "
        "TerminateInstanceInAutoScalingGroup SetInstanceProtection DescribeInstanceRefreshes StartInstanceRefresh "
        "DescribeLifecycleHooks DescribeWarmPool ResumeProcesses SuspendProcesses",
    )
    | _of("ec2", "RunInstances DescribeLaunchTemplateVersions")
    | _of("iam", "PassRole CreateServiceLinkedRole"),
    "aws:cloudwatch/logGroup:LogGroup": _of(
        "logs",
        "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups ListTagsForResource ListTagsLogGroup "
        "PutRetentionPolicy TagLogGroup TagResource UntagLogGroup UntagResource",
    ),
    "aws:ebs/volume:Volume": _of(
        "ec2", "CreateVolume DeleteVolume DescribeVolumes DescribeVolumesModifications ModifyVolume"
    )
    | _TAGS,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _of(
        "ec2", "DescribeSecurityGroups RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
    )
    | _TAGS,
    "aws:ec2/eip:Eip": _of(
        "ec2", "AllocateAddress DescribeAddresses DescribeAddressesAttribute DisassociateAddress ReleaseAddress"
    )
    | _TAGS,
    "aws:ec2/flowLog:FlowLog": _of("ec2", "CreateFlowLogs DeleteFlowLogs DescribeFlowLogs")
    | _of("logs", "CreateLogDelivery DeleteLogDelivery")
    | _of("iam", "PassRole")
    | _TAGS,
    "aws:ec2/instance:Instance": _of(
        "ec2",
        "RunInstances TerminateInstances StartInstances StopInstances DescribeInstances DescribeInstanceAttribute "
        "DescribeInstanceCreditSpecifications DescribeInstanceTypes DescribeIamInstanceProfileAssociations "
        "DescribeLaunchTemplateVersions DescribeVolumes ModifyInstanceAttribute ModifyInstanceMetadataOptions "
        "ModifyNetworkInterfaceAttribute ModifyVolume DescribeVolumesModifications DescribeNetworkInterfaces "
        "DescribeTags AssociateIamInstanceProfile DisassociateIamInstanceProfile ReplaceIamInstanceProfileAssociation",
    )
    | _of("iam", "PassRole")
    | _TAGS,
    "aws:ec2/internetGateway:InternetGateway": _of(
        "ec2",
        "AttachInternetGateway CreateInternetGateway DeleteInternetGateway DescribeInternetGateways "
        "DetachInternetGateway",
    )
    | _TAGS,
    "aws:ec2/launchTemplate:LaunchTemplate": _of(
        "ec2",
        "CreateLaunchTemplate CreateLaunchTemplateVersion DeleteLaunchTemplate DescribeLaunchTemplateVersions "
        "DescribeLaunchTemplates ModifyLaunchTemplate",
    )
    | _of("iam", "PassRole")
    | _TAGS,
    "aws:ec2/natGateway:NatGateway": _of("ec2", "CreateNatGateway DeleteNatGateway DescribeNatGateways") | _TAGS,
    "aws:ec2/placementGroup:PlacementGroup": _of(
        "ec2", "CreatePlacementGroup DeletePlacementGroup DescribePlacementGroups"
    )
    | _TAGS,
    "aws:ec2/route:Route": _of("ec2", "CreateRoute DeleteRoute DescribeRouteTables ReplaceRoute"),
    "aws:ec2/routeTable:RouteTable": _of(
        "ec2", "CreateRouteTable DeleteRouteTable DescribeRouteTables DisassociateRouteTable"
    )
    | _TAGS,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _of(
        "ec2", "AssociateRouteTable DescribeRouteTables DisassociateRouteTable ReplaceRouteTableAssociation"
    ),
    "aws:ec2/securityGroup:SecurityGroup": _of(
        "ec2",
        "CreateSecurityGroup DeleteSecurityGroup DescribeNetworkInterfaces DescribeSecurityGroups "
        "RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    )
    | _TAGS,
    "aws:ec2/subnet:Subnet": _of(
        "ec2", "CreateSubnet DeleteSubnet DescribeNetworkInterfaces DescribeSubnets ModifySubnetAttribute"
    )
    | _TAGS,
    "aws:ec2/volumeAttachment:VolumeAttachment": _of(
        "ec2", "AttachVolume DetachVolume DescribeInstances DescribeVolumes StopInstances"
    ),
    "aws:ec2/vpc:Vpc": _of(
        "ec2",
        "CreateVpc DeleteVpc DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups DescribeVpcAttribute "
        "DescribeVpcs ModifyVpcAttribute",
    )
    | _TAGS,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _of(
        "ec2",
        "CreateVpcEndpoint DeleteVpcEndpoints DescribePrefixLists DescribeVpcEndpoints ModifyVpcEndpoint",
    )
    | _of("route53", "AssociateVPCWithHostedZone")
    | _TAGS,
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": _of(
        "ec2",
        "AcceptVpcPeeringConnection CreateVpcPeeringConnection DeleteVpcPeeringConnection "
        "DescribeVpcPeeringConnections ModifyVpcPeeringConnectionOptions",
    )
    | _TAGS,
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": _of(
        "ec2", "AcceptVpcPeeringConnection DescribeVpcPeeringConnections ModifyVpcPeeringConnectionOptions"
    )
    | _TAGS,
    "aws:efs/fileSystem:FileSystem": _of(
        "elasticfilesystem",
        "CreateFileSystem DeleteFileSystem DescribeFileSystems DescribeLifecycleConfiguration ListTagsForResource "
        "PutLifecycleConfiguration TagResource UntagResource UpdateFileSystem",
    )
    | _of("iam", "CreateServiceLinkedRole"),
    "aws:efs/mountTarget:MountTarget": _of(
        "elasticfilesystem",
        "CreateMountTarget DeleteMountTarget DescribeMountTargetSecurityGroups DescribeMountTargets "
        "ModifyMountTargetSecurityGroups",
    )
    | _of("ec2", "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces DescribeSubnets"),
    "aws:eks/accessEntry:AccessEntry": _of(
        "eks", "CreateAccessEntry DeleteAccessEntry DescribeAccessEntry TagResource UntagResource UpdateAccessEntry"
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _of(
        "eks", "AssociateAccessPolicy DisassociateAccessPolicy ListAssociatedAccessPolicies"
    ),
    "aws:eks/addon:Addon": _of(
        "eks", "CreateAddon DeleteAddon DescribeAddon DescribeAddonVersions TagResource UntagResource UpdateAddon"
    )
    | _of("iam", "PassRole"),
    "aws:eks/cluster:Cluster": _of(
        "eks",
        "AssociateEncryptionConfig CreateCluster DeleteCluster DescribeCluster DescribeUpdate ListClusters TagResource "
        "UntagResource UpdateClusterConfig UpdateClusterVersion",
    )
    | _of("iam", "CreateServiceLinkedRole GetRole PassRole")
    # What pods claimed is deleted by leptonctl itself, where the operator names it.
    | _of("ec2", "DeleteVolume DescribeSecurityGroups DescribeSubnets DescribeVpcs"),
    "aws:eks/nodeGroup:NodeGroup": _of(
        "eks",
        "CreateNodegroup DeleteNodegroup DescribeNodegroup DescribeUpdate ListNodegroups TagResource UntagResource "
        "UpdateNodegroupConfig UpdateNodegroupVersion",
    )
    | _of("iam", "CreateServiceLinkedRole GetRole PassRole")
    | _of("ec2", "DescribeLaunchTemplateVersions RunInstances")
    | _TAGS,
    "aws:fsx/lustreFileSystem:LustreFileSystem": _of(
        "fsx",
        "CreateFileSystem DeleteFileSystem DescribeFileSystems ListTagsForResource TagResource UntagResource "
        "UpdateFileSystem",
    )
    | _of("iam", "CreateServiceLinkedRole")
    | _of("ec2", "CreateNetworkInterface DescribeNetworkInterfaces DescribeSubnets"),
    "aws:iam/instanceProfile:InstanceProfile": _of(
        "iam",
        "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile PassRole "
        "RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _of(
        "iam",
        "CreateOpenIDConnectProvider DeleteOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviders "
        "TagOpenIDConnectProvider UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
    ),
    "aws:iam/role:Role": _of(
        "iam",
        "CreateRole DeleteRole GetRole ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies TagRole "
        "UntagRole UpdateAssumeRolePolicy UpdateRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": _of("iam", "DeleteRolePolicy GetRolePolicy PutRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _of(
        "iam", "AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies"
    ),
    "aws:kms/key:Key": _of(
        "kms",
        "CreateGrant CreateKey DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags "
        "PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
    ),
    "aws:route53/record:Record": _of(
        "route53", "ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets"
    ),
    "aws:route53/zone:Zone": _of(
        "route53",
        "AssociateVPCWithHostedZone ChangeTagsForResource CreateHostedZone DeleteHostedZone GetChange GetHostedZone "
        "ListResourceRecordSets ListTagsForResource UpdateHostedZoneComment",
    )
    | _of("ec2", "DescribeVpcs"),
    "aws:route53/zoneAssociation:ZoneAssociation": _of(
        "route53",
        "AssociateVPCWithHostedZone DisassociateVPCFromHostedZone GetChange GetHostedZone ListHostedZonesByVPC",
    )
    | _of("ec2", "DescribeVpcs"),
    "aws:s3/bucket:Bucket": _of(
        "s3",
        "CreateBucket DeleteBucket DeleteObject DeleteObjectVersion GetAccelerateConfiguration GetBucketAcl "
        "GetBucketCORS GetBucketLocation GetBucketLogging GetBucketObjectLockConfiguration GetBucketPolicy "
        "GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration "
        "GetLifecycleConfiguration GetReplicationConfiguration ListBucket ListBucketVersions PutBucketTagging",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _BUCKET_SETTING
    | _of("s3", "GetLifecycleConfiguration PutLifecycleConfiguration"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _BUCKET_SETTING
    | _of("s3", "GetBucketOwnershipControls PutBucketOwnershipControls"),
    "aws:s3/bucketPolicy:BucketPolicy": _BUCKET_SETTING
    | _of("s3", "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _BUCKET_SETTING
    | _of("s3", "GetBucketPublicAccessBlock PutBucketPublicAccessBlock"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _BUCKET_SETTING
    | _of("s3", "GetEncryptionConfiguration PutEncryptionConfiguration"),
    "aws:s3/bucketVersioning:BucketVersioning": _BUCKET_SETTING | _of("s3", "GetBucketVersioning PutBucketVersioning"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULES
    | _of("ec2", "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULES
    | _of("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"),
}

# Roles are handed to these services only, and these may make the role that they work under.
_HANDED_TO = ("ec2.amazonaws.com", "eks.amazonaws.com", "vpc-flow-logs.amazonaws.com")
_CONDITIONED = {
    "iam:PassRole": {"StringEquals": {"iam:PassedToService": list(_HANDED_TO)}},
    "iam:CreateServiceLinkedRole": {
        "StringEquals": {
            "iam:AWSServiceName": [
                "autoscaling.amazonaws.com",
                "eks-nodegroup.amazonaws.com",
                "eks.amazonaws.com",
                "elasticfilesystem.amazonaws.com",
                "fsx.amazonaws.com",
                "spot.amazonaws.com",
            ]
        }
    },
}


def needed_actions(locations: Sequence[LocationArgs]) -> tuple[str, ...]:
    """The actions that these locations need, sorted. Raises KeyError for a type of AWS that the table lacks."""
    types = {one.type for location in locations for one in planned_resources(location) if one.type.startswith("aws:")}
    return actions_of(types)


def actions_of(types: Iterable[str]) -> tuple[str, ...]:
    """The actions that these types of resources need, and every look, sorted."""
    return tuple(sorted(LOOK.union(*(BY_TYPE[one] for one in types))))


def policy(actions: Iterable[str]) -> dict[str, Any]:
    """An IAM policy document that allows these actions: a statement a service, those with conditions apart."""
    wanted = sorted(actions)
    plain = [one for one in wanted if one not in _CONDITIONED]
    services = dict.fromkeys(one.partition(":")[0] for one in plain)
    statements: list[dict[str, Any]] = [
        {
            "Sid": service.capitalize(),
            "Effect": "Allow",
            "Action": [one for one in plain if one.partition(":")[0] == service],
            "Resource": "*",
        }
        for service in services
    ]
    statements += [
        {
            "Sid": one.partition(":")[2],
            "Effect": "Allow",
            "Action": [one],
            "Resource": "*",
            "Condition": _CONDITIONED[one],
        }
        for one in wanted
        if one in _CONDITIONED
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def whole_policy() -> dict[str, Any]:
    """The policy for every site that this leptonctl can make, wherever its state is."""
    found = policy(actions_of(BY_TYPE))
    return {**found, "Statement": [*found["Statement"], *whole_state_statements()]}
