"""SSH keys of local hosts: the site's key pair, a fresh host key for each host, and the archive that plants them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms.podman import find_program, last_lines

SSH_KEYGEN_HINT = "install it: sudo apt-get install --yes openssh-client"
AUTHORIZED_KEYS = "root/.ssh/authorized_keys"
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_KEY_NAME = "id_ed25519"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's key pair. `private` is only ever sent into the host, `public` is `ssh-ed25519 AAAA...`."""

    private: bytes
    public: str


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The key pair that logs in at the site's hosts: the private key's file and the public key."""

    path: Path
    public: str

    @property
    def fingerprint(self) -> str:
        """`SHA256:...` of the public key."""
        digest = hashlib.sha256(base64.b64decode(self.public.split()[1])).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def site_key_path(state_dir: Path) -> Path:
    """Where the site's private key lies; it may not be there yet."""
    return state_dir / "ssh" / _KEY_NAME


def read_site_key(state_dir: Path) -> SiteKey | None:
    """The site's key pair, or None where there is none. Raises `PlatformFailed` where it cannot be used."""
    path = site_key_path(state_dir)
    return _read(path) if path.exists() else None


def _read(path: Path) -> SiteKey:
    # The public key is computed from the private one: a `.pub` beside it could be another key's.
    public = _keygen("-y", "-P", "", "-f", str(path), failure=f"the site's SSH key {path} cannot be used")
    return SiteKey(path, " ".join(public.split()[:2]))


def ensure_site_key(state_dir: Path) -> SiteKey:
    """The site's key pair, made where there is none; folder 0700, private key 0600."""
    path = site_key_path(state_dir)
    for folder in (state_dir, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder_name:
            made = _make_pair(Path(folder_name))
            # A link fails where another run was first: then that one's key is the site's.
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
    path.chmod(0o600)
    return _read(path)


def new_host_key() -> HostKey:
    """A fresh host key; its private part is on this machine only while this runs, in a private folder."""
    with tempfile.TemporaryDirectory(prefix="leptonctl-key-") as folder_name:
        path = _make_pair(Path(folder_name))
        public = path.with_suffix(".pub").read_text(encoding="ascii")
        return HostKey(path.read_bytes(), " ".join(public.split()[:2]))


def planted_files(host_key: HostKey | None, site_key: SiteKey) -> bytes:
    """A tar archive, to be unpacked at `/` of a host, that lets the site in and gives the host its key."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _add(archive, "root/.ssh", None, 0o700)
        _add(archive, AUTHORIZED_KEYS, f"{site_key.public} leptonctl\n".encode(), 0o600)
        if host_key is not None:
            _add(archive, _HOST_KEY, host_key.private, 0o600)
            _add(archive, f"{_HOST_KEY}.pub", f"{host_key.public}\n".encode(), 0o644)
    return stream.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes | None, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = mode, int(time.time())
    if data is None:
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
        return
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _make_pair(folder: Path) -> Path:
    path = folder / _KEY_NAME
    _keygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path), failure="an SSH key could not be made")
    return path


def _keygen(*args: str, failure: str) -> str:
    program = find_program("ssh-keygen")
    if program is None:
        raise PreflightFailed("ssh-keygen is not installed", hint=SSH_KEYGEN_HINT)
    done = subprocess.run([program, *args], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        hint = "move the file away; `leptonctl up` then makes a new key and plants it on the hosts"
        raise PlatformFailed(f"{failure}: {last_lines(done.stderr)}", hint=hint)
    return done.stdout.decode(errors="replace")
