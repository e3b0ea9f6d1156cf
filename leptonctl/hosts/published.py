"""Published: the whole state of one box as an archive: what push would run there, and what it would run it with."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.hosts.inventory import local_inventory
from leptonctl.hosts.manifest import declared, plain_settings, role_source, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.hosts.target import Target

SCHEMA = 1
_PACKAGE = Path(__file__).parent.parent
# What roles, their filters and the manifest need of this package on a box: none of it needs a library.
_PARTS = ("__init__.py", "assets.py", "errors.py", "progress.py", "hosts", "health", "devices")
_KEPT = (".py", ".toml", ".csv", ".sh")


def state_archive(target: Target, *, recorded: Target, site: str, serial: int) -> bytes:
    """A tar.gz with `state.json`, the inventory for this host alone, playbooks, Ansible and what reads its events.

    `recorded` is the target with the settings that its manifest shall show. The same arguments give the same bytes.
    """
    state = {
        "schema": SCHEMA,
        "site": site,
        "address": target.address,
        "serial": serial,
        "roles": [
            {
                "name": role.name,
                "source": role_source(role.name),
                "settings": plain_settings(role),
                "covered": sorted(declared(role).covered),
                "looks": sorted(declared(role).looks),
                "watched": watched(role, target.endpoint.user),
            }
            for role in recorded.roles
        ],
    }
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add(archive, "state.json", json.dumps(state, sort_keys=True).encode())
        _add(archive, "inventory/inventory.json", json.dumps(local_inventory(target), sort_keys=True).encode())
        _add(archive, "inventory/inventory.sh", asset("templates", "inventory.sh").read_bytes(), mode=0o755)
        for name, path in _files():
            _add(archive, name, path.read_bytes())
    return packed.getvalue()


def _files() -> Iterator[tuple[str, Path]]:
    """The files that every state has, by their names in the archive."""
    yield from _below(asset("playbooks"), "playbooks")
    for part in _PARTS:
        path = _PACKAGE / part
        yield from ((f"leptonctl/{part}", path),) if path.is_file() else _below(path, f"leptonctl/{part}", _KEPT)
    yield from _below(_library("ansible"), "lib/ansible")
    callback = _library("ansible_runner") / "display_callback" / "callback" / "awx_display.py"
    yield "callback/awx_display.py", callback


def _below(folder: Path, name: str, kept: tuple[str, ...] | None = None) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and (kept is None or path.suffix in kept):
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _library(name: str) -> Path:
    """The folder of an installed library, which is not imported for that."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(name)
    return Path(found.origin).parent


def _add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
