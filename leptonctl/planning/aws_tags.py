"""The tags that everything on AWS carries from its first moment: what is found by them is the record."""

from __future__ import annotations

import re

SITE = "leptonctl:site"
LOCATION = "leptonctl:location"
OWNER = "leptonctl:owner"
MANAGED = "leptonctl:managed-by"
ADDRESS = "leptonctl:address"
ROLE = "leptonctl:kind"
GROUP = "leptonctl:group"
HOST = "leptonctl:host"
"""Of a host that the site file names; the hosts of a scaling group have none."""
ZONE = "leptonctl:zone"
"""Of a host: the number of its zone among the location's, from 0."""
STORE = "leptonctl:store"
HOST_KEY = "leptonctl:host-key"
NAME = "Name"
EVERYWHERE = (SITE, LOCATION, OWNER, MANAGED, ADDRESS, ROLE, NAME)
"""The tags that no taggable resource lacks."""

_NOT_ALLOWED = re.compile(r"[^\w .:/=+@-]")
_LIMIT = 256


def tag_value(text: str) -> str:
    """Free text as the value of a tag: other characters than AWS allows become `_`, at most 256 are kept."""
    return _NOT_ALLOWED.sub("_", text)[:_LIMIT]
