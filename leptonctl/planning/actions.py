"""What can happen to a resource."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "keep"
    UNKNOWN = "unknown"
    FORBIDDEN = "forbidden"
    """The site file asks for what can't be done to what is there: `up` refuses, the reasons say what to do instead."""
