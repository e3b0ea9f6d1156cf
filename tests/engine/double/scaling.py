"""The double's launch templates, and the scaling groups that start machines from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.double.cloud import pascal_all
from tests.engine.double.kind import Inputs, Kind, forgiving, retag

if TYPE_CHECKING:
    from tests.engine.double.cloud import Cloud

# What a launch template or an instance may say, under Pulumi's word and the API's.
_LAUNCH = {
    "imageId": "ImageId", "instanceType": "InstanceType", "keyName": "KeyName", "userData": "UserData",
    "ebsOptimized": "EbsOptimized", "vpcSecurityGroupIds": "SecurityGroupIds",
    "metadataOptions": "MetadataOptions", "monitoring": "Monitoring", "placement": "Placement",
    "instanceMarketOptions": "InstanceMarketOptions", "networkInterfaces": "NetworkInterfaces",
    "capacityReservationSpecification": "CapacityReservationSpecification", "iamInstanceProfile": "IamInstanceProfile",
    "disableApiTermination": "DisableApiTermination",
    "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
}  # fmt: skip


class LaunchTemplate(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        answer = cloud.client("ec2").create_launch_template(
            LaunchTemplateName=inputs["name"],
            LaunchTemplateData=_template(inputs),
            **cloud.specified("launch-template", inputs),
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        ec2 = cloud.client("ec2")
        found = forgiving(lambda: ec2.describe_launch_templates(LaunchTemplateIds=[made])["LaunchTemplates"])
        if not found:
            return None
        return {
            "latestVersion": found[0]["LatestVersionNumber"],
            "defaultVersion": found[0]["DefaultVersionNumber"],
            "name": found[0]["LaunchTemplateName"],
            "arn": cloud.arn("ec2", f"launch-template/{made}"),
            "tags": cloud.own_tags(found[0].get("Tags")),
        }

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        ec2 = cloud.client("ec2")
        if _template(olds) != _template(news):
            version = ec2.create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData=_template(news))
            number = str(version["LaunchTemplateVersion"]["VersionNumber"])
            if news.get("updateDefaultVersion"):
                ec2.modify_launch_template(LaunchTemplateId=made, DefaultVersion=number)
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").delete_launch_template(LaunchTemplateId=made))


class ScalingGroup(Kind):
    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        wanted = _scaling(inputs)
        cloud.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=inputs["name"], **wanted, Tags=_scaling_tags(inputs)
        )
        return str(inputs["name"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        groups = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[made])
        found = groups["AutoScalingGroups"]
        if not found:
            return None
        there = found[0]
        sizes = {name: there[f"{name[:1].upper()}{name[1:]}"] for name in ("minSize", "maxSize", "desiredCapacity")}
        return {"name": made, "arn": there["AutoScalingGroupARN"], **sizes}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        scaling = cloud.client("autoscaling")
        scaling.update_auto_scaling_group(AutoScalingGroupName=made, **_scaling(news))
        scaling.create_or_update_tags(Tags=[{**tag, "ResourceId": made} for tag in _scaling_tags(news)])

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        scaling = cloud.client("autoscaling")
        forgiving(lambda: scaling.delete_auto_scaling_group(AutoScalingGroupName=made, ForceDelete=True))


def _template(inputs: Inputs) -> Inputs:
    found = {word: pascal_all(inputs[name]) for name, word in _LAUNCH.items() if inputs.get(name) is not None}
    if blocks := inputs.get("blockDeviceMappings"):
        found["BlockDeviceMappings"] = [pascal_all(one) for one in blocks]
        for block in found["BlockDeviceMappings"]:
            if ebs := block.get("Ebs"):
                flags = ("Encrypted", "DeleteOnTermination")
                # The provider's schema has these as text.
                block["Ebs"] = {k: str(v).lower() == "true" if k in flags else v for k, v in ebs.items()}
    if tags := inputs.get("tagSpecifications"):
        found["TagSpecifications"] = [
            {"ResourceType": one["resourceType"], "Tags": [{"Key": k, "Value": v} for k, v in one["tags"].items()]}
            for one in tags
        ]
    for link in found.get("NetworkInterfaces", ()):
        if "SecurityGroups" in link:
            link["Groups"] = link.pop("SecurityGroups")
        for flag in ("AssociatePublicIpAddress", "DeleteOnTermination"):
            if flag in link:
                link[flag] = str(link[flag]).lower() == "true"
    return found


def _scaling(inputs: Inputs) -> Inputs:
    words = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredCapacity": "DesiredCapacity",
             "healthCheckType": "HealthCheckType", "placementGroup": "PlacementGroup"}  # fmt: skip
    found = {word: inputs[name] for name, word in words.items() if inputs.get(name) is not None}
    if inputs.get("vpcZoneIdentifiers"):
        found["VPCZoneIdentifier"] = ",".join(inputs["vpcZoneIdentifiers"])
    if template := inputs.get("launchTemplate"):
        names = {"id": "LaunchTemplateId", "name": "LaunchTemplateName", "version": "Version"}
        found["LaunchTemplate"] = {names[name]: str(value) for name, value in template.items() if value}
    if mixed := inputs.get("mixedInstancesPolicy"):
        found["MixedInstancesPolicy"] = pascal_all(mixed)
    return found


def _scaling_tags(inputs: Inputs) -> list[Inputs]:
    return [
        {
            "Key": tag["key"], "Value": tag["value"], "PropagateAtLaunch": tag["propagateAtLaunch"],
            "ResourceType": "auto-scaling-group", "ResourceId": inputs["name"],
        }
        for tag in inputs.get("tags") or []
    ]  # fmt: skip
