"""AWS as moto plays it in this process, for quick tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextmanager
def moto_account(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let boto3 see moto and nothing else, whatever the environment says."""
    from moto import mock_aws  # noqa: PLC0415 - heavy, and only what uses it shall wait for it

    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setattr("boto3.DEFAULT_SESSION", None)
    with mock_aws():
        yield


def make_bucket(name: str, region: str) -> None:
    """An empty bucket in a region."""
    import boto3  # noqa: PLC0415 - the same

    client = boto3.client("s3", region_name=region)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
