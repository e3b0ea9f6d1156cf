"""Publish: put the signed state of edge boxes where they pull it, for when push cannot reach them."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING

from leptonctl.clock import Clock
from leptonctl.errors import ConfigurationFailed, ExitCode, Problem, Refused, UsageProblem
from leptonctl.hosts.published import state_archive
from leptonctl.hosts.secrets import secret_refs
from leptonctl.hosts.sent import answer_of, ask, request_of
from leptonctl.hosts.signing import public_key, sign
from leptonctl.planning.tunnels import BOX, tunnels
from leptonctl.result import Result
from leptonctl.session import scope
from leptonctl.stages.looking import look_at_platforms, targets
from leptonctl.stages.tunnelling import KEY_SETTING, gateway_key

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.hosts.target import Target
    from leptonctl.session import Session

LIMIT_S = 300.0


def publish(session: Session, *, only: tuple[str, ...], key: Path) -> Result:
    """Sign what push would run on each box that pulls, and put it on the gateway of its region.

    `key` is the file of the private key whose public half the boxes know as `edge.signer`. The serial is the time in
    seconds: it rises by itself, from whichever machine it is published. Raises Refused with every box whose state
    cannot be published (secrets in it, another signer), UsageProblem where no box pulls.
    """
    clock = Clock()
    signer = public_key(key)
    with clock.stage("look"):
        scope(session.desired, only, is_before_look=True)
        observed = look_at_platforms(session).observed
        session = session.knowing(observed)
        known = {target.address: target for target in targets(session, observed, session.desired)}
        boxes = [one for one in targets(session, observed, scope(session.desired, only)) if _signer(one) is not None]
    if not boxes:
        hint = "set software.edge.signer to your public key, and run `leptonctl up` once"
        raise UsageProblem("no box here pulls its state", hint=hint)
    gateway_of = {box: known.get(tunnel.gateway) for tunnel in tunnels(session.desired) for box in tunnel.boxes}
    pairs = [(box, gateway_of.get(box.address)) for box in boxes]
    problems = [problem for box, gateway in pairs for problem in _problems(box, gateway, signer)]
    if problems:
        raise Refused("nothing was published", problems=tuple(problems))
    with clock.stage("publish"):
        there = [(box, gateway) for box, gateway in pairs if gateway is not None]
        gateways = {gateway.address: gateway for _, gateway in there}
        keys = {address: _public_key_of(session, gateway) for address, gateway in gateways.items()}
        published = [_publish(session, box, gateway, keys[gateway.address], key) for box, gateway in there]
    return Result(
        verb="publish",
        site=session.desired.site,
        exit_code=ExitCode.DONE,
        durations_s=clock.read(),
        data={"published": published},
    )


def _signer(target: Target) -> str | None:
    role = target.role(BOX)
    signer = role.settings.get("signer") if role is not None else None
    return None if signer is None else str(signer)


def _problems(box: Target, gateway: Target | None, signer: str) -> list[Problem]:
    """Why the state of a box cannot be published."""
    found = []
    if gateway is None:
        message = "its region has no host with the role edge_gateway that is there"
        found.append(Problem("publish", message, "bring the region up first", where=box.address))
    if " ".join((_signer(box) or "").split()[:2]) != signer:
        message = "it takes state of another signer than this key"
        found.append(Problem("publish", message, "name the private key that belongs to edge.signer", where=box.address))
    found += [
        Problem("publish", f"{setting} is a secret, and published state has none", "push it", where=box.address)
        for setting in secret_refs(box.roles).values()
    ]
    return found


def _public_key_of(session: Session, gateway: Target) -> str:
    public = gateway_key(session, gateway)
    if public is None:
        raise ConfigurationFailed(f"{gateway.address} does not tell its public key", hint="is it reachable?")
    return public


def _publish(session: Session, box: Target, gateway: Target, public: str, key: Path) -> dict[str, object]:
    """Publish one box's state, with its gateway's `public` key in it; give what was put where."""
    serial = int(time.time())
    sent_box = box.with_settings(BOX, {KEY_SETTING: public})
    archive = state_archive(sent_box, recorded=box, site=session.desired.site, serial=serial)
    name = f"{box.address.replace('/', '.')}.tar.gz"
    files = {name: archive, f"{name}.sig": sign(archive, key)}
    sent = {"files": {each: base64.b64encode(content).decode() for each, content in files.items()}}
    reply = ask([request_of(gateway, ("published",), sent)], limit_s=LIMIT_S)[gateway.address]
    _, problem = answer_of(reply)
    if problem is not None:
        raise ConfigurationFailed(f"{gateway.address}: {problem}", hint="`leptonctl up` runs the role edge_gateway")
    return {
        "box": box.address,
        "gateway": gateway.address,
        "serial": serial,
        "bytes": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
    }
