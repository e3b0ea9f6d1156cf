"""Reads `nvidia-smi nvlink --status` and `--errorcounters`: one line a link, under a line for each GPU."""

from __future__ import annotations

import re
from dataclasses import replace

from leptonctl.health.readings import LinkReading
from leptonctl.health.smi import NotUnderstood

_GPU = re.compile(r"GPU \d+: .* \(UUID: (?P<uuid>GPU-[0-9a-f-]+)\)")
_SPEED = re.compile(r"\s+Link (?P<link>\d+): (?:(?P<speed>\d+(?:\.\d+)?) GB/s|(?P<down><inactive>))")
_ERRORS = re.compile(r"\s+Link (?P<link>\d+): (?:[A-Za-z ]+ )?Errors: (?P<count>\d+)")
# A GPU without NVLink says so in words, and that is an answer.
_NONE = re.compile(r"\s+(?:NVML: )?Unable to retrieve NVLink information as all links are inActive", re.IGNORECASE)


def read_links(status: str, errors: str) -> tuple[LinkReading, ...]:
    """Every link of every GPU with its speed and the sum of its error counters, in the order in which they stand.

    Raises NotUnderstood at the first line of another shape, and for errors of a link that the status does not list.
    """
    links: dict[tuple[str, int], LinkReading] = {}
    for uuid, line in _lines(status):
        found = _SPEED.fullmatch(line)
        if found is None:
            if _NONE.match(line):
                continue
            raise NotUnderstood(f"a line of `nvidia-smi nvlink --status` was not understood: {line.strip()!r}")
        number = int(found["link"])
        links[uuid, number] = LinkReading(
            gpu_uuid=uuid, link=number, speed_gbps=None if found["down"] else float(found["speed"])
        )
    for uuid, line in _lines(errors):
        found = _ERRORS.fullmatch(line)
        if found is None or (uuid, int(found["link"])) not in links:
            if _NONE.match(line):
                continue
            raise NotUnderstood(f"a line of `nvidia-smi nvlink --errorcounters` was not understood: {line.strip()!r}")
        key = uuid, int(found["link"])
        links[key] = replace(links[key], errors=links[key].errors + int(found["count"]))
    return tuple(links.values())


def _lines(text: str) -> list[tuple[str, str]]:
    """The lines with the GPU that they are about."""
    uuid: str | None = None
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if head := _GPU.fullmatch(line):
            uuid = head["uuid"]
        elif uuid is None:
            raise NotUnderstood(f"`nvidia-smi nvlink` began with {line.strip()!r}, not with a GPU")
        else:
            found.append((uuid, line))
    return found
