"""The engine's installation, with a fake of the vendor's script in the place where the SDK would fetch it."""

from __future__ import annotations

import gc
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pulumi.automation import _cmd

from leptonctl.errors import ExitCode, PreflightFailed
from leptonctl.platforms.pulumi_engine import Engine, put_hint
from leptonctl.platforms.pulumi_install import install_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FAKE = Path(__file__).parent / "fake_engine" / "install.sh"


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Let go here, under this file's own filter, of the file that the SDK leaves open where it cannot fetch."""
    yield
    gc.collect()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_DATA_HOME": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the SDK fetches; it gets the fake script for each."""
    found: list[str] = []

    def download(url: str, path: str) -> None:
        found.append(url)
        shutil.copyfile(FAKE, path)

    monkeypatch.setattr(_cmd, "_download_to_file", download)
    return found


def own(environ: dict[str, str]) -> Path:
    return Path(environ["XDG_DATA_HOME"]) / "leptonctl" / "engine" / "bin" / "pulumi"


def hint(environ: dict[str, str]) -> str:
    return put_hint(environ, "then run this again")


def test_the_pinned_engine_is_fetched_once_into_leptonctls_own_folder(
    environ: dict[str, str], fetched: list[str]
) -> None:
    engine = install_engine(environ)
    assert engine == Engine(str(own(environ)), "3.260.0")
    assert install_engine(environ) == engine
    assert fetched == ["https://get.pulumi.com/install.sh"]
    assert [path.name for path in own(environ).parents[2].iterdir()] == ["engine"]


def test_another_version_that_is_there_is_replaced(environ: dict[str, str], fetched: list[str]) -> None:
    path = own(environ)
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\necho v3.200.0\n")
    path.chmod(stat.S_IRWXU)
    assert install_engine(environ).version == "3.260.0"
    assert len(fetched) == 1


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "FAKE_VERSION",
            "3.261.0",
            "the engine that was fetched says it is version 3.261.0, and 3.260.0 was asked for; it was thrown away",
        ),
        (
            "FAKE_VERSION",
            "4.0.0",
            "the engine that was fetched does not run, and 3.260.0 was asked for; it was thrown away",
        ),
        ("FAKE_FAILS", "yes", "pulumi 3.260.0 could not be fetched: error: failed to download pulumi 3.260.0"),
    ],
)
@pytest.mark.usefixtures("fetched")
def test_what_does_not_fit_is_thrown_away_and_the_former_engine_stays(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    path = own(environ)
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\necho v3.250.0\n")
    path.chmod(stat.S_IRWXU)
    monkeypatch.setenv(variable, value)
    with pytest.raises(PreflightFailed) as caught:
        install_engine(environ)
    assert (caught.value.message, caught.value.hint) == (message, hint(environ))
    assert "v3.250.0" in path.read_text()
    assert [path.name for path in path.parents[2].iterdir()] == ["engine"]


def test_without_internet_it_says_what_to_put_where(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # A closed port of the loopback: what a proxy that is not there answers, without a look outside.
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(PreflightFailed) as caught:
        install_engine(environ)
    assert caught.value.exit_code == ExitCode.PREFLIGHT_FAILED
    assert caught.value.message == (
        "pulumi 3.260.0 could not be fetched: <urlopen error [Errno 111] Connection refused>"
    )
    assert caught.value.hint == hint(environ)
    assert list(own(environ).parents[2].iterdir()) == []
