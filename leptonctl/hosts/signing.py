"""Signs bytes by ssh-keygen with an ed25519 key, as boxes verify them: no cryptography of our own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from leptonctl.errors import PreflightFailed

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "leptonctl-state"
_LIMIT_S = 60


def public_key(key: Path) -> str:
    """The public half of a private key's file, as `ssh-ed25519 AAAA`. Raises PreflightFailed where there is none."""
    return " ".join(_keygen(key, "-y", "-P", "", "-f", str(key)).decode().split()[:2])


def sign(data: bytes, key: Path) -> bytes:
    """The signature of the data for published state. Raises PreflightFailed where the key does not sign."""
    return _keygen(key, "-Y", "sign", "-f", str(key), "-n", NAMESPACE, stdin=data)


def _keygen(key: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments], input=stdin, capture_output=True, check=False, timeout=_LIMIT_S, env=environment
        )
    except FileNotFoundError:
        hint = "install it: sudo apt-get install --yes openssh-client"
        raise PreflightFailed("ssh-keygen is not there", hint=hint) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise PreflightFailed(
            f"{key} cannot be signed with: {said or 'ssh-keygen said nothing'}",
            hint="name the file of a private ed25519 key without a passphrase: ssh-keygen -t ed25519 -N '' -f FILE",
        )
    return done.stdout
