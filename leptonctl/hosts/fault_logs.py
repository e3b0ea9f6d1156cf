"""Fault logs: what a host's driver and kernel said, fetched while it is still there, without secrets in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.hosts.secrets import HIDDEN, Redactor
from leptonctl.hosts.sent import answer_of, ask, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from leptonctl.hosts.target import Target

LIMIT_S = 300.0
_MODULES = ("facts", "fault_logs")
# A bug report lists processes with their arguments: these are the ways in which programs are handed secrets there.
_HANDED = re.compile(
    r"(?i)((?:pass(?:word|wd)?|token|secret|api[_-]?key|access[_-]?key|credentials?)[\"']?\s*[=:]\s*[\"']?"
    r"|--(?:password|token|secret|api-key)\s+|authorization:\s*(?:bearer|basic)\s+|bearer\s+)([^\s\"']+)"
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_IN_URL = re.compile(r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)")


def collect_fault_logs(targets: Sequence[Target], folder: Path, *, secrets: Mapping[str, str]) -> dict[str, str]:
    """Write each target's logs into `folder`, 0700, one folder a host; gives where, by host address.

    `kernel.log`, `nvidia-smi.txt` and `nvidia-bug-report.log`, as far as there are any; a log that could not be had
    has the reason in its place. Never raises for a host: one that does not answer has that reason alone.
    """
    if not targets:
        return {}
    redact = Redactor.of(secrets.values())
    replies = ask([request_of(aim, _MODULES, {}) for aim in targets], limit_s=LIMIT_S)
    found: dict[str, str] = {}
    for address, reply in replies.items():
        answer, problem = answer_of(reply)
        own = folder / address.replace("/", ".")
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs = answer["logs"] if problem is None else {"kernel.log": {"failed": problem}}
        for name, log in logs.items():
            text = log["text"] if "text" in log else f"not collected: {log['failed']}\n"
            path = own / name
            path.touch(mode=0o600)
            path.write_text(without_secrets(redact(text)), encoding="utf-8")
        found[address] = str(own)
    return found


def without_secrets(text: str) -> str:
    """The text without what looks like a secret that a program was handed: values, keys, passwords in addresses."""
    hidden = _KEY_BLOCK.sub(HIDDEN, text)
    hidden = _IN_URL.sub(HIDDEN, hidden)
    return _HANDED.sub(lambda found: found[1] + HIDDEN, hidden)
