"""What is asked of a host by SSH and what comes back: the types that `ssh` takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leptonctl.planning.observed import Endpoint, Reach


@dataclass(frozen=True, slots=True)
class Request:
    """One command for one host. `stdin` is sent after the login, never before the host key was checked."""

    address: str
    endpoint: Endpoint
    command: str
    stdin: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one host.

    With `OK` the command ended with `exit_status` (any; -1 where a signal ended it). Otherwise `detail` says in one
    line what was in the way. The fingerprints (`SHA256:...`) are set where the host key was not accepted.
    """

    address: str
    reach: Reach
    exit_status: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    detail: str = ""
    presented_fingerprint: str | None = None
    expected_fingerprints: tuple[str, ...] = ()
