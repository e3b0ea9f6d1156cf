"""A folder of this machine, served to the test's own hosts by HTTP while a test runs."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def served(folder: Path) -> Iterator[Callable[[str], str]]:
    """Give a function that tells the URL of a file, as hosts reach this machine by its own address."""
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "http.server", str(port), "--directory", str(folder)]
    with subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port), 30)
            yield lambda name: f"http://{_own_address()}:{port}/{name}"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _own_address() -> str:
    """The address that this machine has on its way to others; nothing is sent there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("198.51.100.1", 9))
        return str(one.getsockname()[0])
