from __future__ import annotations

import os
import platform
import stat
import threading
from pathlib import Path

import pytest

from leptonctl.errors import Interrupted, PreflightFailed
from leptonctl.platforms.pulumi_engine import Engine, EngineCommand, EngineOutput, find_engine, find_provider

FAKES = Path(__file__).parent / "fake_engine"


def program(folder: Path, text: str) -> Path:
    """A fake of the engine that says `text` whatever it is asked."""
    path = folder / "bin" / "pulumi"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def put(home: Path, more: str) -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return (
        "with internet: `leptonctl doctor --install-engine`; without: unpack "
        f"pulumi-v3.260.0-linux-{machine}.tar.gz of the vendor's releases so that the program is "
        f"{home}/leptonctl/engine/bin/pulumi (or anywhere on PATH), {more}; "
        "versions from 3.206.0 and below 4 are accepted; `validate` and `plan` work without it"
    )


def test_a_missing_engine_is_told_with_the_place_where_it_goes(tmp_path: Path) -> None:
    with pytest.raises(PreflightFailed) as caught:
        find_engine({"PATH": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)})
    own = f"{tmp_path}/leptonctl/engine/bin/pulumi"
    assert caught.value.message == f"the engine `pulumi` is missing (looked on PATH and for {own})"
    assert caught.value.hint == put(tmp_path, "then run this again")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("v3.150.2", "is version 3.150.2; at least 3.206.0 is needed"),
        ("v4.0.0", "is version 4.0.0; leptonctl works with major version 3"),
        ("hello", "is no pulumi: asked for its version it said 'hello'"),
    ],
)
def test_an_engine_that_does_not_fit_is_refused(tmp_path: Path, said: str, message: str) -> None:
    path = program(tmp_path, said)
    with pytest.raises(PreflightFailed) as caught:
        find_engine({"PATH": str(path.parent), "XDG_DATA_HOME": str(tmp_path / "data")})
    assert caught.value.message == f"{path} {message}"
    assert (caught.value.hint or "").startswith("with internet: `leptonctl doctor --install-engine`; without: unpack ")


@pytest.mark.parametrize(
    ("mode", "why"), [(0o644, "[Errno 13] Permission denied"), (None, "[Errno 2] No such file or directory")]
)
def test_an_engine_that_cannot_be_started_is_told_with_the_reason(tmp_path: Path, mode: int | None, why: str) -> None:
    path = program(tmp_path, "v3.260.0")
    path.unlink() if mode is None else path.chmod(mode)
    with pytest.raises(PreflightFailed) as caught:
        find_engine({"LEPTONCTL_PULUMI": str(path), "PATH": os.defpath, "XDG_DATA_HOME": str(tmp_path)})
    assert caught.value.message == f"the engine {path} could not be started: {why}: '{path}'"
    assert caught.value.hint == put(tmp_path, "or name another program in LEPTONCTL_PULUMI")


def test_the_named_engine_comes_before_the_one_on_path_and_that_before_our_own(tmp_path: Path) -> None:
    named = program(tmp_path / "named", "v3.260.0")
    on_path = program(tmp_path / "path", "v3.261.0")
    own = program(tmp_path / "data" / "leptonctl" / "engine", "v3.262.0")
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    paths = {"PATH": f"{on_path.parent}:{os.defpath}"}
    assert find_engine({**data, **paths, "LEPTONCTL_PULUMI": str(named)}) == Engine(str(named), "3.260.0")
    assert find_engine({**data, **paths}) == Engine(str(on_path), "3.261.0")
    assert find_engine({**data, "PATH": os.defpath}) == Engine(str(own), "3.262.0")


def test_a_missing_plug_in_is_told_with_both_ways_to_get_it(tmp_path: Path) -> None:
    engine = Engine(str(tmp_path / "bin" / "pulumi"), "3.260.0")
    environ = {"PATH": str(tmp_path), "PULUMI_HOME": str(tmp_path / "home")}
    with pytest.raises(PreflightFailed) as caught:
        find_provider(engine, environ, "7.51.1")
    place = f"{tmp_path}/home/plugins/resource-aws-v7.51.1"
    looked = f"on PATH, beside {engine.program} and in {place}"
    assert caught.value.message == f"the engine's plug-in `pulumi-resource-aws` is missing (looked {looked})"
    assert caught.value.hint == (
        f"with internet: `{engine.program} plugin install resource aws v7.51.1`; without: unpack "
        f"pulumi-resource-aws-v7.51.1-linux-amd64.tar.gz of the vendor's releases into {place}"
    )


class EndedBadlyError(Exception):
    """How the engine ended."""

    def __init__(self, output: EngineOutput) -> None:
        super().__init__(str(output))
        self.code = output.code


def command(name: str) -> EngineCommand:
    return EngineCommand(Engine(str(FAKES / name), "3.260.0"), version=None, make_error=EndedBadlyError)


def test_interrupt_sends_exactly_one_signal_and_waits_for_the_end(tmp_path: Path) -> None:
    found: list[int] = []
    told = threading.Event()
    own = command("counts-signals")

    def run() -> None:
        try:
            own.run(["up"], str(tmp_path), {"COUNT_FILE": str(tmp_path / "count")}, lambda _: told.set())
        except EndedBadlyError as error:
            found.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    assert told.wait(30)
    own.interrupt()
    own.interrupt()
    thread.join(30)
    assert not thread.is_alive()
    assert (tmp_path / "count").read_text() == "INT\n"
    assert found == [1]


def test_after_an_interrupt_nothing_that_changes_is_started(tmp_path: Path) -> None:
    own = command("says-its-arguments")
    own.interrupt()
    with pytest.raises(Interrupted):
        own.run(["destroy", "--yes"], str(tmp_path), {})
    assert own.run(["stack", "export"], str(tmp_path), {}).stdout == "--non-interactive stack export"


def test_the_engine_stands_in_a_session_of_its_own(tmp_path: Path) -> None:
    done = command("says-its-session").run(["version"], str(tmp_path), {})
    assert int(done.stdout) != os.getsid(0)
