"""The double's clusters: EKS with its node groups, keys (KMS) and OIDC providers.

moto has no access entries, add-ons, cluster security groups or changes of version. The double keeps those itself, as
tags of the cluster in moto, whose keys begin with `double:`: so they last from one run to the next, and go with it. No
node group of moto or of the double ever starts a machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.double.kind import Inputs, Kind, forgiving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.engine.double.cloud import Cloud

_OWN = "double:"


class Cluster(Kind):
    is_deleted_before_replaced = True
    replaces = frozenset(
        {"name", "roleArn", "kubernetesNetworkConfig", "encryptionConfig", "bootstrapSelfManagedAddons"}
    )
    partly = frozenset({"vpcConfig"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        ways = inputs["vpcConfig"]
        made = cloud.client("eks").create_cluster(
            name=inputs["name"],
            version=inputs["version"],
            roleArn=inputs["roleArn"],
            resourcesVpcConfig={name: value for name, value in ways.items() if name != "clusterSecurityGroupId"},
            kubernetesNetworkConfig=inputs["kubernetesNetworkConfig"],
            logging={"clusterLogging": [{"types": inputs["enabledClusterLogTypes"], "enabled": True}]},
            encryptionConfig=[inputs["encryptionConfig"]],
            accessConfig=inputs["accessConfig"],
            tags={**cloud.tags(inputs), f"{_OWN}security-group": _security_group(cloud, inputs)},
        )
        return str(made["cluster"]["name"])

    def read(self, cloud: Cloud, made: str, inputs: Inputs) -> Inputs | None:
        there = _cluster(cloud, made)
        if there is None:
            return None
        ways, tags = there["resourcesVpcConfig"], there["tags"]
        known = ("subnetIds", "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
        logs = there["logging"]["clusterLogging"][0]["types"]
        # In moto every cluster of a process is reached at the same place: here each is at its own.
        begun = int(there["createdAt"].timestamp() * 1000)
        return {
            "name": made,
            "arn": there["arn"],
            "version": tags.get(f"{_OWN}version", there["version"]),
            "endpoint": f"https://{made.replace('_', '-')}-{begun}.{cloud.region}.eks.invalid",
            "certificateAuthority": {"data": "bm90IGEgY2VydGlmaWNhdGU="},
            "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{cloud.region}.amazonaws.com/id/{made}{begun}"}]}],
            "vpcConfig": {
                **{name: ways[name] for name in known if name in ways and name in (inputs.get("vpcConfig") or ways)},
                "clusterSecurityGroupId": tags[f"{_OWN}security-group"],
            },
            "enabledClusterLogTypes": logs,
            "tags": _own_tags(cloud, tags),
        }

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        eks = cloud.client("eks")
        if olds.get("vpcConfig") != news["vpcConfig"]:
            eks.update_cluster_config(name=made, resourcesVpcConfig=news["vpcConfig"])
        tags = {**cloud.tags(news), f"{_OWN}version": news["version"]}
        eks.tag_resource(resourceArn=_of(cloud, made)["arn"], tags=tags)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        there = _cluster(cloud, made)
        if there is None:
            return
        cloud.client("eks").delete_cluster(name=made)
        group = there["tags"][f"{_OWN}security-group"]
        forgiving(lambda: cloud.client("ec2").delete_security_group(GroupId=group))


class NodeGroup(Kind):
    autonamed = {"nodeGroupName": 40}  # noqa: RUF012 - a table
    replaces = frozenset(
        {"clusterName", "nodeGroupName", "amiType", "capacityType", "instanceTypes", "subnetIds", "nodeRoleArn"}
    )

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        names = ("scalingConfig", "instanceTypes", "amiType", "labels", "taints", "launchTemplate", "capacityType",
                 "version", "updateConfig")  # fmt: skip
        made = cloud.client("eks").create_nodegroup(
            clusterName=inputs["clusterName"],
            nodegroupName=inputs["nodeGroupName"],
            nodeRole=inputs["nodeRoleArn"],
            subnets=inputs["subnetIds"],
            tags=cloud.tags(inputs),
            **{name: inputs[name] for name in names if inputs.get(name) is not None},
        )["nodegroup"]
        return f"{made['clusterName']}:{made['nodegroupName']}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        cluster, _, name = made.partition(":")
        there = forgiving(lambda: cloud.client("eks").describe_nodegroup(clusterName=cluster, nodegroupName=name))
        if there is None:
            return None
        group = there["nodegroup"]
        plain = ("clusterName", "amiType", "capacityType", "instanceTypes", "scalingConfig", "labels")
        taints = {"taints": group["taints"]} if group.get("taints") else {}
        return {
            **{word: group[word] for word in plain},
            **taints,
            "arn": group["nodegroupArn"],
            "nodeGroupName": name,
            "tags": cloud.own_tags(_tag_list(group.get("tags"))),
        }

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        cluster, _, name = made.partition(":")
        gone = sorted((olds.get("labels") or {}).keys() - (news.get("labels") or {}).keys())
        cloud.client("eks").update_nodegroup_config(
            clusterName=cluster,
            nodegroupName=name,
            scalingConfig=news["scalingConfig"],
            labels={"addOrUpdateLabels": news.get("labels") or {}, "removeLabels": gone},
        )

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        cluster, _, name = made.partition(":")
        forgiving(lambda: cloud.client("eks").delete_nodegroup(clusterName=cluster, nodegroupName=name))


class PartOfCluster(Kind):
    """What moto does not have: a mark on its cluster. `keys` say which inputs name it, and so make its id."""

    def __init__(self, kind: str, *keys: str) -> None:
        self._kind, self._keys = kind, keys
        # As the real provider writes ids.
        self._mark = ":" if len(keys) == 1 else "#"
        # One class for several types.
        self.replaces = frozenset({"clusterName", *keys})  # type: ignore[misc]

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        cluster = inputs["clusterName"]
        name = self._mark.join(str(inputs[key]) for key in self._keys)
        cloud.client("eks").tag_resource(
            resourceArn=_of(cloud, cluster)["arn"], tags={f"{_OWN}{self._kind}:{name}": "there"}
        )
        return f"{cluster}{self._mark}{name}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        cluster, _, name = made.partition(self._mark)
        there = _cluster(cloud, cluster)
        if there is None or f"{_OWN}{self._kind}:{name}" not in there["tags"]:
            return None
        names = name.split("#") if len(self._keys) > 1 else [name]
        return {"clusterName": cluster, **dict(zip(self._keys, names, strict=True))}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        """What is kept has no content."""

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        cluster, _, name = made.partition(self._mark)
        there = _cluster(cloud, cluster)
        if there is not None:
            key = f"{_OWN}{self._kind}:{name}"
            cloud.client("eks").untag_resource(resourceArn=there["arn"], tagKeys=[key])


class OidcProvider(Kind):
    replaces = frozenset({"url"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        made = cloud.client("iam").create_open_id_connect_provider(
            Url=inputs["url"], ClientIDList=inputs["clientIdLists"], ThumbprintList=["0" * 40],
            Tags=cloud.tag_list(inputs),
        )  # fmt: skip
        return str(made["OpenIDConnectProviderArn"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        iam = cloud.client("iam")
        there = forgiving(lambda: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=made))
        if there is None:
            return None
        url = there["Url"]
        return {
            "arn": made,
            "url": url if url.startswith("https://") else f"https://{url}",
            "tags": cloud.own_tags(there.get("Tags")),
        }

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        iam = cloud.client("iam")
        iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=made, Tags=cloud.tag_list(news))

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        iam = cloud.client("iam")
        forgiving(lambda: iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made))


class Key(Kind):
    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        kms = cloud.client("kms")
        tags = [{"TagKey": key, "TagValue": value} for key, value in cloud.tags(inputs).items()]
        made = str(kms.create_key(Description=inputs["description"], Tags=tags)["KeyMetadata"]["KeyId"])
        if inputs.get("enableKeyRotation"):
            kms.enable_key_rotation(KeyId=made)
        return made

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        kms = cloud.client("kms")
        there = forgiving(lambda: kms.describe_key(KeyId=made))
        if there is None or there["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        tags = kms.list_resource_tags(KeyId=made)["Tags"]
        return {
            "keyId": made,
            "arn": there["KeyMetadata"]["Arn"],
            "enableKeyRotation": kms.get_key_rotation_status(KeyId=made)["KeyRotationEnabled"],
            "tags": cloud.own_tags([{"Key": one["TagKey"], "Value": one["TagValue"]} for one in tags]),
        }

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        if news.get("enableKeyRotation"):
            cloud.client("kms").enable_key_rotation(KeyId=made)

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        days = olds.get("deletionWindowInDays") or 30
        kms = cloud.client("kms")
        forgiving(lambda: kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=days))


def _security_group(cloud: Cloud, inputs: Inputs) -> str:
    """EKS makes one for itself, in the network of the subnets, and shares it with its machines."""
    ec2 = cloud.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=inputs["vpcConfig"]["subnetIds"])["Subnets"]
    made = ec2.create_security_group(
        GroupName=f"eks-cluster-sg-{inputs['name']}", Description="of the double's EKS", VpcId=subnets[0]["VpcId"]
    )
    return str(made["GroupId"])


def _cluster(cloud: Cloud, name: str) -> Mapping[str, Any] | None:
    there = forgiving(lambda: cloud.client("eks").describe_cluster(name=name))
    return there["cluster"] if there else None


def _of(cloud: Cloud, name: str) -> Mapping[str, Any]:
    there: Mapping[str, Any] = cloud.client("eks").describe_cluster(name=name)["cluster"]
    return there


def _own_tags(cloud: Cloud, tags: Mapping[str, str]) -> dict[str, str]:
    return cloud.own_tags([one for one in _tag_list(tags) if not one["Key"].startswith(_OWN)])


def _tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
