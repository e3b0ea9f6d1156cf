"""The bucket of a site's states: looked at, then made private, versioned and sealed. Safe to repeat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leptonctl.errors import PlatformFailed, PreflightFailed, Refused
from leptonctl.planning import aws_tags
from leptonctl.platforms.aws_bucket import code_of
from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leptonctl.platforms.aws_bucket import BucketStore

OLD_VERSIONS_DAYS = 90
_CLOSED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
_ABSENT = frozenset({"NoSuchBucket", "404"})
_NOT_SET = frozenset(
    {
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchTagSet",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
# A region that takes no name of itself when a bucket is made.
_FIRST_REGION = "us-east-1"
_EVERYBODY = "http://acs.amazonaws.com/groups/"


class StateBucket:
    """A bucket as it should be. `owner` answers for the site; `kms_key` seals the objects, None leaves it to S3."""

    def __init__(self, store: BucketStore, *, owner: str, kms_key: str | None) -> None:
        self._store = store
        self._owner = owner
        self._kms_key = kms_key

    def make(self) -> tuple[str, ...]:
        """Make the bucket, or mend what of it is not as it should be; returns what was done, in words.

        Raises `Refused` for a bucket of another account, in another region, or that is open to the public, before
        anything of it is changed.
        """
        done: list[str] = []
        if self._kms_key is not None:
            self._refuse_unknown_key(self._kms_key)
        if self._is_there():
            self._refuse_unfit()
        else:
            self._create()
            done.append(f"made the bucket {self._store.bucket} in {self._store.cloud.region}")
        done += [words for words, mend in self._lacking() if mend()]
        return tuple(done)

    def _refuse_unknown_key(self, key: str) -> None:
        region = self._store.cloud.region
        try:
            about = self._store.cloud.call("kms", "describe_key", KeyId=key)["KeyMetadata"]
        except PlatformFailed as failed:
            if code_of(failed) != "NotFoundException":
                raise
            raise PreflightFailed(
                f"there is no KMS key {key} in {region}",
                hint="make it first (`aws kms create-key`, `aws kms create-alias`): leptonctl makes no keys, because "
                "what they seal is lost with them",
            ) from failed
        if not about.get("Enabled", True):
            raise PreflightFailed(
                f"the KMS key {key} in {region} is {about.get('KeyState', 'not enabled')}",
                hint="enable it, or name another",
            )

    def _is_there(self) -> bool:
        try:
            self._call("head_bucket")
        except PlatformFailed as failed:
            if code_of(failed) in _ABSENT:
                return False
            raise
        return True

    def _refuse_unfit(self) -> None:
        bucket, region = self._store.bucket, self._store.cloud.region
        where = self._call("get_bucket_location").get("LocationConstraint") or _FIRST_REGION
        if where != region:
            raise Refused(
                f"the bucket {bucket} is in {where}, and the site file says {region}",
                hint=f"write `region: {where}` under `state`, or name another bucket",
            )
        open_to = self._open_to_public()
        if open_to:
            raise Refused(
                f"the bucket {bucket} is open to the public ({open_to}): it may hold what others read",
                hint="name a bucket of the states' own, or close this one first",
            )

    def _open_to_public(self) -> str:
        """By what the bucket is open to everybody; "" where it is not. What is blocked opens nothing."""
        blocked = (self._read("get_public_access_block") or {}).get("PublicAccessBlockConfiguration", {})
        status = (self._read("get_bucket_policy_status") or {}).get("PolicyStatus", {})
        if status.get("IsPublic") and not blocked.get("RestrictPublicBuckets"):
            return "its policy"
        grants = (self._read("get_bucket_acl") or {}).get("Grants", ())
        is_open = any(str(one["Grantee"].get("URI", "")).startswith(_EVERYBODY) for one in grants)
        return "its access list" if is_open and not blocked.get("IgnorePublicAcls") else ""

    def _create(self) -> None:
        region = self._store.cloud.region
        where: dict[str, Any] = (
            {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        # Nobody else's rights count in it: objects belong to the bucket's owner, and access lists are not looked at.
        self._store.cloud.call(
            "s3", "create_bucket", Bucket=self._store.bucket, ObjectOwnership="BucketOwnerEnforced", **where
        )

    def _lacking(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        """Each thing that a bucket of states has, in words, with what makes it so and says whether it had to."""
        yield "blocked public access", self._blocks_public_access
        yield "switched versions on", self._keeps_versions
        yield f"set encryption with {self._kms_key or 'keys of S3'}", self._encrypts
        yield "set a policy that refuses everything but TLS", self._refuses_plain_http
        yield f"set that old versions go after {OLD_VERSIONS_DAYS} days", self._forgets_old_versions
        yield "tagged it", self._is_tagged

    def _blocks_public_access(self) -> bool:
        found = self._read("get_public_access_block") or {}
        return found.get("PublicAccessBlockConfiguration") != _CLOSED and self._put(
            "put_public_access_block", PublicAccessBlockConfiguration=_CLOSED
        )

    def _keeps_versions(self) -> bool:
        found = self._call("get_bucket_versioning")
        return found.get("Status") != "Enabled" and self._put(
            "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}
        )

    def _encrypts(self) -> bool:
        rules = (
            (self._read("get_bucket_encryption") or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        )
        there = [one.get("ApplyServerSideEncryptionByDefault") or {} for one in rules]
        if self._kms_key is None:
            wanted: dict[str, Any] = {"SSEAlgorithm": "AES256"}
            # Somebody's stricter choice is left as it is.
            is_fine = bool(there)
        else:
            wanted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._kms_key}
            is_fine = there == [wanted]
        rule = {"ApplyServerSideEncryptionByDefault": wanted, "BucketKeyEnabled": self._kms_key is not None}
        return not is_fine and self._put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _refuses_plain_http(self) -> bool:
        """Add our statement to the bucket's policy; those of others stay."""
        text = (self._read("get_bucket_policy") or {}).get("Policy")
        policy: dict[str, Any] = json.loads(text) if text else {"Version": "2012-10-17", "Statement": []}
        arn = f"arn:{partition_of(self._store.cloud.region)}:s3:::{self._store.bucket}"
        wanted = {
            "Sid": "LeptonctlTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        others = [one for one in policy["Statement"] if one.get("Sid") != wanted["Sid"]]
        if [*others, wanted] == policy["Statement"]:
            return False
        return self._put("put_bucket_policy", Policy=json.dumps({**policy, "Statement": [*others, wanted]}))

    def _forgets_old_versions(self) -> bool:
        """Add our rule to the bucket's life cycle; those of others stay."""
        rules = (self._read("get_bucket_lifecycle_configuration") or {}).get("Rules", [])
        wanted = {
            "ID": "leptonctl-old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
        if any(one.get("ID") == wanted["ID"] for one in rules):
            return False
        return self._put("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [*rules, wanted]})

    def _is_tagged(self) -> bool:
        """Add our tags; those of others stay. No site is named: several may share the bucket."""
        there = {one["Key"]: one["Value"] for one in (self._read("get_bucket_tagging") or {}).get("TagSet", ())}
        wanted = {
            aws_tags.MANAGED: "leptonctl",
            aws_tags.OWNER: there.get(aws_tags.OWNER, aws_tags.tag_value(self._owner)),
        }
        whole = there | wanted
        if whole == there:
            return False
        tags = [{"Key": key, "Value": value} for key, value in whole.items()]
        return self._put("put_bucket_tagging", Tagging={"TagSet": tags})

    def _read(self, operation: str) -> Any:  # noqa: ANN401 - the service's answer
        """What is set; None where nothing is."""
        try:
            return self._call(operation)
        except PlatformFailed as failed:
            if code_of(failed) in _NOT_SET:
                return None
            raise

    def _put(self, operation: str, **arguments: object) -> bool:
        self._call(operation, **arguments)
        return True

    def _call(self, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - the service's answer
        return self._store.call(operation, **arguments)
