"""Talk: what is said on stderr while a verb works. Live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from typing import TYPE_CHECKING

from leptonctl.progress import Progress, Report, silent
from leptonctl.render.text import literal

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_LASTING = {"started", "done", "failed", "warning"}


def talk(*, level: str, output: str) -> Report:
    """Give the reporter for `--log-level`: silent, plain lines, or live lines where stderr is a terminal."""
    if level == "quiet":
        return silent
    if sys.stderr.isatty() and output == "text" and level == "normal":
        return LiveTalk()
    return PlainTalk(is_verbose=level == "verbose")


class PlainTalk:
    """One line for each thing that begins, ends or fails; with `is_verbose` one for each step too."""

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._begun = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        """Say it."""
        if not is_lasting(progress) and not self._is_verbose:
            return
        with self._lock:
            sys.stderr.write(f"{time.monotonic() - self._begun:6.1f}s {_line(progress)}\n")
            sys.stderr.flush()


class LiveTalk:
    """A line a location or host that shows what it is doing now; what is done or failed stays above."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._now: dict[str, str] = {}
        self._live: Live | None = None

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        with self._lock:
            live = self._start()
            if is_lasting(progress):
                style = {"failed": "red", "warning": "yellow"}.get(progress.state)
                live.console.print(
                    f"{time.monotonic() - self._begun:6.1f}s {_line(progress)}", style=style, soft_wrap=True
                )
            if progress.state in {"done", "failed"} and progress.role is None:
                self._now.pop(progress.address, None)
            elif not is_lasting(progress):
                self._now[progress.address] = _line(progress)
            live.update(self._view())

    def _start(self) -> Live:
        if self._live is None:
            from rich.console import Console  # noqa: PLC0415 - heavy
            from rich.live import Live  # noqa: PLC0415 - heavy

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            self._live = Live(console=console, refresh_per_second=8, transient=True, redirect_stdout=False)
            self._live.start()
            atexit.register(self.close)
            _SHOWN.append(self)
        return self._live

    def close(self) -> None:
        """Take the live lines off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._now.clear()

    def _view(self) -> Table:
        from rich.table import Table  # noqa: PLC0415 - heavy
        from rich.text import Text  # noqa: PLC0415 - heavy

        table = Table.grid()
        shown = list(self._now.values())
        for line in shown[:_ROWS]:
            table.add_row(Text("  " + line, style="dim", overflow="ellipsis", no_wrap=True))
        if len(shown) > _ROWS:
            table.add_row(Text(f"  and {len(shown) - _ROWS} more", style="dim"))
        return table


_ROWS = 20
# The terminal is one: what is live on it has to be taken off before anything else is printed.
_SHOWN: list[LiveTalk] = []


def settle() -> None:
    """Take live lines off the screen, before a result or an error is printed."""
    while _SHOWN:
        _SHOWN.pop().close()


def is_lasting(progress: Progress) -> bool:
    """Whether it stays on the screen and in a log: what was made, ended or failed, but not each task of a role."""
    return progress.state in _LASTING or (progress.stage != "configure" and progress.is_changed)


def _line(progress: Progress) -> str:
    role = f" {progress.role}" if progress.role else ""
    mark = {"failed": "FAILED ", "warning": "note: "}.get(progress.state, "")
    task = f"{progress.task}: " if progress.task else ""
    return literal(f"{progress.address}{role}: {mark}{task}{progress.message}")
