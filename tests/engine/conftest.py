"""What the AWS suite stands on: moto in this process, the provider double on PATH, and an engine.

The engine is the real one where it is found (LEPTONCTL_PULUMI, else `pulumi` on PATH); which one it was is printed in
the report's header.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.platforms.pulumi_engine import ENGINE_VARIABLE, find_engine
from tests.engine.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
STANDIN = (HERE / "standin" / "pulumi").resolve()
USED: dict[str, str] = {}
"""The engines that tests ran on, with their versions."""


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a moto that plays AWS for the whole session."""
    # Roles of clusters get policies of AWS's own, by name.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - heavy, and only what uses it shall wait for it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def aws(moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An account of its own on moto, for boto3 here and for the provider double; gives its address."""
    account_on(moto_url, monkeypatch, tmp_path)
    return moto_url


def account_on(moto_url: str, patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the environment lead to an account of its own on moto."""
    account = f"{secrets.randbelow(10**12):012d}"
    values = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": access_key_of(account, moto_url),
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in values.items():
        patch.setenv(name, value)
    # boto3 keeps the credentials that it found first.
    patch.setattr("boto3.DEFAULT_SESSION", None)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        patch.delenv(name, raising=False)


@pytest.fixture
def aws_proxy(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The same account behind a proxy that counts and disturbs."""
    proxy = Proxy(aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.start())
    yield proxy
    proxy.stop()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The engine's program, with the provider double on PATH: the real one where there is one, else the stand-in."""
    return engine_on_path(monkeypatch, tmp_path)


def engine_on_path(patch: pytest.MonkeyPatch, folder: Path) -> str:
    """Let the environment lead to an engine and to the provider double; gives the engine's program."""
    patch.setenv("PULUMI_HOME", str(folder / "pulumi-home"))
    patch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    patch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    # The double and the stand-in start as `python3`: with the libraries it is this one that they need.
    path = os.pathsep.join((str(HERE), str(Path(sys.executable).parent), os.environ["PATH"]))
    patch.setenv("PATH", path)
    if not os.environ.get(ENGINE_VARIABLE) and shutil.which("pulumi") is None:
        patch.setenv(ENGINE_VARIABLE, str(STANDIN))
    found = find_engine(os.environ)
    patch.setenv(ENGINE_VARIABLE, found.program)
    USED[found.program] = found.version
    return found.program


@pytest.fixture
def swept() -> Iterator[None]:
    """Let go here, under the test's own filter, of what the SDK leaves open where its engine fails or is killed."""
    yield
    gc.collect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which engine it was."""
    for program, version in USED.items():
        kind = "the stand-in, which is no evidence about the real engine," if is_standin(program) else "the real engine"
        terminalreporter.write_line(f"engine tests ran on {kind} {program} ({version})")


@pytest.fixture
def real_engine(engine: str) -> str:
    """The real engine; skips on the stand-in, which has no locks that outlive it and no pending operations."""
    if is_standin(engine):
        pytest.skip("not run: only the real engine can show this, and this one is the stand-in")
    return engine


def is_standin(program: str) -> bool:
    """Whether a program is the stand-in of this folder."""
    return Path(program).resolve() == STANDIN


def access_key_of(account: str, url: str) -> str:
    """An access key that moto counts to this account: asked for by taking a role in it."""
    import boto3  # noqa: PLC0415 - only where moto runs

    client = boto3.Session("test", "test", region_name="us-east-1").client("sts", endpoint_url=url)
    answer = client.assume_role(RoleArn=f"arn:aws:iam::{account}:role/tester", RoleSessionName="test")
    return str(answer["Credentials"]["AccessKeyId"])
