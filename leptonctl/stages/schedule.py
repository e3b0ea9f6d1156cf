"""Runs work over locations in dependency order, several at once, each only waiting for what it depends on."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Batch = tuple[str, ...]


def in_order(depends_on: Mapping[str, tuple[str, ...]], act: Callable[[Batch], None], *, slots: int) -> None:
    """Call `act` with every address once; an address comes after all that it depends on.

    Addresses that are ready together are dealt out over the free slots, so that at most `slots` calls run at a time and
    few calls serve many locations. `act` records its own failures; an exception from it stops the scheduling, is raised
    when the running calls have ended, and leaves the rest undone.
    """
    sorter = TopologicalSorter({name: [d for d in needs if d in depends_on] for name, needs in depends_on.items()})
    sorter.prepare()
    ready: list[str] = []
    running: dict[Future[None], Batch] = {}
    with ThreadPoolExecutor(max_workers=slots) as pool:
        try:
            while sorter.is_active():
                ready.extend(sorter.get_ready())
                for batch in _dealt(ready, slots - len(running)):
                    running[pool.submit(act, batch)] = batch
                ready = []
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    batch = running.pop(future)
                    future.result()
                    sorter.done(*batch)
        except BaseException:
            # Ctrl-C among them: what runs is brought to its end by its own worker, what waits is not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _dealt(ready: list[str], free: int) -> list[Batch]:
    """Deal `ready` into at most `free` batches of nearly equal size; into one, which queues, where none is free."""
    count = max(1, min(free, len(ready)))
    return [tuple(ready[index::count]) for index in range(count)] if ready else []
