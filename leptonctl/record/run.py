"""The run folder: what one execution of `up` or `down` was asked, planned, did, and came to."""

from __future__ import annotations

import json
import os
import secrets
import threading
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leptonctl.errors import ExitCode, LeptonError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leptonctl.progress import Progress

RUNS_KEPT = 50


@dataclass(frozen=True, slots=True)
class PastRun:
    """One line of `leptonctl runs`. `exit_code` is None for a run that is still going or was killed."""

    id: str
    verb: str
    started: str
    duration_s: float | None
    exit_code: int | None
    folder: str


class Run:
    """An open run folder, 0700: `run.json`, `plan.json`, `events.jsonl`, `result.json` and a folder a stage.

    Every line of `events.jsonl` is on disk before the next step begins, so that a killed run tells how far it came.
    """

    def __init__(self, state_dir: Path, verb: str) -> None:
        started = datetime.now(UTC)
        self.verb = verb
        self.started = started
        self.id = f"{started:%Y%m%dT%H%M%SZ}-{verb}-{secrets.token_hex(2)}"
        self.folder = state_dir / "runs" / self.id
        make_private(state_dir)
        self.folder.mkdir(mode=0o700, parents=True)
        self._lock = threading.Lock()
        self._events = (self.folder / "events.jsonl").open("a", encoding="utf-8")
        self.write(
            "run.json",
            {"id": self.id, "verb": verb, "started": started.isoformat(), "pid": os.getpid()},
        )
        _prune(state_dir)

    def write(self, name: str, value: object) -> Path:
        """Write `value` as JSON into the folder, whole or not at all."""
        path = self.folder / name
        write_json(path, value)
        return path

    def event(self, progress: Progress) -> None:
        """Append one thing that happened."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(), **asdict(progress)})
        with self._lock:
            self._events.write(line + "\n")
            self._events.flush()

    def close(self) -> None:
        """Close the event file."""
        self._events.close()


@contextmanager
def open_run(state_dir: Path, verb: str) -> Iterator[Run]:
    """Open a run folder; whatever ends the run is written into it. An unexpected error leaves its traceback there."""
    run = Run(state_dir, verb)
    try:
        yield run
    except LeptonError as error:
        run.write("result.json", _failure(run, error.message, error.exit_code))
        raise
    except Exception as error:
        path = run.folder / "traceback.txt"
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        run.write("result.json", _failure(run, str(error), ExitCode.BUG))
        raise LeptonError(
            f"this is a bug in leptonctl: {type(error).__name__}: {error}",
            hint=f"the traceback is in {path}; please report it",
        ) from error
    finally:
        run.close()


def _failure(run: Run, message: str, code: ExitCode) -> dict[str, object]:
    took = (datetime.now(UTC) - run.started).total_seconds()
    return {
        "verb": run.verb,
        "ok": False,
        "exit_code": int(code),
        "message": message,
        "durations_s": {"total": round(took, 3)},
    }


def make_private(state_dir: Path) -> None:
    """Make the state folder (0700), kept out of git by a file of its own."""
    top = state_dir.parent
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = top / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    state_dir.mkdir(mode=0o700, exist_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write JSON to `path`, 0600, whole or not at all (a temporary file beside it, synced, then renamed)."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, default=str)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def past_runs(state_dir: Path) -> tuple[PastRun, ...]:
    """The runs whose folders are there, newest first; a folder that can't be read is left out."""
    found: list[PastRun] = []
    for folder in sorted((state_dir / "runs").glob("*"), reverse=True):
        begun = _read(folder / "run.json")
        if begun is None:
            continue
        ended = _read(folder / "result.json") or {}
        found.append(
            PastRun(
                id=str(begun["id"]),
                verb=str(begun["verb"]),
                started=str(begun["started"]),
                duration_s=ended.get("durations_s", {}).get("total"),
                exit_code=ended.get("exit_code"),
                folder=str(folder),
            )
        )
    return tuple(found)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _prune(state_dir: Path) -> None:
    """Remove the oldest run folders beyond the number that is kept."""
    import shutil  # noqa: PLC0415 - only where there is something to remove

    for folder in sorted((state_dir / "runs").glob("*"), reverse=True)[RUNS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
