"""The site's SSH key where states are shared: every machine that works on the site logs in with the same one.

It lies beside the states, sealed with what seals them: `keys/SITE.json`, the public key in clear. The first `up` puts
it there; on another machine `up` takes it over, and verbs that only read use a copy that goes away with them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, Refused
from leptonctl.platforms.local_keys import SiteKey, ensure_site_key, read_site_key, site_key_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from leptonctl.platforms.key_sealing import Sealer
    from leptonctl.platforms.state_store import Store


@dataclass(frozen=True, slots=True)
class SharedKey:
    """The key as it is kept: `private` is sealed, by what `sealed_by` names."""

    public: str
    sealed_by: str
    private: str


class SiteKeys:
    """The key of one site, on this machine and in the store. `sealer` is asked for only where something is sealed."""

    def __init__(self, site: str, state_dir: Path, store: Store, sealer: Callable[[], Sealer]) -> None:
        self._site, self._state_dir, self._store, self._sealer = site, state_dir, store, sealer
        self._lock = Lock()
        self._ensured: SiteKey | None = None
        self._borrowed: Path | None = None

    def public(self) -> str | None:
        """The public key, as this machine or the store has it; None where there is none yet. Writes nothing."""
        own = read_site_key(self._state_dir)
        if own is not None:
            return own.public
        shared = self._kept()
        return shared.public if shared is not None else None

    def path(self) -> Path:
        """The private key's file: this machine's own, else one for as long as this process lives.

        Where there is no key yet, it is the place where `ensure` will put it.
        """
        own = site_key_path(self._state_dir)
        with self._lock:
            if self._borrowed is None and not own.exists() and (shared := self._kept()) is not None:
                folder = Path(tempfile.mkdtemp(prefix="leptonctl-key-"))
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self._borrowed = folder / own.name
                _write(self._borrowed, self._opened(shared))
            return own if own.exists() or self._borrowed is None else self._borrowed

    def ensure(self) -> SiteKey:
        """The key pair on this machine, the same as the other machines have; made where there is none at all.

        Raises `Refused` where this machine has another key than the one that is shared.
        """
        with self._lock:
            if self._ensured is None:
                self._ensured = self._shared() if self._store.is_shared else ensure_site_key(self._state_dir)
            return self._ensured

    def _shared(self) -> SiteKey:
        kept = self._kept()
        if kept is None:
            own = ensure_site_key(self._state_dir)
            sealer = self._sealer()
            private = sealer.seal(own.path.read_bytes(), purpose=self._purpose)
            told = json.dumps(asdict(SharedKey(own.public, sealer.name, private)), indent=1)
            self._store.add(self._key, f"{told}\n".encode())
            # Another machine may have been first.
            kept = self._kept()
        if kept is None:
            raise PlatformFailed(f"{self._store.place(self._key)} is not there right after it was written")
        path = site_key_path(self._state_dir)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, self._opened(kept))
        own = ensure_site_key(self._state_dir)
        if own.public != kept.public:
            raise Refused(
                f"the site's SSH key on this machine, {path}, is not the one in {self._store.place(self._key)}, which "
                "lets everybody else in",
                hint="move the file away: the next `up` takes the shared one",
            )
        return own

    def _kept(self) -> SharedKey | None:
        if not self._store.is_shared:
            return None
        text = self._store.read(self._key)
        if text is None:
            return None
        try:
            return SharedKey(**json.loads(text))
        except (ValueError, TypeError) as odd:
            raise PlatformFailed(
                f"the site's SSH key in {self._store.place(self._key)} was not understood: {odd}",
                hint="put an older version of it back, or remove it: the next `up` puts this machine's there",
            ) from odd

    def _opened(self, shared: SharedKey) -> bytes:
        sealer = self._sealer()
        if sealer.name != shared.sealed_by:
            raise Refused(
                f"the site's SSH key in {self._store.place(self._key)} is sealed with {shared.sealed_by}, and the site "
                f"file says {sealer.name}",
                hint="remove it there: the next `up` on a machine that has the key seals it anew",
            )
        return sealer.opened(shared.private, purpose=self._purpose)

    @property
    def _key(self) -> str:
        return f"keys/{self._site}.json"

    @property
    def _purpose(self) -> str:
        return f"SSH key of site {self._site}"


def _write(path: Path, data: bytes) -> None:
    """Put a private file there, whole or not at all; one that is there stays."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink(missing_ok=True)
