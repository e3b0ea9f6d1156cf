"""Rules on Ceph: pools whose settings go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.sitefile.findings import Finding
from leptonctl.sitefile.rules.parts import locations
from leptonctl.sitefile.stores.ceph import DEFAULT_SIZE, CephPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leptonctl.sitefile.findings import Path
    from leptonctl.sitefile.model import Site


def check_ceph_pools(site: Site) -> Iterator[Finding]:
    """Every pool of every location."""
    for path, location in locations(site):
        for name, pool in location.stores(CephPool).items():
            yield from _check_pool(pool, (*path, "storage", name))


def _check_pool(pool: CephPool, place: Path) -> Iterator[Finding]:
    if pool.erasure is not None and pool.size is not None:
        message = "a pool is cut into pieces or kept in copies, not both"
        yield Finding("cannot-combine", (*place, "size"), message, "remove it, or remove `erasure`", at="key")
    fewest, most = (pool.erasure.data, pieces_of(pool)) if pool.erasure is not None else (1, pieces_of(pool))
    if pool.min_size is not None and not fewest <= pool.min_size <= most:
        message = f"min_size {pool.min_size} is not from {fewest} to {most}"
        yield Finding("bad-value", (*place, "min_size"), message, "write one of these, or remove it")
    groups = pool.placement_groups
    if groups is not None and groups & (groups - 1):
        near = 1 << groups.bit_length() - 1
        hint = f"write {near} or {2 * near}, or remove it: Ceph then decides"
        yield Finding("bad-value", (*place, "placement_groups"), f"{groups} is not a power of two", hint)
    if pool.use != "cephfs" and pool.mount_path is not None:
        message = f"a pool with `use: {pool.use}` is not mounted"
        yield Finding("cannot-combine", (*place, "mount_path"), message, "write `use: cephfs`, or remove it", at="key")
    if pool.use == "cephfs" and pool.clients and pool.mount_path is None:
        message, hint = "its clients mount it nowhere", "write `mount_path: /srv/models`, or another path"
        yield Finding("missing-mount-path", place, message, hint, at="key")


def pieces_of(pool: CephPool) -> int:
    """How many failure domains each object lies in: its copies, or its pieces."""
    if pool.erasure is not None:
        return pool.erasure.data + pool.erasure.parity
    return pool.size or DEFAULT_SIZE
