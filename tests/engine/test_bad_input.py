"""What stops `leptonctl up` on AWS before anything is made: the exit code, the whole message, and nothing half-made."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.cli import run
from leptonctl.errors import ExitCode
from leptonctl.platforms.pulumi_engine import put_hint
from tests.engine.conftest import access_key_of
from tests.engine.sites import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine", "nothing_made"), pytest.mark.timeout(300)]
REGION = "eu-central-1"
Told = tuple[int, list[tuple[str | None, str, str | None]]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    shutil.copy(HERE / "sites" / "thin.yaml", file)
    return file


@pytest.fixture
def nothing_made(aws_proxy: Proxy, site: Path) -> Iterator[None]:
    yield
    assert aws_proxy.changing == {}
    assert not (site.parent / ".leptonctl" / "thin" / "pulumi").exists()


def edit(site: Path, before: str, after: str) -> None:
    text = site.read_text()
    assert before in text
    site.write_text(text.replace(before, after))


def up(site: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """How `up` ended, and its problems: where, message, hint."""
    code = run(["up", str(site), "--yes", "--output", "json"])
    problems: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["problems"]
    return code, [(one["where"], one["message"], one["hint"]) for one in problems]


def test_an_unknown_region(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site, REGION, "eu-central-9")
    message, hint = "region eu-central-9 is not one of this account's", "enable it in the account's settings"
    assert up(site, capsys) == (ExitCode.PREFLIGHT_FAILED, [(None, message, hint)])


def test_an_unknown_machine_type(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site, "m5.large", "m9.large")
    hint = "`aws ec2 describe-instance-type-offerings` lists what is"
    assert up(site, capsys) == (
        ExitCode.PREFLIGHT_FAILED,
        [("core", "machine type m9.large is not offered in eu-central-1", hint)],
    )


def test_a_range_that_is_too_small_for_the_hosts(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site, "10.20.0.0/20", "10.20.0.0/24")
    edit(site, "count: 2", "count: 40")
    hint = "use a larger network, more zones, or fewer hosts"
    message = "10.20.0.0/24 gives the public subnet of zone {} 11 addresses, and 21 are needed"
    assert up(site, capsys) == (
        ExitCode.INVALID_SITE,
        [(None, message.format(zone), hint) for zone in (1, 2)],
    )


def test_a_quota_that_is_too_small(site: Path, aws_proxy: Proxy, capsys: pytest.CaptureFixture[str]) -> None:
    ec2 = boto3.client("ec2", region_name=REGION)
    for number in range(4):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    aws_proxy.forget()
    assert up(site, capsys) == (
        ExitCode.PREFLIGHT_FAILED,
        [
            (
                None,
                "eu-central-1: VPCs per Region: 1 asked, 5 used by others, limit 5",
                (
                    "ask for 6 or more: `aws service-quotas request-service-quota-increase --region eu-central-1 "
                    "--service-code vpc --quota-code L-F678F1CE --desired-value 6`"
                ),
            )
        ],
    )


def test_missing_credentials(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert up(site, capsys) == (
        ExitCode.PREFLIGHT_FAILED,
        [
            (
                None,
                "AWS cannot be asked, there are no usable credentials: Unable to locate credentials",
                (
                    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` "
                    "must answer"
                ),
            )
        ],
    )


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("3.150.2", "at least 3.206.0 is needed"),
        ("4.0.0", "leptonctl works with major version 3"),
    ],
)
def test_an_engine_that_does_not_fit(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, version: str, why: str
) -> None:
    program = site.parent / "pulumi"
    program.write_text(f"#!/bin/sh\necho v{version}\n")
    program.chmod(0o755)
    monkeypatch.setenv("LEPTONCTL_PULUMI", str(program))
    hint = put_hint(os.environ, "or name another program in LEPTONCTL_PULUMI")
    assert up(site, capsys) == (
        ExitCode.PREFLIGHT_FAILED,
        [(None, f"{program} is version {version}; {why}", hint)],
    )


def test_without_an_engine_validate_and_plan_work_and_up_says_what_to_put_where(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEPTONCTL_PULUMI")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("XDG_DATA_HOME", str(site.parent / "data"))
    for words in (["validate"], ["plan"], ["plan", "--diff"]):
        assert run([words[0], str(site), *words[1:]]) == ExitCode.DONE
    capsys.readouterr()
    own = site.parent / "data" / "leptonctl" / "engine" / "bin" / "pulumi"
    assert up(site, capsys) == (
        ExitCode.PREFLIGHT_FAILED,
        [
            (
                None,
                f"the engine `pulumi` is missing (looked on PATH and for {own})",
                put_hint(os.environ, "then run this again"),
            )
        ],
    )


def test_a_state_bucket_of_another_account(
    site: Path, moto_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"theirs-{secrets.token_hex(6)}"
    theirs = boto3.Session(access_key_of("111111111111", moto_url), "test", region_name=REGION)
    where: Any = {"LocationConstraint": REGION}
    theirs.client("s3", endpoint_url=moto_url).create_bucket(Bucket=name, CreateBucketConfiguration=where)
    edit(site, "core:\n", f"state: {{url: s3://{name}, region: {REGION}, passphrase: env:STATE_PASSPHRASE}}\ncore:\n")
    monkeypatch.setenv("STATE_PASSPHRASE", "correct horse")
    monkeypatch.setenv("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")
    own = boto3.client("sts", region_name=REGION).get_caller_identity()["Account"]
    assert up(site, capsys) == (
        ExitCode.REFUSED,
        [
            (
                None,
                f"the state's bucket {name} is not shown to belong to account {own}: AWS denied every look",
                "it belongs to another account, or the credentials lack the permission s3:ListBucket",
            )
        ],
    )
