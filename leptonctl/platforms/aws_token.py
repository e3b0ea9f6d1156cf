"""A token for a cluster's API: a signed question "who am I", which EKS asks of AWS. Nothing is sent to get one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.aws_cloud import EXTRA_HINT

# EKS takes a token for a quarter of an hour after it was signed; ours is given up a minute before.
_GOOD_FOR = timedelta(minutes=14)
_SIGNED_FOR_S = 60
_PREFIX = "k8s-aws-v1."


@dataclass(frozen=True, slots=True)
class ClusterToken:
    """A bearer token, and until when it is good."""

    token: str
    expires: datetime

    def as_credential(self) -> dict[str, object]:
        """The answer that Kubernetes clients want of a credential plug-in (`ExecCredential`, v1)."""
        return {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": self.token, "expirationTimestamp": self.expires.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }


def cluster_token(cluster: str, region: str) -> ClusterToken:
    """A token of whoever the usual AWS settings lead to. Raises `PreflightFailed` where there are no credentials."""
    try:
        from boto3.session import Session  # noqa: PLC0415 - only where AWS is used
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - the same
        from botocore.signers import RequestSigner  # noqa: PLC0415 - the same
    except ImportError as missing:
        raise PreflightFailed(f"the library `{missing.name}` is missing", hint=EXTRA_HINT) from missing
    try:
        session = Session(region_name=region)
        credentials = session.get_credentials()
        if credentials is None:
            raise PreflightFailed(
                f"there are no credentials to ask the cluster {cluster} with",
                hint="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        sts = session.client("sts")
        signer = RequestSigner(sts.meta.service_model.service_id, region, "sts", "v4", credentials, session.events)
        question = {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            # What binds the token to this cluster.
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        }
        url = signer.generate_presigned_url(question, region_name=region, expires_in=_SIGNED_FOR_S, operation_name="")
    except BotoCoreError as error:
        raise PreflightFailed(f"no token can be made for the cluster {cluster}: {error}") from error
    text = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return ClusterToken(_PREFIX + text, datetime.now(UTC) + _GOOD_FOR)
