"""The double's compute types: images, key pairs, instances, placement groups, volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.double.cloud import camel, pascal_all
from tests.engine.double.kind import Ec2, Inputs, Kind, forgiving, retag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.engine.double.cloud import Cloud


class KeyPair(Kind):
    autonamed = {"keyName": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"keyName", "publicKey"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        cloud.client("ec2").import_key_pair(
            KeyName=inputs["keyName"],
            PublicKeyMaterial=inputs["publicKey"].encode(),
            **cloud.specified("key-pair", inputs),
        )
        return str(inputs["keyName"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("ec2").describe_key_pairs(KeyNames=[made])["KeyPairs"][0])
        if not found:
            return None
        return {"keyName": made, "keyPairId": found["KeyPairId"], "arn": cloud.arn("ec2", f"key-pair/{made}")}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, str(olds["keyPairId"]) if "keyPairId" in olds else made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").delete_key_pair(KeyName=made))


class Instance(Kind):
    replaces = frozenset({"ami", "subnetId", "availabilityZone", "keyName", "userData", "userDataBase64",
                          "launchTemplate", "placementGroup", "instanceMarketOptions", "privateIp",
                          "associatePublicIpAddress", "hibernation"})  # fmt: skip

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        wanted: Inputs = {"MinCount": 1, "MaxCount": 1}
        plain = {
            "ami": "ImageId", "instanceType": "InstanceType", "keyName": "KeyName", "userData": "UserData",
            "subnetId": "SubnetId", "vpcSecurityGroupIds": "SecurityGroupIds", "privateIp": "PrivateIpAddress",
            "ebsOptimized": "EbsOptimized", "disableApiTermination": "DisableApiTermination",
            "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
        }  # fmt: skip
        wanted |= {word: inputs[name] for name, word in plain.items() if inputs.get(name) is not None}
        wanted |= {
            word: pascal_all(inputs[name])
            for name, word in (
                ("metadataOptions", "MetadataOptions"),
                ("instanceMarketOptions", "InstanceMarketOptions"),
            )
            if inputs.get(name)
        }
        wanted |= _blocks(inputs)
        if template := inputs.get("launchTemplate"):
            names = {"id": "LaunchTemplateId", "name": "LaunchTemplateName", "version": "Version"}
            wanted["LaunchTemplate"] = {names[name]: str(value) for name, value in template.items() if value}
        if profile := inputs.get("iamInstanceProfile"):
            wanted["IamInstanceProfile"] = {"Name": profile}
        if zone := inputs.get("availabilityZone"):
            wanted["Placement"] = {"AvailabilityZone": zone}
        if group := inputs.get("placementGroup"):
            wanted["Placement"] = {**wanted.get("Placement", {}), "GroupName": group}
        if inputs.get("associatePublicIpAddress") is not None:
            link = {
                "DeviceIndex": 0,
                "AssociatePublicIpAddress": inputs["associatePublicIpAddress"],
                "SubnetId": wanted.pop("SubnetId"),
                "Groups": wanted.pop("SecurityGroupIds", []),
            }
            wanted["NetworkInterfaces"] = [link]
        volume_tags = {**cloud.tags(inputs), **(inputs.get("volumeTags") or {})}
        if tags := cloud.tag_list(inputs):
            wanted["TagSpecifications"] = [
                {"ResourceType": "instance", "Tags": tags},
                {"ResourceType": "volume", "Tags": [{"Key": k, "Value": v} for k, v in volume_tags.items()]},
            ]
        return str(cloud.client("ec2").run_instances(**wanted)["Instances"][0]["InstanceId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("ec2").describe_instances(InstanceIds=[made])["Reservations"])
        if not found or found[0]["Instances"][0]["State"]["Name"] in {"terminated", "shutting-down"}:
            return None
        there = found[0]["Instances"][0]
        links = there.get("NetworkInterfaces") or [{}]
        return {
            "arn": cloud.arn("ec2", f"instance/{made}"),
            "ami": there["ImageId"],
            "instanceType": there["InstanceType"],
            "instanceState": there["State"]["Name"],
            "privateIp": there.get("PrivateIpAddress"),
            "publicIp": there.get("PublicIpAddress", ""),
            "privateDns": there.get("PrivateDnsName"),
            "availabilityZone": there["Placement"]["AvailabilityZone"],
            "subnetId": there.get("SubnetId"),
            "primaryNetworkInterfaceId": links[0].get("NetworkInterfaceId"),
            "tags": cloud.own_tags(there.get("Tags")),
        }

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        ec2 = cloud.client("ec2")
        if news.get("instanceType") and olds.get("instanceType") != news["instanceType"]:
            ec2.stop_instances(InstanceIds=[made])
            ec2.modify_instance_attribute(InstanceId=made, InstanceType={"Value": news["instanceType"]})
            ec2.start_instances(InstanceIds=[made])
        if news.get("vpcSecurityGroupIds") and olds.get("vpcSecurityGroupIds") != news["vpcSecurityGroupIds"]:
            ec2.modify_instance_attribute(InstanceId=made, Groups=news["vpcSecurityGroupIds"])
        retag(cloud, made, olds, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("ec2").terminate_instances(InstanceIds=[made]))

    def importable(self, there: Inputs) -> Inputs:
        return {name: there[name] for name in ("ami", "instanceType", "subnetId", "tags")}


class Volume(Ec2):
    noun = "volume"
    fields = ("availabilityZone", "size", "type", "iops", "throughput", "encrypted", "kmsKeyId", "snapshotId")
    renamed = {"type": "VolumeType"}  # noqa: RUF012 - a table
    replaces = frozenset({"availabilityZone", "encrypted", "kmsKeyId", "snapshotId"})

    def is_terminal(self, there: Mapping[str, Any]) -> bool:
        return there["State"] in {"deleted", "deleting"}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        words = {"size": "Size", "type": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
        changed = {word: news[name] for name, word in words.items() if name in news and olds.get(name) != news[name]}
        if changed:
            cloud.client("ec2").modify_volume(VolumeId=made, **changed)
        retag(cloud, made, olds, news)


class VolumeAttachment(Kind):
    replaces = frozenset({"volumeId", "instanceId", "deviceName"})
    is_deleted_before_replaced = True

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        device, volume, instance = inputs["deviceName"], inputs["volumeId"], inputs["instanceId"]
        cloud.client("ec2").attach_volume(Device=device, VolumeId=volume, InstanceId=instance)
        return f"vai-{volume.removeprefix('vol-')}-{instance.removeprefix('i-')}"

    def read(self, cloud: Cloud, _made: str, inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("ec2").describe_volumes(VolumeIds=[inputs["volumeId"]])["Volumes"])
        there = [
            one for volume in found or () for one in volume["Attachments"] if one["InstanceId"] == inputs["instanceId"]
        ]
        return {"deviceName": there[0]["Device"]} if there else None

    def delete(self, cloud: Cloud, _made: str, olds: Inputs) -> None:
        ec2 = cloud.client("ec2")
        forgiving(lambda: ec2.detach_volume(VolumeId=olds["volumeId"], InstanceId=olds["instanceId"]))


class PlacementGroup(Kind):
    """Moto has none: the double says that one is there for as long as the state does, and nothing else sees it."""

    autonamed = {"name": 48}  # noqa: RUF012 - a table
    replaces = frozenset({"name", "strategy", "partitionCount", "spreadLevel"})

    def create(self, _cloud: Cloud, inputs: Inputs) -> str:
        return str(inputs["name"])

    def read(self, cloud: Cloud, made: str, inputs: Inputs) -> Inputs | None:
        arn = cloud.arn("ec2", f"placement-group/{made}")
        return {"name": made, "strategy": inputs.get("strategy"), "placementGroupId": f"pg-{made}", "arn": arn}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        """Nothing to change: its tags are the state's."""

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        """Nothing to remove."""


def get_ami(cloud: Cloud, arguments: Inputs) -> Inputs:
    """The newest machine image that passes the filters."""
    owners = arguments.get("owners") or []
    filters = [{"Name": one["name"], "Values": one["values"]} for one in arguments.get("filters") or []]
    found = cloud.client("ec2").describe_images(Filters=filters, **({"Owners": owners} if owners else {}))["Images"]
    if not found:
        raise ValueError("your query returned no results")
    newest = max(found, key=lambda one: one.get("CreationDate", ""))
    plain = {camel(word): value for word, value in newest.items() if isinstance(value, str | bool | int)}
    return {**plain, "id": newest["ImageId"], "imageId": newest["ImageId"], "filters": arguments.get("filters") or []}


def get_zones(cloud: Cloud, arguments: Inputs) -> Inputs:
    """The availability zones of the region."""
    found = cloud.client("ec2").describe_availability_zones()["AvailabilityZones"]
    names = sorted(one["ZoneName"] for one in found)
    return {**arguments, "id": cloud.region, "names": names, "zoneIds": sorted(one["ZoneId"] for one in found)}


def _blocks(inputs: Inputs) -> Inputs:
    root = inputs.get("rootBlockDevice")
    if not root:
        return {}
    words = {"volumeSize": "VolumeSize", "volumeType": "VolumeType", "encrypted": "Encrypted", "iops": "Iops",
             "throughput": "Throughput", "deleteOnTermination": "DeleteOnTermination"}  # fmt: skip
    ebs = {word: root[name] for name, word in words.items() if root.get(name) is not None}
    return {"BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": ebs}]}
