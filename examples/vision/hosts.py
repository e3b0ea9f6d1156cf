"""The hosts of the example's site, as an operator reaches them: by `leptonctl`, as a process."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEPTONCTL = Path(sys.executable).with_name("leptonctl")


class Failed(Exception):
    """A command did not end well; the message says which and how."""


@dataclass(frozen=True)
class Hosts:
    """One site file."""

    file: Path

    def run(self, verb: str, *arguments: str) -> None:
        """`leptonctl VERB`, with its talk on the terminal."""
        self._done([verb, str(self.file), *arguments], capture_output=False)

    def addresses(self) -> dict[str, str]:
        """How each host is reached, by its address in the site."""
        listed = json.loads(self._done(["inventory", str(self.file)]))
        return {name: values["ansible_host"] for name, values in listed["_meta"]["hostvars"].items()}

    def on(self, address: str, *command: str) -> str:
        """What a command prints on a host."""
        return self._done(["ssh", str(self.file), address, "--", *map(shlex.quote, command)]).decode()

    def started(self, address: str, *command: str) -> subprocess.Popen[bytes]:
        """A command that goes on on a host; what it prints is in `stdout`."""
        argv = [str(LEPTONCTL), "ssh", str(self.file), address, "--", *map(shlex.quote, command)]
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def send(self, address: str, folder: str, files: dict[str, Path | bytes]) -> None:
        """Files and folders into a folder of a host, by the name that each gets there."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, source in files.items():
                if isinstance(source, Path):
                    tar.add(source, arcname=name)
                else:
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = len(source), 0o644
                    tar.addfile(entry, io.BytesIO(source))
        self.on(address, "mkdir", "-p", folder)
        self._done(["ssh", str(self.file), address, "--", "tar", "-x", "-C", folder], stdin=packed.getvalue())

    def _done(self, argv: list[str], *, stdin: bytes = b"", capture_output: bool = True) -> bytes:
        more: dict[str, Any] = {"capture_output": True} if capture_output else {}
        done = subprocess.run([str(LEPTONCTL), *argv], input=stdin, check=False, **more)
        if done.returncode != 0:
            last = (done.stderr or b"").decode(errors="replace").strip().splitlines()[-5:]
            message = f"leptonctl {' '.join(argv)}: exit {done.returncode}: {' '.join(last)}"
            raise Failed(message)
        return done.stdout or b""
