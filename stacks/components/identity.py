"""Identity: what the hosts of a group may do in the account. Nothing, but for the buckets that are named for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from stacks.components.policies import trust_of
from stacks.components.tagging import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leptonctl.planning.aws_types import LocationArgs

_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
_BUCKET = ("s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads")


@dataclass(frozen=True, slots=True)
class IdentityArgs:
    """The location, the group whose hosts it is for, and the buckets that they may use."""

    location: LocationArgs
    group: str
    bucket_arns: Sequence[pulumi.Input[str]]


class Identity(pulumi.ComponentResource):
    """A role and its instance `profile`."""

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:identity:Identity", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        tags = tags_of(args.location, "access", name, group=args.group)
        role = aws.iam.Role(f"{name}-role", assume_role_policy=trust_of("ec2.amazonaws.com"), tags=tags, opts=own)
        self.profile = aws.iam.InstanceProfile(f"{name}-profile", role=role.name, tags=tags, opts=own)
        if args.bucket_arns:
            arns = [pulumi.Output.from_input(arn) for arn in args.bucket_arns]
            aws.iam.RolePolicy(
                f"{name}-buckets",
                role=role.id,
                policy=pulumi.Output.json_dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": list(_BUCKET), "Resource": list(arns)},
                            {
                                "Effect": "Allow",
                                "Action": list(_OBJECTS),
                                "Resource": [arn.apply(lambda one: f"{one}/*") for arn in arns],
                            },
                        ],
                    }
                ),
                opts=own,
            )
        self.register_outputs({"profile_name": self.profile.name})
