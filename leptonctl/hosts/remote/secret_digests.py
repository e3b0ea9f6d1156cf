"""Salted digests of secrets: tell that a value changed behind the same reference, without keeping it."""

from __future__ import annotations

import hashlib
import secrets

# A guess costs as much as this; the file that has the digests is for root alone, as is the secret itself.
ROUNDS = 100_000


def digests_of(values: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """Give `SALT:DIGEST` for each secret, by the setting that has it; the kept one where it is still right."""
    changed = changed_secrets(kept, values)
    found = {}
    for setting, value in values.items():
        salt = kept.get(setting, "").partition(":")[0] if setting not in changed else ""
        salt = salt or secrets.token_hex(16)
        found[setting] = salt + ":" + digest_of(value, salt)
    return found


def changed_secrets(kept: dict[str, str], values: dict[str, str]) -> list[str]:
    """Name the settings whose secret is another one now. Where no value is known now or then, nothing is said."""
    found = []
    for setting, value in values.items():
        salt, _, digest = kept.get(setting, "").partition(":")
        if digest and digest_of(value, salt) != digest:
            found.append(setting)
    return sorted(found)


def digest_of(value: str, salt: str) -> str:
    """Hash one value with its salt."""
    return hashlib.pbkdf2_hmac("sha256", value.encode(), bytes.fromhex(salt), ROUNDS).hex()
