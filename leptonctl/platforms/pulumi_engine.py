"""The engine: where the `pulumi` program is, whether it fits, how it is started, and how it is asked to end.

It runs in a session of its own: Ctrl-C in the terminal does not reach it, so that it never gets more than the one
SIGINT that is sent on purpose. One lets it end what was begun; after a second one nobody knows how operations ended.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.errors import Interrupted, PreflightFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from leptonctl.platforms.pulumi_locks import Engines

ENGINE_VARIABLE = "LEPTONCTL_PULUMI"
MINIMUM = (3, 206, 0)
"""The first version that streams its events over gRPC, which is how progress is followed."""
PINNED = "3.260.0"
PROVIDER = "pulumi-resource-aws"
_BEAT_S = 5
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_CHANGING = frozenset({"up", "refresh", "destroy"})
_LOCKING = _CHANGING | {"init", "import", "rm"}


@dataclass(frozen=True, slots=True)
class Engine:
    """A `pulumi` program that fits."""

    program: str
    version: str


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """What the engine printed and how it ended; the names are those that the SDK reads."""

    stdout: str
    stderr: str
    code: int

    def __str__(self) -> str:
        """What was printed, errors last: the SDK makes its own errors' texts from it."""
        return f"{self.stdout}\n{self.stderr}"


def own_folder(environ: Mapping[str, str]) -> Path:
    """The folder where leptonctl looks for an engine of its own: the program is `bin/pulumi` in it."""
    data = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "leptonctl" / "engine"


def find_engine(environ: Mapping[str, str]) -> Engine:
    """The engine named by LEPTONCTL_PULUMI, on PATH, or in leptonctl's own folder; the first of them that is there.

    Raises `PreflightFailed` where there is none, or it is too old, or of another major version.
    """
    own = own_folder(environ) / "bin" / "pulumi"
    named = environ.get(ENGINE_VARIABLE)
    program = named or shutil.which("pulumi", path=environ.get("PATH")) or (str(own) if own.exists() else None)
    if program is None:
        raise PreflightFailed(
            f"the engine `pulumi` is missing (looked on PATH and for {own})",
            hint=put_hint(environ, "then run this again"),
        )
    text = _version_of(program, environ)
    found = _VERSION.match(text)
    if found is None:
        raise PreflightFailed(
            f"{program} is no pulumi: asked for its version it said {text[:80]!r}",
            hint=put_hint(environ, f"or name the right program in {ENGINE_VARIABLE}"),
        )
    version = tuple(int(part) for part in found.groups())
    if version[0] != MINIMUM[0]:
        raise PreflightFailed(
            f"{program} is version {_dotted(version)}; leptonctl works with major version {MINIMUM[0]}",
            hint=put_hint(environ, f"or name another program in {ENGINE_VARIABLE}"),
        )
    if version < MINIMUM:
        raise PreflightFailed(
            f"{program} is version {_dotted(version)}; at least {_dotted(MINIMUM)} is needed",
            hint=put_hint(environ, f"or name another program in {ENGINE_VARIABLE}"),
        )
    return Engine(program, _dotted(version))


def find_provider(engine: Engine, environ: Mapping[str, str], version: str) -> str:
    """The provider plug-in: on PATH, beside the engine, or in Pulumi's own folder of plug-ins.

    Raises `PreflightFailed` where it is not there: nothing is downloaded in the middle of a run.
    """
    beside = str(Path(engine.program).parent)
    path = os.pathsep.join((beside, environ.get("PATH", os.defpath)))
    on_path = shutil.which(PROVIDER, path=path)
    if on_path is not None:
        return on_path
    home = Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    place = home / "plugins" / f"resource-aws-v{version}"
    if (place / PROVIDER).exists():
        return str(place / PROVIDER)
    raise PreflightFailed(
        f"the engine's plug-in `{PROVIDER}` is missing (looked on PATH, beside {engine.program} and in {place})",
        hint=f"with internet: `{engine.program} plugin install resource aws v{version}`; without: unpack "
        f"{PROVIDER}-v{version}-linux-amd64.tar.gz of the vendor's releases into {place}",
    )


class EngineCommand:
    """How the SDK starts the engine. After `interrupt`, what runs ends well and nothing that changes is started.

    `engines` remembers the processes that take a lock until they have ended well.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        version: object,
        make_error: Callable[[EngineOutput], Exception],
        engines: Engines | None = None,
    ) -> None:
        self._engines = engines
        self.command = engine.program
        self.version = version
        self._make_error = make_error
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()
        self._is_interrupted = False

    def interrupt(self) -> None:
        """Send one SIGINT to every engine that runs, the first time; later calls do nothing."""
        with self._lock:
            if self._is_interrupted:
                return
            self._is_interrupted = True
            for process in self._running.values():
                process.send_signal(signal.SIGINT)

    @property
    def is_interrupted(self) -> bool:
        """Whether the engine was asked to end."""
        return self._is_interrupted

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> EngineOutput:
        """Run the engine to its end. Raises what `make_error` makes of an end that is not good."""
        words = args if "--non-interactive" in args else ["--non-interactive", *args]
        beside = str(Path(self.command).parent)
        path = os.pathsep.join((beside, os.environ.get("PATH", os.defpath)))
        environment = {**os.environ, "PATH": path, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with self._lock:
            if self._is_interrupted and _CHANGING & set(args):
                raise Interrupted("interrupted before the engine was started", hint="run it again to go on from here")
            process = subprocess.Popen(
                [self.command, *words],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            if _CHANGING & set(args):
                self._running[process.pid] = process
        is_noted = self._engines is not None and bool(_LOCKING & set(args))
        if self._engines is not None and is_noted:
            self._engines.begun(process.pid)
        try:
            stdout, stderr = _Lines(process.stdout, on_output), _Lines(process.stderr, on_error)
            code = self._end_of(process, is_noted=is_noted)
            output = EngineOutput(stdout.text(), stderr.text(), code)
        finally:
            with self._lock:
                self._running.pop(process.pid, None)
        if code != 0:
            raise self._make_error(output)
        if self._engines is not None and is_noted:
            self._engines.ended(process.pid)
        return output

    def _end_of(self, process: subprocess.Popen[str], *, is_noted: bool) -> int:
        """Wait for the end; until then, note every few seconds that it is at work."""
        while True:
            try:
                return process.wait(_BEAT_S)
            except subprocess.TimeoutExpired:
                if self._engines is not None and is_noted:
                    self._engines.alive(process.pid)


class _Lines:
    """Reads a pipe to its end in a thread of its own, so that neither pipe ever fills up."""

    def __init__(self, pipe: IO[str] | None, tell: Callable[[str], object] | None) -> None:
        self._pipe = pipe
        self._tell = tell
        self._kept: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """All of it, once the pipe has ended."""
        self._thread.join()
        return "\n".join(self._kept)

    def _read(self) -> None:
        if self._pipe is None:
            return
        with self._pipe as lines:
            for line in lines:
                self._kept.append(line.rstrip())
                if self._tell is not None:
                    self._tell(line.rstrip())


def _version_of(program: str, environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [program, "version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired) as broken:
        raise PreflightFailed(
            f"the engine {program} could not be started: {broken}",
            hint=put_hint(environ, f"or name another program in {ENGINE_VARIABLE}"),
        ) from broken
    return done.stdout.strip() or done.stderr.strip()


def put_hint(environ: Mapping[str, str], more: str) -> str:
    """Which file to put where, for a machine without internet, and which versions are accepted."""
    own = own_folder(environ)
    return (
        f"with internet: `leptonctl doctor --install-engine`; without: unpack {_archive()} of the vendor's releases so "
        f"that the program is {own / 'bin' / 'pulumi'} (or anywhere on PATH), {more}; versions from {_dotted(MINIMUM)} "
        f"and below {MINIMUM[0] + 1} are accepted; `validate` and `plan` work without it"
    )


def _archive() -> str:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine())
    return f"pulumi-v{PINNED}-{platform.system().lower()}-{machine}.tar.gz"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
