"""A site of real local hosts: `leptonctl` is run as a user would, as a process."""

import json
import os
import subprocess
import sys
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
        command = [str(LEPTONCTL), *verb.split(), str(self.file), *arguments, *(("--output", output) if output else ())]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def up(self, *arguments: str) -> Answer:
        return self.run("up", "--yes", *arguments)

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
