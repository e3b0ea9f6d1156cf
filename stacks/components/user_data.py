"""What a machine is told at its first start: its SSH host key and who may log in. Ansible does all the rest."""

from __future__ import annotations

import json


def first_start(*, host_key_private: str, host_key_public: str, public_keys: tuple[str, ...]) -> str:
    """A cloud-config document. JSON is YAML, so no value can break out of its place.

    The image's own host keys are removed: the planted one is the only one that the host answers with.
    """
    config = {
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": host_key_private, "ed25519_public": host_key_public},
        # Ansible works as root, with keys only.
        "disable_root": False,
        "ssh_pwauth": False,
        "ssh_authorized_keys": list(public_keys),
    }
    return "#cloud-config\n" + json.dumps(config, indent=1, sort_keys=True) + "\n"
