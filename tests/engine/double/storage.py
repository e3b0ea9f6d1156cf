"""The double's storage types: buckets and their settings, EFS, FSx for Lustre."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.engine.double.cloud import camel, pascal, pascal_all
from tests.engine.double.kind import Inputs, Kind, forgiving

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.double.cloud import Cloud


class Bucket(Kind):
    autonamed = {"bucket": 40}  # noqa: RUF012 - a table
    replaces = frozenset({"bucket"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        name = str(inputs["bucket"])
        place = {} if cloud.region == "us-east-1" else {"LocationConstraint": cloud.region}
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        self._tag(cloud, name, inputs)
        return name

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        s3 = cloud.client("s3")
        if forgiving(lambda: s3.head_bucket(Bucket=made)) is None:
            return None
        try:
            tags = cloud.own_tags(s3.get_bucket_tagging(Bucket=made)["TagSet"])
        except ClientError:
            tags = {}
        domain = f"{made}.s3.{cloud.region}.amazonaws.com"
        return {"bucket": made, "arn": f"arn:aws:s3:::{made}", "tags": tags, "bucketRegionalDomainName": domain}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        self._tag(cloud, made, news)

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        s3 = cloud.client("s3")
        if olds.get("forceDestroy"):
            forgiving(lambda: _empty(s3, made))
        forgiving(lambda: s3.delete_bucket(Bucket=made))

    def _tag(self, cloud: Cloud, name: str, inputs: Inputs) -> None:
        if tags := cloud.tag_list(inputs):
            cloud.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})


class BucketSetting(Kind):
    """One setting of a bucket, put and taken as a whole; `form` makes the arguments of the call."""

    replaces = frozenset({"bucket"})

    def __init__(
        self,
        call: str,
        form: Callable[[Inputs], Inputs],
        *,
        gone: str | None = None,
        told: Callable[[Inputs], Inputs] | None = None,
    ) -> None:
        self._call = call
        self._form = form
        self._told = told
        self._gone = gone or f"delete_{call}"

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        getattr(cloud.client("s3"), f"put_{self._call}")(Bucket=inputs["bucket"], **self._form(inputs))
        return str(inputs["bucket"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        read = {"bucket_lifecycle": "bucket_lifecycle_configuration"}.get(self._call, self._call)
        answer = forgiving(lambda: getattr(cloud.client("s3"), f"get_{read}")(Bucket=made))
        if not answer:
            return None
        return {"bucket": made, **(self._told(answer) if self._told else {})}

    def update(self, cloud: Cloud, _made: str, _olds: Inputs, news: Inputs) -> None:
        self.create(cloud, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        remove = getattr(cloud.client("s3"), self._gone, None)
        if remove is not None:
            forgiving(lambda: remove(Bucket=made))


def versioning(inputs: Inputs) -> Inputs:
    """Arguments of put_bucket_versioning."""
    return {"VersioningConfiguration": {"Status": inputs["versioningConfiguration"]["status"]}}


def versioning_told(answer: Inputs) -> Inputs:
    """What get_bucket_versioning answered."""
    return {"versioningConfiguration": {"status": answer.get("Status", "Suspended")}}


def public_access_told(answer: Inputs) -> Inputs:
    """What get_public_access_block answered."""
    return {camel(name): value for name, value in answer["PublicAccessBlockConfiguration"].items()}


def encryption(inputs: Inputs) -> Inputs:
    """Arguments of put_bucket_encryption."""
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
                **(
                    {"KMSMasterKeyID": key}
                    if (key := rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"))
                    else {}
                ),
            },
            "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
        }
        for rule in inputs["rules"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def public_access(inputs: Inputs) -> Inputs:
    """Arguments of put_public_access_block."""
    names = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": {pascal(name): bool(inputs.get(name)) for name in names}}


def ownership(inputs: Inputs) -> Inputs:
    """Arguments of put_bucket_ownership_controls."""
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]}}


def policy(inputs: Inputs) -> Inputs:
    """Arguments of put_bucket_policy."""
    text = inputs["policy"]
    return {"Policy": text if isinstance(text, str) else json.dumps(text)}


class FileSystem(Kind):
    replaces = frozenset({"encrypted", "kmsKeyId", "performanceMode", "creationToken", "availabilityZoneName"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        names = ("creationToken", "performanceMode", "throughputMode", "encrypted", "kmsKeyId",
                 "provisionedThroughputInMibps")  # fmt: skip
        wanted = {pascal(name): inputs[name] for name in names if inputs.get(name) is not None}
        token = wanted.pop("CreationToken", None)
        tags = cloud.tag_list(inputs)
        extra = {"CreationToken": token} if token else {}
        return str(cloud.client("efs").create_file_system(Tags=tags, **wanted, **extra)["FileSystemId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("efs").describe_file_systems(FileSystemId=made)["FileSystems"])
        if not found:
            return None
        there = found[0]
        arn = there.get("FileSystemArn") or cloud.arn("elasticfilesystem", f"file-system/{made}")
        dns = f"{made}.efs.{cloud.region}.amazonaws.com"
        return {"arn": arn, "dnsName": dns, "tags": cloud.own_tags(there.get("Tags"))}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        cloud.client("efs").tag_resource(ResourceId=made, Tags=cloud.tag_list(news))

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("efs").delete_file_system(FileSystemId=made))


class MountTarget(Kind):
    replaces = frozenset({"fileSystemId", "subnetId", "ipAddress"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        groups = {"SecurityGroups": inputs["securityGroups"]} if inputs.get("securityGroups") else {}
        answer = cloud.client("efs").create_mount_target(
            FileSystemId=inputs["fileSystemId"], SubnetId=inputs["subnetId"], **groups
        )
        return str(answer["MountTargetId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        there = forgiving(lambda: cloud.client("efs").describe_mount_targets(MountTargetId=made)["MountTargets"][0])
        if not there:
            return None
        return {"ipAddress": there.get("IpAddress"), "fileSystemId": there["FileSystemId"]}

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("efs").delete_mount_target(MountTargetId=made))


class LustreFileSystem(Kind):
    replaces = frozenset({"deploymentType", "subnetIds", "kmsKeyId", "storageType", "perUnitStorageThroughput"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        names = ("storageCapacity", "storageType", "subnetIds", "securityGroupIds", "kmsKeyId")
        wanted = {pascal(name): inputs[name] for name in names if inputs.get(name) is not None}
        # The provider's schema has one subnet here, as text.
        wanted["SubnetIds"] = [wanted["SubnetIds"]] if isinstance(wanted["SubnetIds"], str) else wanted["SubnetIds"]
        lustre = ("deploymentType", "perUnitStorageThroughput", "dataCompressionType")
        options = {pascal(name): inputs[name] for name in lustre if inputs.get(name) is not None}
        answer = cloud.client("fsx").create_file_system(
            FileSystemType="LUSTRE", LustreConfiguration=options, Tags=cloud.tag_list(inputs), **wanted
        )
        return str(answer["FileSystem"]["FileSystemId"])

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        found = forgiving(lambda: cloud.client("fsx").describe_file_systems(FileSystemIds=[made])["FileSystems"])
        if not found:
            return None
        there = found[0]
        options = there.get("LustreConfiguration") or {}
        return {
            "arn": there.get("ResourceARN") or cloud.arn("fsx", f"file-system/{made}"),
            "dnsName": there.get("DNSName") or f"{made}.fsx.{cloud.region}.amazonaws.com",
            "mountName": options.get("MountName") or "fsx",
            "storageCapacity": there["StorageCapacity"],
        }

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        arn = cloud.arn("fsx", f"file-system/{made}")
        cloud.client("fsx").tag_resource(ResourceARN=arn, Tags=cloud.tag_list(news))

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("fsx").delete_file_system(FileSystemId=made))


def lifecycle(inputs: Inputs) -> Inputs:
    """Arguments of put_bucket_lifecycle_configuration."""
    rules = []
    for rule in inputs["rules"]:
        one = pascal_all(rule)
        one["ID"] = one.pop("Id")
        if "AbortIncompleteMultipartUpload" in one:
            days = one["AbortIncompleteMultipartUpload"]
            one["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days["DaysAfterInitiation"]}
        one.setdefault("Filter", {"Prefix": ""})
        rules.append(one)
    return {"LifecycleConfiguration": {"Rules": rules}}


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
