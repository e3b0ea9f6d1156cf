"""What this controller knows of each host's manifest: its digest, and when the host was last found in order.

It can be lost: a host whose digest is not known is configured again, which changes nothing on it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from leptonctl.record.run import make_private, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownHost:
    """`digest` is the SHA-256 of the manifest on the host; `recorded` when it was written (UTC, ISO 8601).

    `platform` is where the host was then; "" where an older version wrote it.
    """

    digest: str
    recorded: str
    platform: str = ""


def read_known(state_dir: Path, locations: Iterable[str]) -> dict[str, KnownHost]:
    """What is known of every host of the locations, by host address; a file that can't be read counts as lost."""
    found: dict[str, KnownHost] = {}
    for location in locations:
        try:
            stored = json.loads(_path(state_dir, location).read_text(encoding="utf-8"))
            found.update({address: KnownHost(**value) for address, value in stored.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return found


def write_known(state_dir: Path, location: str, hosts: Mapping[str, KnownHost]) -> None:
    """Write what is known of a location's hosts, whole or not at all."""
    make_private(state_dir)
    path = _path(state_dir, location)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(path, {address: asdict(host) for address, host in hosts.items()})


def forget(state_dir: Path, location: str) -> None:
    """Forget a location's hosts, once they are gone."""
    _path(state_dir, location).unlink(missing_ok=True)


def _path(state_dir: Path, location: str) -> Path:
    return state_dir / "hosts" / (location.replace("/", ".") + ".json")
