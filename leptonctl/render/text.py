"""Text that came from elsewhere, made fit to be printed."""

from __future__ import annotations

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}


def literal(text: str) -> str:
    """The text with control characters (terminal escapes) made visible."""
    return text.translate(_CONTROL)
