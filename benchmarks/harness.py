"""Measures commands against each other: interleaved runs, medians of wall time, CPU time and peak memory.

A benchmark is a script beside this file that has a `GOAL` and exits with `verdict(ratio, GOAL)`. It prints; it writes
no file that outlives it. `make bench NAME=help_start` runs one of them, `make bench` all, into RESULTS.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launch.py")
_STDERR_LINES = 10


class CommandFailed(Exception):
    """A measured command did not exit with 0: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of one command's runs.

    `cpu_s` is user and system time of the command and of the children that it waited for; `peak_mib` is the peak of the
    largest single process among them, in MiB. `fastest_s` and `slowest_s` are wall times.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float
    fastest_s: float
    slowest_s: float
    runs: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one command: wall and CPU seconds, and the peak of its largest process in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def tool(name: str) -> str:
    """The path of a command that is installed beside this Python (`leptonctl`, `ansible`)."""
    return str(Path(sys.executable).with_name(name))


def interleaved(
    commands: Mapping[str, Sequence[str]],
    *,
    runs: int = 5,
    warm_up_runs: int = 1,
    env: Mapping[str, str] | None = None,
    is_shown: bool = True,
) -> dict[str, Measured]:
    """Run every command `runs` times in turn (a b a b ...), print a table if `is_shown`, and give the medians by name.

    In turn, so that whatever else the machine does falls on all of them alike. `warm_up_runs` rounds come first and are
    not counted: they fill the page cache and write `.pyc` files. `env` is added to this process's environment.
    Raises `CommandFailed` where a command exits with anything but 0.
    """
    for _ in range(warm_up_runs):
        for command in commands.values():
            run(command, env=env)
    taken: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(run(command, env=env))
    measured = {name: medians(of_one) for name, of_one in taken.items()}
    if is_shown:
        print_table(measured)
    return measured


def print_table(measured: Mapping[str, Measured]) -> None:
    """Print the figures, one command a line, as a Markdown table."""
    width = max(len("command"), *map(len, measured))
    print(f"| {'command':{width}} | wall s | fastest | slowest |  CPU s | peak MiB | runs |")
    print(f"| {'-' * width} | -----: | ------: | ------: | -----: | -------: | ---: |")
    for name, one in measured.items():
        print(
            f"| {name:{width}} | {one.wall_s:6.3f} | {one.fastest_s:7.3f} | {one.slowest_s:7.3f} "
            f"| {one.cpu_s:6.3f} | {one.peak_mib:8.1f} | {one.runs:4d} |"
        )


def verdict(ratio: float, goal: float) -> int:
    """Print `ratio 0.31 goal 0.40` as the last line; 0 where the goal is met, 1 where it is missed."""
    sys.stdout.flush()
    digits = 2 if goal >= 0.1 else 3  # noqa: PLR2004  a goal of 0.03 needs the third place to be told from 0.034
    print(f"ratio {ratio:.{digits}f} goal {goal:.{digits}f}")
    return 0 if ratio <= goal else 1


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Run:
    """Run a command once. Raises `CommandFailed` where it exits with anything but 0."""
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as reports, tempfile.TemporaryFile() as stderr:
        try:
            subprocess.run(
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(write_fd), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**_environment(), **(env or {})},
                pass_fds=[write_fd],
                check=False,
            )
        finally:
            os.close(write_fd)
        text = reports.read()
        report: dict[str, float] = json.loads(text) if text else {}
        if report.get("exit_status") != 0:
            stderr.seek(0)
            last_lines = stderr.read().decode(errors="replace").splitlines()[-_STDERR_LINES:]
            ending = f"exit {report['exit_status']}" if report else "could not be started"
            raise CommandFailed("\n".join([f"{' '.join(command)}: {ending}", *last_lines]))
    return Run(wall_s=report["wall_s"], cpu_s=report["cpu_s"], peak_mib=report["peak_kib"] / 1024)


def _environment() -> dict[str, str]:
    """That of this process, but as on an operator's machine, where a program is compiled once and not at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def medians(runs: Sequence[Run]) -> Measured:
    """The medians of one command's runs."""
    walls = [run.wall_s for run in runs]
    return Measured(
        wall_s=median(walls),
        cpu_s=median(run.cpu_s for run in runs),
        peak_mib=median(run.peak_mib for run in runs),
        fastest_s=min(walls),
        slowest_s=max(walls),
        runs=len(runs),
    )
