from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import leptonctl.hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEASH = Path(leptonctl.hosts.__file__).parent / "leash.py"
HELD = """
import os, subprocess, sys
os.open(sys.argv[1], os.O_RDWR)
process = subprocess.Popen([sys.executable, "-I", *sys.argv[2:]])
print(process.pid, flush=True)
process.wait()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "private" / "leash"
    path.parent.mkdir()
    os.mkfifo(path)
    return path


@pytest.fixture
def held(fifo: Path) -> Iterator[int]:
    end = os.open(fifo, os.O_RDWR)
    try:
        yield end
    finally:
        os.close(end)


def run(fifo: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", str(LEASH), str(fifo), *command])


def until(condition: Callable[[], bool], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.usefixtures("held")
def test_the_status_of_the_command_is_passed_on(fifo: Path) -> None:
    assert run(fifo, "sh", "-c", "exit 7").wait(timeout=20) == 7


@pytest.mark.usefixtures("held")
def test_what_the_command_left_in_other_sessions_ends_with_it(fifo: Path, tmp_path: Path) -> None:
    script = (
        f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' & while ! [ -s {tmp_path}/pid ]; do sleep 0.02; done"
    )
    assert run(fifo, "sh", "-c", script).wait(timeout=20) == 0
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_an_interrupt_reaches_the_command_once_and_it_may_end_in_its_own_time(
    fifo: Path, held: int, tmp_path: Path
) -> None:
    script = (
        "import signal, sys, pathlib, time\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "signal.signal(signal.SIGINT, lambda *_: (log.open('a').write('i'), time.sleep(0.3), sys.exit(5)))\n"
        "log.write_text('ready ')\n"
        "signal.pause()\n"
    )
    process = run(fifo, sys.executable, "-c", script)
    until(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text() == "ready ")
    os.write(held, b"i")
    assert process.wait(timeout=20) == 5
    assert (tmp_path / "log").read_text() == "ready i"


def test_a_kill_ends_even_what_ignores_signals(fifo: Path, held: int, tmp_path: Path) -> None:
    script = f"trap '' TERM INT; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    process = run(fifo, "sh", "-c", script)
    until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    os.write(held, b"k")
    assert process.wait(timeout=20) == 128 + signal.SIGKILL
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_everything_ends_when_the_one_who_started_it_is_killed(fifo: Path, tmp_path: Path) -> None:
    script = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' & wait"
    starter = subprocess.Popen(
        [sys.executable, "-c", HELD, str(fifo), str(LEASH), str(fifo), "sh", "-c", script], stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    leash = int(starter.stdout.readline())
    starter.stdout.close()
    until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    starter.kill()
    starter.wait()
    until(lambda: not is_alive(int((tmp_path / "pid").read_text())) and not is_alive(leash))
    assert not fifo.parent.exists()
