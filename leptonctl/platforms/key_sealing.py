"""Seals a small secret so that it may lie where others can read it: with a passphrase, or by a KMS key.

With a passphrase: AES-256 in GCM, by a key that scrypt makes of it. KMS seals what fits into one of its calls (4 KiB);
its key never leaves it. In both cases what is sealed is bound to what it is for, and opens as nothing else.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from leptonctl.errors import PreflightFailed

if TYPE_CHECKING:
    from leptonctl.platforms.aws_cloud import AwsCloud

_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
# 128 MiB and about half a second a guess (RFC 7914: N, r, p).
_COST, _BLOCK, _LANES = 2**17, 8, 1


class Sealer(Protocol):
    """Seals and opens. `purpose` is what a secret is, in words: with others it does not open."""

    @property
    def name(self) -> str:
        """What seals, for people and in what is kept: `passphrase` or `kms`."""

    def seal(self, secret: bytes, *, purpose: str) -> str:
        """The secret as text that only `opened` understands."""

    def opened(self, sealed: str, *, purpose: str) -> bytes:
        """The secret again. Raises a `LeptonError` where it does not open."""


@dataclass(frozen=True, slots=True)
class PassphraseSealer:
    """Seals with a passphrase; `source` says where it came from."""

    passphrase: str
    source: str

    @property
    def name(self) -> str:
        """What seals."""
        return "passphrase"

    def seal(self, secret: bytes, *, purpose: str) -> str:
        """The secret, with the salt and the nonce that it was sealed with, as JSON."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only where something is sealed

        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        box = AESGCM(self._key(salt)).encrypt(nonce, secret, purpose.encode())
        return json.dumps({"salt": _text(salt), "nonce": _text(nonce), "box": _text(box)})

    def opened(self, sealed: str, *, purpose: str) -> bytes:
        """The secret again. Raises `PreflightFailed` for another passphrase."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only where something is opened
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - the same

        try:
            parts = {name: base64.b64decode(value, validate=True) for name, value in json.loads(sealed).items()}
            return AESGCM(self._key(parts["salt"])).decrypt(parts["nonce"], parts["box"], purpose.encode())
        except (InvalidTag, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise PreflightFailed(
                f"the {purpose} does not open with the passphrase: that is another one, or the secret was damaged",
                hint=f"it was taken from {self.source}: put the right one there",
            ) from wrong

    def _key(self, salt: bytes) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 - only where it is needed

        return Scrypt(salt=salt, length=_KEY_BYTES, n=_COST, r=_BLOCK, p=_LANES).derive(self.passphrase.encode())


@dataclass(frozen=True, slots=True)
class KmsSealer:
    """Seals by a KMS key: its id, `alias/NAME`, or its ARN."""

    cloud: AwsCloud
    key: str

    @property
    def name(self) -> str:
        """What seals."""
        return "kms"

    def seal(self, secret: bytes, *, purpose: str) -> str:
        """The secret as KMS gives it."""
        answer = self.cloud.call("kms", "encrypt", KeyId=self.key, Plaintext=secret, EncryptionContext=_about(purpose))
        return _text(answer["CiphertextBlob"])

    def opened(self, sealed: str, *, purpose: str) -> bytes:
        """The secret again. Raises where KMS denies it, or it is another key's."""
        box = base64.b64decode(sealed)
        answer = self.cloud.call(
            "kms", "decrypt", KeyId=self.key, CiphertextBlob=box, EncryptionContext=_about(purpose)
        )
        secret: bytes = answer["Plaintext"]
        return secret


def _about(purpose: str) -> dict[str, str]:
    return {"leptonctl:purpose": purpose}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
