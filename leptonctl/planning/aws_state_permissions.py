"""Permissions on the bucket that keeps the states and on the key that seals them: as narrow as both are named. Pure.

Written from the calls of `platforms/aws_bucket.py`, `platforms/aws_state_bucket.py` and `platforms/key_sealing.py`; a
test holds the names of those calls against this table. The engine's own calls on its backend are among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from leptonctl.sitefile.state import State

OF_BUCKET = (
    "s3:CreateBucket",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)
"""What `state init` makes and mends, and what every verb lists."""
OF_OBJECTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
"""States, locks and copies: read, written and removed; never a version."""
OF_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
"""What seals secrets in the states (by the engine), the key that logs in at hosts (by us), and objects (by S3)."""


def state_statements(state: State) -> list[dict[str, Any]]:
    """The statements of an IAM policy for these states: none where they are files beside the site file."""
    found: list[dict[str, Any]] = []
    if state.bucket is not None:
        bucket = f"arn:{partition_of(state.region or '')}:s3:::{state.bucket}"
        found += [
            {"Sid": "StateBucket", "Effect": "Allow", "Action": list(OF_BUCKET), "Resource": bucket},
            {
                "Sid": "StateObjects",
                "Effect": "Allow",
                "Action": list(OF_OBJECTS),
                "Resource": f"{bucket}/{state.prefix}*",
            },
        ]
    if state.kms_key is not None:
        found.append(_of_key(state.kms_key, state.region or ""))
    return found


def whole_state_statements() -> list[dict[str, Any]]:
    """The same for any bucket and any key."""
    everything = {"Effect": "Allow", "Resource": "*"}
    return [{"Sid": "State", **everything, "Action": sorted({*OF_BUCKET, *OF_OBJECTS, *OF_KEY})}]


def _of_key(key: str, region: str) -> dict[str, Any]:
    """An alias is no resource that a policy can name: it is a condition on the keys of the account."""
    prefix, _, name = key.rpartition(":") if key.startswith("arn:") else ("", "", key)
    place = prefix or f"arn:{partition_of(region)}:kms:{region}:*"
    statement: dict[str, Any] = {"Sid": "StateKey", "Effect": "Allow", "Action": list(OF_KEY)}
    if name.startswith("alias/"):
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}
        return {**statement, "Resource": f"{place}:key/*", "Condition": condition}
    return {**statement, "Resource": f"{place}:{name if name.startswith('key/') else f'key/{name}'}"}
