"""ClusterAccount: the role that the pods of one service account take, by the cluster's own word for who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ClusterAccountArgs:
    """The cluster's OIDC provider, the service account, and the one policy that it gets."""

    issuer_arn: pulumi.Input[str]
    issuer_url: pulumi.Input[str]
    namespace: str
    account: str
    policy_arn: str
    tags: Mapping[str, str]


class ClusterAccount(pulumi.ComponentResource):
    """A `role` that only this service account of this cluster may take."""

    def __init__(self, name: str, args: ClusterAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("leptonctl:clusteraccount:ClusterAccount", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        trust = pulumi.Output.all(args.issuer_arn, args.issuer_url).apply(
            lambda issuer: _trust(str(issuer[0]), str(issuer[1]), f"{args.namespace}:{args.account}")
        )
        self.role = aws.iam.Role(
            name, assume_role_policy=pulumi.Output.json_dumps(trust), tags=dict(args.tags), opts=own
        )
        aws.iam.RolePolicyAttachment(name, role=self.role.name, policy_arn=args.policy_arn, opts=own)
        self.register_outputs({"role_arn": self.role.arn})


def _trust(issuer_arn: str, issuer_url: str, account: str) -> dict[str, object]:
    issuer = issuer_url.removeprefix("https://")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": issuer_arn},
                "Condition": {
                    "StringEquals": {
                        f"{issuer}:sub": f"system:serviceaccount:{account}",
                        f"{issuer}:aud": "sts.amazonaws.com",
                    }
                },
            }
        ],
    }
