"""Runs on a host, as root, sent over SSH: the keys of tunnels. Prints one JSON object; no private key leaves the host.

`key` makes the host's key where there is none, and tells the public one; `admit` lets boxes into a gateway's tunnels,
by their public keys and addresses, at once and at each start, and shuts out those that are not among them.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from leptonctl.hosts.remote.facts import run
from leptonctl.hosts.remote.private_file import write_private

SCHEMA = 1
LIMIT_S = 30
INTERFACE = "lepton"
KEY = Path("/etc/wireguard/lepton.key")
PEERS = Path("/etc/wireguard/lepton.peers")
# What stands before the 32 bytes of an X25519 key in PKCS #8: https://www.rfc-editor.org/rfc/rfc8410#section-7
PKCS8 = bytes.fromhex("302e020100300506032b656e04220420")
PUBLIC_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")


class Failed(Exception):
    """A command that did not do what it should, with what it said."""


def main(request: dict[str, Any]) -> int:
    """Do what was asked and print the answer."""
    try:
        answer = {"key": key, "admit": admit}[request["do"]](request)
    except (Failed, OSError, ValueError, subprocess.SubprocessError) as failure:
        answer = {"error": str(failure)}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def key(_request: dict[str, Any]) -> dict[str, Any]:
    """The host's public key, as WireGuard writes it."""
    if not KEY.exists():
        made = openssl("genpkey", "-algorithm", "X25519", "-outform", "DER")
        write_private(KEY, base64.b64encode(made[-32:]).decode() + "\n")
    own = base64.b64decode(KEY.read_text(), validate=False)
    public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", stdin=PKCS8 + own)
    return {"public_key": base64.b64encode(public[-32:]).decode()}


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """What openssl gives. WireGuard's own tools may not be there yet."""
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())[-300:]
        raise Failed(f"openssl {arguments[0]}: exit {done.returncode}: {said}")
    return done.stdout


def admit(request: dict[str, Any]) -> dict[str, Any]:
    """Let boxes in. `boxes` has the public key by address, None where it is not known: that box keeps what it has."""
    before = peers_there()
    after = {}
    for address, public in request["boxes"].items():
        chosen = public or before.get(address)
        if chosen is not None and PUBLIC_KEY.fullmatch(chosen):
            after[address] = chosen
    text = "\n".join(f"[Peer]\nPublicKey = {after[one]}\nAllowedIPs = {one}/32\n" for one in sorted(after))
    # Compared as a whole: what others wrote beside it, in whatever form, would let them in at the next start.
    if text != (PEERS.read_text() if PEERS.exists() else ""):
        write_private(PEERS, text)
    status, out, _ = run(["wg", "show", INTERFACE, "peers"], LIMIT_S)
    if status == 0:  # else the interface reads the file when it starts
        for gone in set(out.split()) - set(after.values()):
            wg("peer", gone, "remove")
        for address, public in after.items():
            wg("peer", public, "allowed-ips", f"{address}/32")
    return {"admitted": sorted(after)}


def peers_there() -> dict[str, str]:
    """The public key of each address that is let in now."""
    if not PEERS.exists():
        return {}
    found = re.findall(r"PublicKey = (\S+)\nAllowedIPs = (\S+)/32\n", PEERS.read_text())
    return {address: public for public, address in found}


def wg(*arguments: str) -> None:
    """Change the interface as it runs."""
    status, out, err = run(["wg", "set", INTERFACE, *arguments], LIMIT_S)
    if status != 0:
        raise Failed(f"wg set {INTERFACE}: exit {status}: {' '.join((err or out).split())[-300:]}")
