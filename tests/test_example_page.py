"""The page of the example shows what it prints."""

from __future__ import annotations

import re
from pathlib import Path

from examples.vision.run import LINES

PAGE = Path(__file__).parents[1] / "docs" / "example.md"


def test_the_page_has_each_figure_that_is_printed_in_its_order() -> None:
    shown = [
        re.sub(r"^ +\S+  ", "", line) for line in PAGE.read_text().splitlines() if re.match(r" {4,}[\d.]+  ", line)
    ]
    patterns = [re.sub(r"\\\{\w+\\\}", r"\\w+", re.escape(text)) for text in LINES.values()]
    assert len(shown) == len(patterns)
    for line, pattern in zip(shown, patterns, strict=True):
        assert re.fullmatch(pattern, line)
