"""The table of the double: every resource type and function that it knows, by Pulumi's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.double import clusters, compute, firewall, identity, names, network, scaling, storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.engine.double.cloud import Cloud
    from tests.engine.double.kind import Inputs, Kind

KINDS: Mapping[str, Kind] = {
    "aws:autoscaling/group:Group": scaling.ScalingGroup(),
    "aws:cloudwatch/logGroup:LogGroup": identity.LogGroup(),
    "aws:ebs/volume:Volume": compute.Volume(),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": firewall.DefaultSecurityGroup(),
    "aws:ec2/eip:Eip": network.Eip(),
    "aws:ec2/flowLog:FlowLog": network.FlowLog(),
    "aws:ec2/instance:Instance": compute.Instance(),
    "aws:ec2/internetGateway:InternetGateway": network.InternetGateway(),
    "aws:ec2/keyPair:KeyPair": compute.KeyPair(),
    "aws:ec2/launchTemplate:LaunchTemplate": scaling.LaunchTemplate(),
    "aws:ec2/natGateway:NatGateway": network.NatGateway(),
    "aws:ec2/placementGroup:PlacementGroup": compute.PlacementGroup(),
    "aws:ec2/route:Route": network.Route(),
    "aws:ec2/routeTable:RouteTable": network.RouteTable(),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": network.RouteTableAssociation(),
    "aws:ec2/securityGroup:SecurityGroup": firewall.SecurityGroup(),
    "aws:ec2/subnet:Subnet": network.Subnet(),
    "aws:ec2/volumeAttachment:VolumeAttachment": compute.VolumeAttachment(),
    "aws:ec2/vpc:Vpc": network.Vpc(),
    "aws:ec2/vpcEndpoint:VpcEndpoint": network.VpcEndpoint(),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": network.Peering(),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": network.PeeringAccepter(),
    "aws:efs/fileSystem:FileSystem": storage.FileSystem(),
    "aws:efs/mountTarget:MountTarget": storage.MountTarget(),
    "aws:eks/accessEntry:AccessEntry": clusters.PartOfCluster("entry", "principalArn"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": clusters.PartOfCluster(
        "policy", "principalArn", "policyArn"
    ),
    "aws:eks/addon:Addon": clusters.PartOfCluster("addon", "addonName"),
    "aws:eks/cluster:Cluster": clusters.Cluster(),
    "aws:eks/nodeGroup:NodeGroup": clusters.NodeGroup(),
    "aws:fsx/lustreFileSystem:LustreFileSystem": storage.LustreFileSystem(),
    "aws:iam/instanceProfile:InstanceProfile": identity.InstanceProfile(),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": clusters.OidcProvider(),
    "aws:iam/policy:Policy": identity.Policy(),
    "aws:iam/role:Role": identity.Role(),
    "aws:iam/rolePolicy:RolePolicy": identity.RolePolicy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": identity.RolePolicyAttachment(),
    "aws:kms/key:Key": clusters.Key(),
    "aws:route53/record:Record": names.Record(),
    "aws:route53/zone:Zone": names.Zone(),
    "aws:route53/zoneAssociation:ZoneAssociation": names.ZoneAssociation(),
    "aws:s3/bucket:Bucket": storage.Bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": storage.BucketSetting(
        "bucket_lifecycle_configuration", storage.lifecycle, gone="delete_bucket_lifecycle"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": storage.BucketSetting(
        "bucket_ownership_controls", storage.ownership
    ),
    "aws:s3/bucketPolicy:BucketPolicy": storage.BucketSetting("bucket_policy", storage.policy),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": storage.BucketSetting(
        "public_access_block", storage.public_access, told=storage.public_access_told
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": storage.BucketSetting(
        "bucket_encryption", storage.encryption
    ),
    "aws:s3/bucketVersioning:BucketVersioning": storage.BucketSetting(
        "bucket_versioning", storage.versioning, told=storage.versioning_told
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": firewall.SecurityGroupRule("egress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": firewall.SecurityGroupRule("ingress"),
}

INVOKES: Mapping[str, Callable[[Cloud, Inputs], Inputs]] = {
    "aws:ec2/getAmi:getAmi": compute.get_ami,
    "aws:index/getAvailabilityZones:getAvailabilityZones": compute.get_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": identity.get_caller,
    "aws:index/getPartition:getPartition": identity.get_partition,
    "aws:index/getRegion:getRegion": identity.get_region,
}
