"""Calls of AWS and their answers as they are on the wire: what was asked, of which service, and errors in its form."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Protocol = Literal["ec2", "query", "json", "rest"]
_EC2_ERROR = (
    "<?xml version='1.0'?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>proxy</RequestID></Response>"
)
_QUERY_ERROR = (
    "<?xml version='1.0'?><ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>proxy</RequestId></ErrorResponse>"
)
_S3_ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
_BUSY = frozenset({"RequestLimitExceeded", "ThrottlingException", "Throttling", "InsufficientInstanceCapacity"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call. `name` is `service:Action`; of services of the REST kind the action is `Method path`.

    `form` has the arguments of the query kind, each once; `token` is the ClientToken, "" where there is none.
    """

    service: str
    action: str
    region: str
    protocol: Protocol
    form: Mapping[str, str]

    @property
    def name(self) -> str:
        """The call as it is counted."""
        return f"{self.service}:{self.action}"

    @property
    def token(self) -> str:
        """The ClientToken of a call of the query kind."""
        return self.form.get("ClientToken", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether the call was done."""
        return self.status < 400

    def with_body(self, body: bytes) -> Answer:
        """The same answer with another text."""
        return replace(self, body=body)


def read_call(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """What a request asks, as the request itself says it."""
    lower = {name.lower(): value for name, value in headers.items()}
    credential = lower.get("authorization", "").partition("Credential=")[2].split("/")
    region, service = (credential[2], credential[3]) if len(credential) > 3 else ("", "unknown")
    if (target := lower.get("x-amz-target")) is not None:
        return Call(service, target.rpartition(".")[2], region, "json", {})
    form = {}
    if method == "POST" and "json" not in lower.get("content-type", ""):
        form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    if "Action" in form:
        return Call(service, form["Action"], region, "ec2" if service == "ec2" else "query", form)
    verb = {"GET": "Get", "HEAD": "Head"}.get(method, method.capitalize())
    return Call(service, f"{verb} {urlsplit(path).path}", region, "rest", {})


def error(call: Call, code: str, message: str = "refused by the proxy") -> Answer:
    """An error in the form of the call's service."""
    status = 503 if code in _BUSY else 400
    if call.protocol == "json":
        return Answer(status, _JSON, json.dumps({"__type": code, "message": message}).encode())
    if call.protocol == "rest" and call.service not in {"s3", "route53"}:
        return Answer(status, (*_JSON, ("x-amzn-errortype", code)), json.dumps({"message": message}).encode())
    form = _EC2_ERROR if call.protocol == "ec2" else _S3_ERROR if call.service == "s3" else _QUERY_ERROR
    return Answer(status, (("Content-Type", "text/xml"),), form.format(code=code, message=message).encode())


_JSON = (("Content-Type", "application/x-amz-json-1.1"),)
