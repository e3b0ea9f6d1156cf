"""A partial site: what is left of a file whose shape is wrong in places, so that the rules can look at the rest.

A location that is wrong is replaced by an empty one of the same name. What the rules then say counts only where it is
about a location that was kept, and about the whole site only where nothing was replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from leptonctl.sitefile.base import NAME_PATTERN
from leptonctl.sitefile.model import Site

if TYPE_CHECKING:
    from leptonctl.sitefile.findings import Finding, Path

_STUB: dict[str, object] = {"platform": "local"}


@dataclass(frozen=True, slots=True)
class Partial:
    """What is left, and which parts of the file were replaced."""

    site: Site
    replaced: frozenset[Path]
    lacks_regions: bool

    def is_clean(self, finding: Finding) -> bool:
        """Whether a rule's finding holds for the whole file too."""
        if finding.rule == "unknown-parent" and self.lacks_regions:
            return False
        part = _part(finding.path)
        return part not in self.replaced and (_is_location(part) or not self.replaced)


def partial_site(data: object, wrong: set[Path]) -> Partial | None:
    """The site without the parts that hold a wrong path; None where too little is left."""
    replaced = frozenset(_part(path) for path in wrong)
    if not isinstance(data, dict):
        return None
    regions, lacks_regions = _tier(data.get("regions"), "regions", replaced)
    # The section may be there under a name that nobody knows.
    has_unknown = any(len(part) == 1 and part[0] not in Site.model_fields for part in replaced)
    lacks_regions |= has_unknown and "regions" not in data
    edges, _ = _tier(data.get("edges"), "edges", replaced)
    kept = {
        "site": "x" if ("site",) in replaced else data.get("site", "x"),
        "owner": "x" if ("owner",) in replaced else data.get("owner", "x"),
        "software": {} if ("software",) in replaced else data.get("software", {}),
        "rollout": {} if ("rollout",) in replaced else data.get("rollout", {}),
        "core": _STUB if ("core",) in replaced else data.get("core", _STUB),
        "regions": regions,
        "edges": edges,
    }
    try:
        return Partial(Site.model_validate(kept), replaced, lacks_regions)
    except ValidationError:
        return None


def _part(path: Path) -> Path:
    """The location that a path is in, else its top-level section."""
    return path[:2] if path[:1] in {("regions",), ("edges",)} else path[:1]


def _is_location(part: Path) -> bool:
    return part == ("core",) or len(part) > 1


def _tier(section: object, name: str, replaced: frozenset[Path]) -> tuple[dict[object, object], bool]:
    """The locations of a tier, and whether some are missing."""
    if (name,) in replaced or not isinstance(section, dict):
        return {}, (name,) in replaced
    kept: dict[object, object] = {}
    for key, location in section.items():
        if (name, key) not in replaced:
            kept[key] = location
        elif isinstance(key, str) and re.search(NAME_PATTERN, key):
            kept[key] = {**_STUB, "parent": "x"} if name == "edges" else _STUB
    return kept, len(kept) < len(section)
