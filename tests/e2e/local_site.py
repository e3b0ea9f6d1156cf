"""A site of real local hosts: `leptonctl` is run as a user would, as a process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEPTONCTL = Path(sys.executable).with_name("leptonctl")


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it printed; `result` is its JSON."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    def host(self, address: str) -> dict[str, Any]:
        return next(
            host for location in self.result["locations"] for host in location["hosts"] if host["address"] == address
        )

    def problems(self) -> list[tuple[str, str]]:
        return [(problem["where"], problem["message"]) for problem in self.result["problems"]]


@dataclass(frozen=True)
class Site:
    """A site file in a folder of its own, whose state lies beside it."""

    name: str
    file: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, verb: str, *arguments: str, output: str = "json") -> Answer:
        """Run `leptonctl VERB SITE ARGUMENTS` to its end."""
        done = subprocess.run(
            self._command(verb, *arguments, output=output), capture_output=True, check=False, **self._as_in_ci()
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def run_and_react(self, verb: str, *arguments: str, react: Callable[[str], None]) -> Answer:
        """As `run`; `react` is called with each line of what it says on stderr, while it goes on."""
        said = []
        with (
            tempfile.TemporaryFile("w+") as printed,
            subprocess.Popen(
                self._command(verb, *arguments, output="json"),
                stdout=printed,
                stderr=subprocess.PIPE,
                **self._as_in_ci(),
            ) as process,
        ):
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line)
                react(line)
            exit_code = process.wait()
            printed.seek(0)
            return Answer(exit_code, printed.read(), "".join(said))

    def up(self, *arguments: str) -> Answer:
        return self.run("up", "--yes", *arguments)

    def _command(self, verb: str, *arguments: str, output: str) -> list[str]:
        return [str(LEPTONCTL), *verb.split(), str(self.file), *arguments, *(("--output", output) if output else ())]

    def _as_in_ci(self) -> dict[str, Any]:
        """Nobody to ask, and the environment of this site."""
        return {"text": True, "env": {**os.environ, **self.environ}, "stdin": subprocess.DEVNULL}

    def on(self, address: str, *command: str) -> str:
        """Run a command on a host, past leptonctl: by podman, as its administrator would at the console."""
        done = subprocess.run(
            ["podman", "exec", self.container(address), *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command} on {address}: {done.stderr}"
        return done.stdout

    def container(self, address: str) -> str:
        location, _, host = address.rpartition("/")
        return f"lepton-{self.name}.{location.replace('/', '-')}.{host}"

    def podman(self, *arguments: str) -> str:
        """Ask podman about this site's own objects."""
        return podman(*arguments, f"--filter=label=leptonctl.site={self.name}")

    def objects(self) -> list[str]:
        """Everything that carries the site's mark."""
        return [
            *self.podman("ps", "--all", "--format", "{{.Names}}").split(),
            *self.podman("network", "ls", "--format", "{{.Name}}").split(),
            *self.podman("volume", "ls", "--format", "{{.Name}}").split(),
        ]

    def configured_runs(self) -> list[str]:
        """The run folders in which Ansible was started, oldest first."""
        runs = self.file.parent / ".leptonctl" / self.name / "runs"
        return sorted(folder.parent.name for folder in runs.glob("*/configure-1"))


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"podman {arguments}: {done.stderr}"
    return done.stdout


def processes_with(text: str) -> list[int]:
    """The processes whose command line or environment names `text`, without this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if text in (folder / "cmdline").read_bytes().decode(errors="replace"):
                    found.append(int(folder.name))
            except OSError:
                continue
    return found
