"""A token for a cluster: what EKS expects, bound to the cluster, made without sending anything."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("boto3", reason="needs the extra leptonctl[aws]")

from leptonctl.cli import run
from leptonctl.errors import PreflightFailed
from leptonctl.platforms.aws_token import cluster_token

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-in-the-token")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_a_token_is_a_signed_question_for_the_regional_service_bound_to_the_cluster() -> None:
    made = cluster_token("demo_core", "eu-central-1")
    prefix, _, body = made.token.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in body
    url = urlsplit(base64.urlsafe_b64decode(body + "==").decode())
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-central-1.amazonaws.com", "/")
    asked = parse_qs(url.query)
    assert asked["Action"] == ["GetCallerIdentity"]
    assert asked["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert asked["X-Amz-Expires"] == ["60"]
    assert "not-in-the-token" not in url.query


def test_a_token_is_given_up_before_eks_refuses_it() -> None:
    assert timedelta(minutes=13) < cluster_token("a", "eu-west-1").expires - datetime.now(UTC) <= timedelta(minutes=14)


def test_the_command_prints_what_kubernetes_clients_expect(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cluster-token", "--cluster", "demo_core", "--region", "eu-central-1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["apiVersion"], told["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    assert told["status"]["token"].startswith("k8s-aws-v1.")
    assert datetime.fromisoformat(told["status"]["expirationTimestamp"]).tzinfo is not None


def test_without_credentials_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PreflightFailed) as caught:
        cluster_token("demo_core", "eu-central-1")
    assert caught.value.message == "there are no credentials to ask the cluster demo_core with"
    assert caught.value.hint == "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
