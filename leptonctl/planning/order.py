"""Order: which locations may change together, and which wait for which."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def waves(depends_on: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The addresses in waves: each stands in the first wave after all that it depends on, in the order given.

    Dependencies outside of `depends_on` (left out by `--only`) count as done.
    """
    sorter = TopologicalSorter({name: [d for d in needs if d in depends_on] for name, needs in depends_on.items()})
    sorter.prepare()
    rank = {name: index for index, name in enumerate(depends_on)}
    found: list[tuple[str, ...]] = []
    while sorter.is_active():
        ready = tuple(sorted(sorter.get_ready(), key=rank.__getitem__))
        sorter.done(*ready)
        found.append(ready)
    return tuple(found)
