"""`leptonctl state init`, `show` and `unlock` from the command line, with AWS as moto plays it."""

from __future__ import annotations

import json
import os
import re
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest

from leptonctl.cli import run
from leptonctl.errors import ExitCode
from leptonctl.platforms.aws_bucket import BucketStore
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.pulumi_state import States
from leptonctl.platforms.state_store import FolderStore
from tests.moto_account import make_bucket, moto_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """\
site: vision
owner: ops@example.com
state: {url: s3://example-state/teams, region: eu-central-1, passphrase: env:STATE_PASSPHRASE}
core:
  platform: aws
  aws: {region: eu-west-1}
  network: {cidr: 10.20.0.0/20}
  nodes:
    box: {count: 1, machine: {type: m5.large}}
"""
PLACE = "s3://example-state/teams?region=eu-central-1"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto_account(monkeypatch):
        yield


@pytest.fixture
def site(tmp_path: Path) -> str:
    (tmp_path / "site.yaml").write_text(SITE)
    return str(tmp_path / "site.yaml")


def states() -> States:
    return States(BucketStore(AwsCloud("eu-central-1"), "example-state", "teams/"), "vision")


def open_bucket() -> None:
    """A bucket that can be written to: moto reads no conditions, and takes our TLS-only policy for a closed door."""
    make_bucket("example-state", "eu-central-1")


def put(of: States, *, lock: tuple[int, str, datetime] | None = None) -> None:
    """A state with one resource and an unfinished one, and a lock, as the engine writes them."""
    resource = {"urn": "urn:pulumi:core::vision::aws:ec2/vpc:Vpc::net", "type": "aws:ec2/vpc:Vpc"}
    providers = {"type": "passphrase", "state": {"salt": "v1:a"}}
    latest = {
        "secrets_providers": providers,
        "resources": [resource],
        "pending_operations": [{"type": "creating", "resource": resource}],
    }
    of.store.write(of.key("core"), json.dumps({"version": 3, "checkpoint": {"latest": latest}}).encode())
    if lock:
        pid, host, since = lock
        told = {"pid": pid, "username": "ci", "hostname": host, "timestamp": since.isoformat()}
        of.store.write(f".pulumi/locks/organization/vision/core/{pid}.json", json.dumps(told).encode())


def test_init_says_exactly_what_it_did_and_then_that_there_is_nothing_to_do(
    site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["state", "init", site]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "made the bucket example-state in eu-central-1",
        "blocked public access",
        "switched versions on",
        "set encryption with keys of S3",
        "set a policy that refuses everything but TLS",
        "set that old versions go after 90 days",
        "tagged it",
        f"{PLACE} is ready",
    ]
    assert run(["state", "init", site]) == 0
    assert capsys.readouterr().out == f"{PLACE} is in order: nothing to do\n"


def test_show_says_where_each_state_is_how_old_and_who_holds_it(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_bucket()
    assert run(["state", "show", site]) == 0
    assert capsys.readouterr().out == f"states of site vision in {PLACE}\nnone yet\n"
    put(states(), lock=(7, "runner-7", datetime.now(UTC) - timedelta(hours=3, minutes=2)))
    states().keep("core", {})
    copy = states().store.place(states().copies("core")[0].key)
    assert run(["state", "show", site]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"core: 1 resources, 0 KiB, written \d+ s ago, sealed with passphrase", lines[1])
    assert lines[2:] == [
        f"    1 copies, newest {copy}",
        "    locked by ci, pid 7 on runner-7, for 3 h 2 min",
        "    unfinished: creating net",
    ]
    assert run(["state", "show", site, "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verb"], told["data"]["stacks"][0]["locks"]) == (
        "state show",
        ["ci, pid 7 on runner-7, for 3 h 2 min"],
    )


def test_show_works_on_a_state_that_is_not_understood(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_bucket()
    states().store.write(states().key("core"), b"nonsense")
    assert run(["state", "show", site]) == 0
    assert "was not understood (JSONDecodeError" in capsys.readouterr().out


def test_a_lock_is_taken_away_only_with_a_word_and_never_from_a_living_process(
    site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    open_bucket()
    assert run(["state", "unlock", site, "core", "--yes"]) == 0
    assert capsys.readouterr().out == "core is not locked\n"
    put(states(), lock=(7, "runner-7", datetime.now(UTC) - timedelta(days=2)))
    assert run(["state", "unlock", site, "core"]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "leptonctl state: core is locked by ci, pid 7 on runner-7, for 2 d 0 h, and there is no terminal to ask on\n"
        "  pass --yes where that process is surely gone\n"
    )
    assert len(states().locks("core")) == 1
    assert run(["state", "unlock", site, "core", "--yes"]) == 0
    assert capsys.readouterr().out == "took away the lock of ci, pid 7 on runner-7, for 2 d 0 h\n"
    assert states().locks("core") == ()

    # As a clock that is ahead writes it: however busy the machine is, it has no age yet.
    put(states(), lock=(os.getpid(), socket.gethostname(), datetime.now(UTC) + timedelta(hours=1)))
    assert run(["state", "unlock", site, "core", "--yes"]) == ExitCode.REFUSED
    owner = f"core: ci, pid {os.getpid()} on {socket.gethostname()}"
    assert capsys.readouterr().err == (
        f"leptonctl state: {owner}, for 0 s still runs on this machine\n"
        "  stop it with one Ctrl-C, or one SIGTERM, and wait for its end\n"
    )
    assert run(["state", "unlock", site, "regions/west", "--yes"]) == ExitCode.USAGE


def test_up_on_a_site_whose_bucket_is_not_there_names_the_command_that_makes_it(
    site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in (["plan", site, "--diff"], ["up", site, "--yes"]):
        assert run(verb) == ExitCode.PREFLIGHT_FAILED
        assert capsys.readouterr().err.endswith(
            f"leptonctl {verb[0]}: the state's bucket example-state does not exist\n"
            "  `leptonctl state init SITE` makes it\n"
        )
    assert run(["plan", site]) == 0
    assert boto3.client("s3", region_name="eu-central-1").list_buckets()["Buckets"] == []
    assert not list(tmp_path.glob(".leptonctl/vision/pulumi"))


def test_without_credentials_the_states_and_aws_cannot_be_asked_and_nothing_is_made(
    site: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for verb in (["state", "init", site], ["state", "show", site], ["up", site, "--yes"]):
        assert run(verb) == ExitCode.PREFLIGHT_FAILED
        assert "AWS cannot be asked, there are no usable credentials: Unable to locate credentials" in (
            capsys.readouterr().err
        )


def test_a_site_without_a_bucket_has_its_states_in_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("\n".join(line for line in SITE.splitlines() if not line.startswith("state:")))
    folder = tmp_path / ".leptonctl" / "vision" / "pulumi"
    assert run(["state", "init", str(site)]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith(
        f"leptonctl state: the site file names no bucket: the states are files in {folder}\n"
    )
    put(States(FolderStore(folder), "vision"))
    assert run(["state", "show", str(site)]) == 0
    assert capsys.readouterr().out.startswith(f"states of site vision in file://{folder}\ncore: 1 resources, ")
