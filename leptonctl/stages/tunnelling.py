"""Tunnelling: before roles run on boxes or gateways, each tells its public key, and gateways let their boxes in.

Private keys are made on the hosts and stay there. What is exchanged is public, so it is asked anew each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.planning.tunnels import BOX, GATEWAY, tunnels
from leptonctl.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leptonctl.hosts.target import Target
    from leptonctl.session import Session

LIMIT_S = 60.0
_MODULES = ("facts", "private_file", "tunnel")
KEY_SETTING = "gateway_key"


def exchange_keys(session: Session, batch: Sequence[Target], complete: Mapping[str, Target]) -> tuple[Target, ...]:
    """The batch, whose boxes know the public key of their gateway; the gateways have let their boxes in.

    A host that does not answer is said, and keeps what it had; a box whose gateway's key is not known says so itself.
    """
    found = {target.address: target for target in batch}
    concerned = {target.address for target in batch if {role.name for role in target.roles} & {BOX, GATEWAY}}
    for tunnel in tunnels(session.desired):
        own = {tunnel.gateway, *tunnel.boxes} & concerned
        if not own or tunnel.gateway not in complete:
            continue
        # A gateway asks for all of its boxes: it may be a new one. A box that comes concerns no other.
        asked = [tunnel.gateway, *(tunnel.boxes if tunnel.gateway in own else sorted(own - {tunnel.gateway}))]
        keys = {
            address: str(answer["public_key"])
            for address, answer in _ask(session, complete, {one: {"do": "key"} for one in asked}).items()
        }
        boxes = {str(address): keys.get(name) for name, address in tunnel.boxes.items()}
        _ask(session, complete, {tunnel.gateway: {"do": "admit", "boxes": boxes}})
        for name in own - {tunnel.gateway}:
            if tunnel.gateway in keys:
                found[name] = found[name].with_settings(BOX, {KEY_SETTING: keys[tunnel.gateway]})
    return tuple(found.values())


def gateway_key(session: Session, gateway: Target) -> str | None:
    """The public key of a gateway; None where it does not answer, which is said."""
    answer = _ask(session, {gateway.address: gateway}, {gateway.address: {"do": "key"}}).get(gateway.address)
    return None if answer is None else str(answer["public_key"])


def _ask(
    session: Session, complete: Mapping[str, Target], requests: Mapping[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The answers of those hosts that can be asked and answered."""
    known = {address: request for address, request in requests.items() if address in complete}
    replies = ask([request_of(complete[one], _MODULES, request) for one, request in known.items()], limit_s=LIMIT_S)
    found: dict[str, dict[str, Any]] = {}
    for address, reply in replies.items():
        answer, problem = answer_of(reply)
        if problem is None:
            found[address] = answer
        else:
            session.report(Progress("configure", "warning", address, f"no key for its tunnel: {problem}"))
    return found
