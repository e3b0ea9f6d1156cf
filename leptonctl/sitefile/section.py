"""Section: a location's part of the site file as text, kept with what was made from it so that edits can be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leptonctl.sitefile.model import Location


def section_text(location: Location) -> str:
    """The section as JSON, with its defaults, the same for the same section. It holds references, never secrets."""
    return json.dumps(location.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
