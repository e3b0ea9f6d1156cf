"""ObjectStore: a bucket that is private, encrypted, versioned and spoken to over TLS only. It is protected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import BucketArgs, LocationArgs

_UNFINISHED_DAYS = 7


@dataclass(frozen=True, slots=True)
class ObjectStoreArgs:
    """The location and the bucket's own arguments."""

    location: LocationArgs
    bucket: BucketArgs


class ObjectStore(pulumi.ComponentResource):
    """The `bucket` with all that closes it."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:objectstore:ObjectStore", name, None, opts)
        location, bucket = args.location, args.bucket
        is_deletable = bucket.address in location.deletable
        self._own = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(
            f"{name}-bucket",
            # With its objects, where the operator has named it; else AWS itself refuses one that is not empty.
            force_destroy=is_deletable,
            tags=tags_of(location, "store", bucket.name, address=bucket.address, store=bucket.name),
            opts=pulumi.ResourceOptions(parent=self, protect=not is_deletable),
        )
        closed = aws.s3.BucketPublicAccessBlock(
            f"{name}-closed",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._own,
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=self.bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._own,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=self.bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="AES256"
                        )
                    )
                )
            ],
            opts=self._own,
        )
        versioning = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=self.bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._own,
        )
        self._lifecycle(name, bucket, versioning)
        self._tls_only(name, closed)
        self.register_outputs({"bucket": self.bucket.id})

    def _lifecycle(self, name: str, bucket: BucketArgs, versioning: aws.s3.BucketVersioning) -> None:
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="old-versions",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=bucket.kept_versions_days
            ),
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=_UNFINISHED_DAYS
                )
            ),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket.id,
            rules=[rule],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _tls_only(self, name: str, closed: aws.s3.BucketPublicAccessBlock) -> None:
        statement = {
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.bucket.arn, self.bucket.arn.apply(lambda arn: f"{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        aws.s3.BucketPolicy(
            f"{name}-tls",
            bucket=self.bucket.id,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]}),
            # Both write the bucket's policy; AWS refuses two at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )
