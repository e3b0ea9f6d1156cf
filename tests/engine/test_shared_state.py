"""A state in a bucket: two machines, each with a state folder of its own, work on the same site one after the other."""

from __future__ import annotations

import gc
import json
import os
import secrets
import signal
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import ExitCode, Locked, PlatformFailed, PreflightFailed, Refused
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.platforms.pulumi_sealing import sealed
from leptonctl.progress import silent
from tests.engine.double.provider import SLOW_VARIABLE
from tests.engine.sites import core_of, open_site, platform_of
from tests.engine.test_kills import Attempt, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.session import Session
    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine")]
REGION = "eu-central-1"


class Shared:
    """The bucket and the key that machines share."""

    def __init__(self, tmp_path: Path) -> None:
        self._tmp_path = tmp_path
        self.bucket = f"state-{secrets.token_hex(6)}"
        self.key: str = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]

    def make_bucket(self) -> None:
        where: Any = {"LocationConstraint": REGION}
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=self.bucket, CreateBucketConfiguration=where)

    def machine(self, name: str, site: str) -> Session:
        """The site as another machine opens it, which has nothing but the site file."""
        return open_site(site, self._tmp_path / name, {"STATE_BUCKET": self.bucket, "STATE_KEY": self.key})


@pytest.fixture
def shared(aws_proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    assert aws_proxy
    monkeypatch.setenv("STATE_PASSPHRASE", "correct horse")
    return Shared(tmp_path)


@pytest.mark.parametrize("site", ["shared", pytest.param("sealed", marks=pytest.mark.matrix)])
def test_a_second_machine_goes_on_where_the_first_one_was(shared: Shared, aws_proxy: Proxy, site: str) -> None:
    shared.make_bucket()
    first, second = shared.machine("first", site), shared.machine("second", site)
    made = platform_of(first).ensure(core_of(first), silent)
    states = platform_of(second).stacks.states
    before = sealed(states.read("core") or {})
    assert before is not None
    assert before.provider == ("passphrase" if site == "shared" else f"awskms:///{shared.key}?region={REGION}")

    # A look borrows the key that lets machines in, and leaves nothing on this machine.
    seen = platform_of(second).observe("core")
    assert seen is not None
    key = (first.state_dir / "ssh" / "id_ed25519").read_bytes()
    borrowed = {endpoint.key for endpoint in seen.endpoints.values()}
    assert {path.read_bytes() for path in borrowed if path is not None} == {key}
    assert not second.state_dir.exists()

    aws_proxy.forget()
    again = platform_of(second).ensure(core_of(second), silent)
    assert again.resources == made.resources
    assert all(change.action is Action.KEEP for change in resource_changes(core_of(second), again))
    mutations = [name for name in aws_proxy.changing if f"/{shared.bucket}" not in name and "kms:" not in name]
    assert mutations == []
    assert (second.state_dir / "ssh" / "id_ed25519").read_bytes() == key
    # On a machine without the stack's settings the engine itself would seal the state anew, with a passphrase.
    assert sealed(states.read("core") or {}) == before
    assert len(states.copies("core")) == 1

    platform_of(second).destroy("core", delete_data=frozenset(), report=silent)
    assert platform_of(second).leftovers() == ()
    assert states.kept() == {}
    assert platform_of(first).observe("core") is None


def test_a_wrong_passphrase_is_told_and_nothing_is_changed(
    shared: Shared, aws_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.make_bucket()
    first, second = shared.machine("first", "shared"), shared.machine("second", "shared")
    platform_of(first).ensure(core_of(first), silent)
    monkeypatch.setenv("STATE_PASSPHRASE", "wrong")
    aws_proxy.forget()
    with pytest.raises(PreflightFailed) as caught:
        platform_of(second).ensure(core_of(second), silent)
    assert caught.value.message == (
        "the SSH key of site shared does not open with the passphrase: that is another one, or the secret was damaged"
    )
    assert caught.value.hint == "it was taken from state.passphrase: put the right one there"
    assert [name for name in aws_proxy.changing if f"/{shared.bucket}" not in name] == []


def test_a_bucket_that_is_not_there_stops_up_before_anything_is_touched(shared: Shared, aws_proxy: Proxy) -> None:
    session = shared.machine("first", "shared")
    aws_proxy.forget()
    with pytest.raises(PreflightFailed) as caught:
        platform_of(session).preflight((core_of(session),))
    assert caught.value.exit_code == ExitCode.PREFLIGHT_FAILED
    assert caught.value.message == f"the state's bucket {shared.bucket} does not exist"
    assert caught.value.hint == "`leptonctl state init SITE` makes it"
    assert aws_proxy.changing == {}
    assert not session.state_dir.exists()


def test_a_state_of_a_newer_leptonctl_and_a_held_lock_stop_up_before_anything_is_touched(
    shared: Shared, aws_proxy: Proxy
) -> None:
    shared.make_bucket()
    session = shared.machine("first", "shared")
    platform, store = platform_of(session), platform_of(session).stacks.states.store
    lock = ".pulumi/locks/organization/shared/core/1.json"
    told = b'{"pid": 1, "username": "ci", "hostname": "runner-7", "timestamp": "2026-01-01T00:00:00Z"}'
    store.write(lock, told)
    aws_proxy.forget()
    with pytest.raises(Locked) as locked:
        platform.preflight((core_of(session),))
    assert locked.value.message.startswith("core: its stack is locked by ci, pid 1 on runner-7, for ")
    assert locked.value.hint == (
        "wait for it to end; if that process is surely gone, `leptonctl state unlock SITE core` takes the lock away "
        f"(s3://{shared.bucket}/teams/tests/{lock})"
    )
    store.write("leptonctl/shared.json", b'{"format": 2, "leptonctl": "9.1.0"}')
    with pytest.raises(Refused, match=r"were written by leptonctl 9\.1\.0"):
        platform.preflight((core_of(session),))
    with pytest.raises(Refused, match=r"were written by leptonctl 9\.1\.0"):
        platform.ensure(core_of(session), silent)
    with pytest.raises(Refused, match=r"were written by leptonctl 9\.1\.0"):
        platform.destroy("core", delete_data=frozenset(), report=silent)
    assert set(aws_proxy.changing) == {f"s3:Put /{shared.bucket}/teams/tests/leptonctl/shared.json"}
    assert not session.state_dir.exists()


@pytest.mark.usefixtures("real_engine")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lock_that_a_kill_left_in_the_bucket_goes_by_its_own_machine_only(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.make_bucket()
    first, second = shared.machine("first", "shared"), shared.machine("second", "shared")
    states = platform_of(first).stacks.states
    # The double answers only that long after it has made one.
    monkeypatch.setenv(SLOW_VARIABLE, json.dumps({"aws:ec2/vpc:Vpc": 15}))
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    own = [{"Name": "tag:leptonctl:site", "Values": ["shared"]}]
    attempt = Attempt(platform_of(first), core_of(first))
    wait_for(lambda: ec2.describe_vpcs(Filters=own)["Vpcs"], limit_s=240)
    owner = states.locks("core")[0]
    os.kill(owner.pid, signal.SIGKILL)
    assert isinstance(attempt.end(), PlatformFailed)
    monkeypatch.delenv(SLOW_VARIABLE)
    assert states.locks("core") == (owner,)
    with pytest.raises(Locked):
        platform_of(second).ensure(core_of(second), silent)
    assert states.locks("core") == (owner,)
    made = platform_of(first).ensure(core_of(first), silent)
    assert all(change.action is Action.KEEP for change in resource_changes(core_of(first), made))
    assert states.locks("core") == ()
    assert len(ec2.describe_vpcs(Filters=own)["Vpcs"]) == 1
    gc.collect()
