"""Runs Ansible once over hosts and the roles that they should have; the only module that imports ansible_runner.

What Ansible is given with secrets in it exists in memory only; its working files lie in a private folder that goes with
the run. What stays is the run's own folder: the log, the events and the inventory, each without secrets.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from leptonctl.assets import asset
from leptonctl.errors import ConfigurationFailed, Interrupted, PreflightFailed
from leptonctl.hosts import leash
from leptonctl.hosts.configured import Configured, Failure, HostConfigured, TaskRecord
from leptonctl.hosts.events import Event, EventReader, neutralised
from leptonctl.hosts.inventory import CONTROL_DIR_BYTES, inventory, write_inventory
from leptonctl.hosts.openssh import known_hosts_text
from leptonctl.hosts.secrets import Redactor, with_secrets

if TYPE_CHECKING:
    from leptonctl.hosts.target import Target
    from leptonctl.progress import Report

__all__ = ["Configured", "Failure", "HostConfigured", "TaskRecord", "configure"]

LOG = "ansible.log"
EVENTS = "events.jsonl"
_SOCKETS = "s"
_PRIVATE_PREFIX = "leptonctl-"
# What `tempfile` puts behind the prefix.
_RANDOM_LENGTH = 8
_TICK_S = 0.2
# An interrupted Ansible ends within seconds; one that does not is asked again, then killed.
_DEAF_AFTER_S = 15.0
_INTERRUPTS = 3
# All that Ansible gets of the operator's environment. The rest would let a site mean something else, or is secret.
_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TZ")


def configure(  # noqa: PLR0913 - each is one thing that the run needs, by name
    targets: Sequence[Target],
    *,
    folder: Path,
    report: Report,
    secrets: Mapping[str, str],
    forks: int = 10,
    is_cancelled: Callable[[], bool] = lambda: False,
    playbook: Path | None = None,
) -> Configured:
    """Run the roles of the targets, and say what became of each host; one failing host stops no other.

    `folder` must not exist; it is made 0700. `secrets` maps reference to value. When `is_cancelled` turns true, Ansible
    is interrupted once and waited for, and the hosts that it had not finished are failed. Raises Interrupted for a
    KeyboardInterrupt, ConfigurationFailed where Ansible could not be run, PreflightFailed where it is not installed.
    No process is left when this returns, raises, or is killed.
    """
    folder.mkdir(mode=0o700, parents=True)
    redact = Redactor.of(secrets.values())
    reader = EventReader(targets, redact)
    with private_folder() as private, _Kept(folder, redact) as kept:
        run = _Run(targets, secrets, folder=folder, private=private, forks=forks, playbook=playbook)

        def handle(event: Event) -> None:
            kept.keep(event)
            progress = reader.take(event)
            if progress is not None:
                report(progress)

        is_interrupted = run.watch(handle, is_cancelled)
    hosts = reader.hosts(is_interrupted=is_interrupted)
    if not reader.is_complete and not is_interrupted:
        raise ConfigurationFailed(
            f"Ansible ended before it had done anything: {kept.last_line or 'it said nothing'}",
            hint=f"its own words are in {folder / LOG}",
        )
    return Configured(hosts=hosts, log=folder / LOG)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of our own for sockets and working files, in memory where the machine has such a place."""
    for place in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm", "/tmp"):  # noqa: S108 - made there 0700, with a fresh name
        if place and _has_room_for_sockets(place) and os.access(place, os.W_OK | os.X_OK):
            private = Path(tempfile.mkdtemp(prefix=_PRIVATE_PREFIX, dir=place))
            break
    else:
        raise PreflightFailed(
            "no folder for working files can be written", hint="set XDG_RUNTIME_DIR, or make /tmp writable"
        )
    try:
        yield private
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _has_room_for_sockets(place: str) -> bool:
    """Whether the folder of sockets in a private folder made in `place` is as short as SSH needs it."""
    name = "x" * _RANDOM_LENGTH
    return len(os.fsencode(Path(place, _PRIVATE_PREFIX + name, _SOCKETS))) <= CONTROL_DIR_BYTES


class _Kept:
    """What stays of a run: every event and every line of output, without secrets, diffs and terminal escapes."""

    def __init__(self, folder: Path, redact: Redactor) -> None:
        self._redact = redact
        self._log = _open_private(folder / LOG)
        self._events = _open_private(folder / EVENTS)
        self.last_line = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        self._events.close()

    def keep(self, event: Event) -> None:
        """Append the event and what it shows."""
        shown = event.get("stdout")
        if isinstance(shown, str) and shown.strip():
            text = neutralised(self._redact(shown)).strip("\n")
            self._log.write(text + "\n")
            self._log.flush()
            self.last_line = text.strip().splitlines()[-1]
        data = event.get("event_data")
        if isinstance(data, Mapping) and data and event.get("event") != "runner_on_file_diff" and "diff" not in data:
            line = {"at": event.get("created"), "event": event.get("event"), **_without_diffs(data)}
            self._events.write(json.dumps(self._redact.value(line), default=str) + "\n")
            self._events.flush()


def _open_private(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def _without_diffs(data: Mapping[str, object]) -> dict[str, object]:
    result = data.get("res")
    if not isinstance(result, Mapping):
        return dict(data)
    kept = {key: value for key, value in result.items() if key != "diff"}
    parts = kept.get("results")
    if isinstance(parts, list):
        kept["results"] = [
            {key: value for key, value in part.items() if key != "diff"} if isinstance(part, Mapping) else part
            for part in parts
        ]
    return {**data, "res": kept}


@dataclass(slots=True)
class _Run:
    """One run of Ansible: what it is given, and the thread in which ansible-runner waits for it."""

    targets: Sequence[Target]
    secrets: Mapping[str, str]
    folder: Path
    private: Path
    forks: int
    playbook: Path | None

    def watch(self, handle: Callable[[Event], None], is_cancelled: Callable[[], bool]) -> bool:
        """Run to the end; whether it was interrupted. ansible-runner has no gentle way to stop, hence the leash."""
        fifo = self.private / "leash"
        os.mkfifo(fifo, 0o600)
        held = os.open(fifo, os.O_RDWR | os.O_CLOEXEC)
        memory = os.memfd_create("leptonctl-inventory", os.MFD_CLOEXEC)
        failures: list[BaseException] = []
        try:
            script = self._write_inventories(memory)
            thread = threading.Thread(target=self._run, args=(script, fifo, handle, failures), name="ansible")
            thread.start()
            is_interrupted = _wait(thread, held, is_cancelled)
        finally:
            os.close(held)
            os.close(memory)
        if failures:
            raise failures[0]
        return is_interrupted

    def _write_inventories(self, memory: int) -> Path:
        """Two inventories: one for people, with references in it, and one for Ansible, with secrets, in memory only."""
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text(known_hosts_text(target.endpoint for target in self.targets), encoding="utf-8")
        sockets = self.private / _SOCKETS
        sockets.mkdir(mode=0o700)
        write_inventory(
            inventory(self.targets, known_hosts=known_hosts, control_dir=sockets), self.folder / "inventory"
        )
        real = self.private / "inventory"
        real.mkdir(mode=0o700)
        # The program beside it prints this name: a file without a place on any disk, readable as long as we live.
        (real / "inventory.json").symlink_to(f"/proc/{os.getpid()}/fd/{memory}")
        resolved = [with_secrets(target, self.secrets) for target in self.targets]
        return write_inventory(inventory(resolved, known_hosts=known_hosts, control_dir=sockets), real)

    def _run(self, script: Path, fifo: Path, handle: Callable[[Event], None], failures: list[BaseException]) -> None:
        import ansible_runner  # noqa: PLC0415 - heavy
        from ansible_runner.config.runner import RunnerConfig  # noqa: PLC0415 - heavy

        def take(event: Event) -> bool:
            try:
                handle(event)
            except BaseException as error:  # noqa: BLE001 - ansible-runner would carry on as if nothing had happened
                failures.append(error)
            return False  # what is kept is kept by `_Kept`; ansible-runner's own copy would have secrets in it

        try:
            config = RunnerConfig(
                private_data_dir=str(self.private),
                playbook=str(self.playbook or asset("playbooks", "site.yml")),
                inventory=str(script),
                suppress_output_file=True,
                suppress_env_files=True,
                quiet=True,
                fact_cache_type="memory",
                settings={"pexpect_timeout": 1, "suppress_output_file": True, "suppress_ansible_output": True},
            )
            config.prepare()
            program = _ansible_playbook()
            config.command = [sys.executable, "-I", str(leash.__file__), str(fifo), str(program), *config.command[1:]]
            config.env = self._environment(config)
            ansible_runner.Runner(config=config, event_handler=take).run()
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            failures.append(error)

    def _environment(self, config: object) -> dict[str, str]:
        artifacts, prepared = config.artifact_dir, config.env  # type: ignore[attr-defined]
        return {
            **{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(asset("playbooks", "ansible.cfg")),
            "ANSIBLE_FORKS": str(self.forks),
            "ANSIBLE_HOME": str(self.private / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.private / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            # Only ansible-runner's own plug-in, which it put last, never those of the operator's environment.
            "ANSIBLE_CALLBACK_PLUGINS": prepared["ANSIBLE_CALLBACK_PLUGINS"].rpartition(":")[2],
            "ANSIBLE_STDOUT_CALLBACK": "awx_display",
            "AWX_ISOLATED_DATA_DIR": artifacts,
            "RUNNER_OMIT_EVENTS": "False",
            "RUNNER_ONLY_FAILED_EVENTS": "False",
        }


def _ansible_playbook() -> Path:
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        raise PreflightFailed(f"{program} is not there", hint="install leptonctl with its dependencies again")
    return program


def _wait(thread: threading.Thread, held: int, is_cancelled: Callable[[], bool]) -> bool:
    """Wait for Ansible; interrupt it where asked to, again where it goes on all the same. A second Ctrl-C kills it."""
    interrupted_at: list[float] = []
    is_by_key = False
    while thread.is_alive():
        try:
            thread.join(_TICK_S)
            is_deaf = bool(interrupted_at) and time.monotonic() - interrupted_at[-1] > _DEAF_AFTER_S
            if is_deaf or (not interrupted_at and is_cancelled()):
                # Ansible has moments in which it swallows one.
                _tell(held, b"i" if len(interrupted_at) < _INTERRUPTS else b"k")
                interrupted_at.append(time.monotonic())
        except KeyboardInterrupt:
            _tell(held, b"k" if interrupted_at else b"i")
            interrupted_at.append(time.monotonic())
            is_by_key = True
    if is_by_key:
        raise Interrupted("interrupted; Ansible has ended", hint="`leptonctl up` again goes on from here")
    return bool(interrupted_at)


def _tell(held: int, word: bytes) -> None:
    with suppress(OSError):
        os.write(held, word)
