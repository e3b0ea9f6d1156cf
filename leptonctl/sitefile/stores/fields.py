"""What the stores of several kinds are made of."""

from __future__ import annotations

from leptonctl.sitefile.effects import forbidden

OTHER_KIND = forbidden("a store keeps its kind", instead="add one beside it with another name, and copy the data")
