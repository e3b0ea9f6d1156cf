"""Every call that a site's life makes, by us and by the double of the provider, is allowed by the printed policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest

from leptonctl.planning.aws_permissions import needed_actions
from leptonctl.progress import silent
from tests.engine.sites import open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]

# Services whose name in a signature is not the one in a policy, and those that are told by method and path.
SERVICES = {"tagging": "tag"}
REST = {"s3": "s3", "route53": "route53", "elasticfilesystem": "efs", "eks": "eks"}
# Operations of S3 whose permission has another name.
S3_NAMES = {
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def operation_of(service: str, method: str, target: str) -> str:
    """The operation of a service of the REST kind, by the service's own description in botocore."""
    model = botocore.session.get_session().get_service_model(REST[service])
    parts = urlsplit(target)
    asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    best, most = "", -1
    for name in model.operation_names:
        http: dict[str, Any] = model.operation_model(name).http
        wanted = urlsplit(http["requestUri"])
        marks = {mark.partition("=")[0] for mark in wanted.query.split("&") if mark}
        path = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(wanted.path.rstrip("/")))
        if model.operation_model(name).deprecated:
            continue
        is_it = http["method"] == method and re.fullmatch(path, parts.path.rstrip("/")) and marks <= asked
        if is_it and len(marks) > most:
            best, most = name, len(marks)
    return best


def actions_seen(proxy: Proxy) -> Iterator[str]:
    """What was called, in the words of a policy."""
    for call in proxy.calls:
        service, _, action = call.partition(":")
        if service not in REST:
            yield f"{SERVICES.get(service, service)}:{action}"
    for service, method, target in proxy.requests:
        if service in REST:
            name = operation_of(service, method, target)
            yield f"{service}:{S3_NAMES.get(name, name) if service == 's3' else name}"


def test_the_policy_of_a_site_allows_every_call_of_its_life(aws_proxy: Proxy, tmp_path: Path) -> None:
    session = open_site("full", tmp_path)
    platform, core = platform_of(session), session.location("core")
    platform.preflight((core,))
    platform.ensure(core, silent)
    platform.observe("core")
    platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
    platform.leftovers()
    assert core.aws is not None
    seen = set(actions_seen(aws_proxy))
    assert {"ec2:RunInstances", "s3:CreateBucket", "route53:CreateHostedZone", "fsx:CreateFileSystem"} <= seen
    assert sorted(seen - set(needed_actions((core.aws,)))) == []
