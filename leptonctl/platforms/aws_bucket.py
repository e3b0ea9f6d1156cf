"""A bucket as the store of states; every call says whose bucket it has to be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError, PlatformFailed, PreflightFailed, Refused
from leptonctl.platforms.state_store import Stored

if TYPE_CHECKING:
    from leptonctl.platforms.aws_cloud import AwsCloud

_DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
_ABSENT = frozenset({"NoSuchKey", "404"})
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
PAGE = 1000
"""Objects that one call lists; S3 gives no more."""


class BucketStore:
    """The objects of a bucket below a prefix ("" or `PREFIX/`). `account` is its owner; None is that of `cloud`."""

    def __init__(self, cloud: AwsCloud, bucket: str, prefix: str, *, account: str | None = None) -> None:
        self.cloud = cloud
        self.bucket = bucket
        self.prefix = prefix
        self._account = account
        self._lock = threading.Lock()

    @property
    def account(self) -> str:
        """The account that the bucket has to belong to."""
        with self._lock:
            self._account = self._account or account_of(self.cloud)
            return self._account

    @property
    def url(self) -> str:
        """The store as the engine wants it."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + f"?region={self.cloud.region}"

    @property
    def is_shared(self) -> bool:
        """Whether other machines use it too."""
        return True

    def read(self, key: str) -> bytes | None:
        """What is there; None where nothing is."""
        try:
            found: bytes = self.call("get_object", Key=self.prefix + key)["Body"].read()
        except PlatformFailed as failed:
            if code_of(failed) in _ABSENT:
                return None
            raise
        return found

    def write(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all."""
        self.call("put_object", Key=self.prefix + key, Body=data)

    def add(self, key: str, data: bytes) -> None:
        """Put it there, whole or not at all; what is there stays, also what comes at the same moment."""
        try:
            self.call("put_object", Key=self.prefix + key, Body=data, IfNoneMatch="*")
        except PlatformFailed as failed:
            if code_of(failed) not in _TAKEN:
                raise

    def remove(self, key: str) -> None:
        """Take it away; nothing happens where nothing is."""
        self.call("delete_object", Key=self.prefix + key)

    def listed(self, prefix: str) -> tuple[Stored, ...]:
        """Everything whose key begins so, by key, page after page."""
        found: list[Stored] = []
        more: dict[str, str] = {}
        while True:
            page = self.call("list_objects_v2", Prefix=self.prefix + prefix, MaxKeys=PAGE, **more)
            found += [
                Stored(one["Key"].removeprefix(self.prefix), one["Size"], one["LastModified"])
                for one in page.get("Contents", ())
            ]
            if not page.get("IsTruncated"):
                return tuple(found)
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def place(self, key: str) -> str:
        """Where that is, for people."""
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def call(self, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - the service's answer
        """One call about the bucket, with its failures in our words."""
        try:
            return self.cloud.call("s3", operation, Bucket=self.bucket, ExpectedBucketOwner=self.account, **arguments)
        except PlatformFailed as failed:
            raise self._told(failed) from failed.__cause__

    def _told(self, failed: PlatformFailed) -> LeptonError:
        code = code_of(failed)
        if code == "NoSuchBucket":
            return PreflightFailed(
                f"the state's bucket {self.bucket} does not exist", hint="`leptonctl state init SITE` makes it"
            )
        return _foreign(self, failed) if code in _DENIED else failed


def _foreign(store: BucketStore, failed: PlatformFailed) -> LeptonError:
    """What a denied call means: another owner where the bucket only answers when nobody asks for its owner."""
    if _answers(store, ExpectedBucketOwner=store.account):
        return failed
    if _answers(store):
        return Refused(
            f"the state's bucket {store.bucket} does not belong to account {store.account}",
            hint="write its owner as `state.account` if that is meant, or name another bucket in `state.url`",
        )
    return Refused(
        f"the state's bucket {store.bucket} is not shown to belong to account {store.account}: AWS denied every look",
        hint="it belongs to another account, or the credentials lack the permission s3:ListBucket",
    )


def _answers(store: BucketStore, **owner: str) -> bool:
    try:
        store.cloud.call("s3", "head_bucket", Bucket=store.bucket, **owner)
    except PlatformFailed:
        return False
    return True


def account_of(cloud: AwsCloud) -> str:
    """The account of the credentials, as its number."""
    return cloud.identity().split(":")[4]


def code_of(failed: LeptonError) -> str:
    """AWS's own code of a failure; "" where it has none."""
    response = getattr(failed.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
