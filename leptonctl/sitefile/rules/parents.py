"""Rules on the tree of locations: an edge belongs to a region of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.model import Site


def check_parents(site: Site) -> Iterator[Finding]:
    """The parent of each edge is there."""
    for name, edge in site.edges.items():
        if edge.parent not in site.regions:
            message = f"there is no region {quoted(edge.parent)}{did_you_mean(edge.parent, site.regions)}"
            known = ", ".join(list(site.regions)[:10])
            hint = f"regions of this file: {known}" if known else "describe the region under `regions`"
            yield Finding("unknown-parent", ("edges", name, "parent"), message, hint)
