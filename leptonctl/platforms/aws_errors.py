"""AWS's error codes in our words, wherever they come from: answers that we read, or what the engine tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leptonctl.errors import PlatformFailed, PreflightFailed

if TYPE_CHECKING:
    from leptonctl.errors import LeptonError

NEW_CREDENTIALS = "get new ones (`aws sso login`, or new keys) and run this again: it goes on from here"
EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
_NO_CREDENTIALS = frozenset(
    {"CredentialRetrievalError", "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
)
_NO_CAPACITY = frozenset(
    {"InsufficientCapacity", "InsufficientHostCapacity", "InsufficientInstanceCapacity", "SpotMaxPriceTooLow"}
)
_NO_QUOTA = frozenset({"InstanceLimitExceeded", "MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "LimitExceeded"})
_WORD = re.compile(r"[A-Za-z]+")
# What a gateway or a proxy says in place of the service.
_PAGE = re.compile(r"<(?:!doctype html|html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONGEST = 300


def told(error: Exception, service: str, operation: str, region: str) -> LeptonError:
    """An error of boto3 in our words: `PreflightFailed` where the credentials are at fault, else `PlatformFailed`."""
    response = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", type(error).__name__))
    where = f"{service} {operation} in {region}"
    if code in _NO_CREDENTIALS:
        return PreflightFailed(
            f"AWS cannot be asked, there are no usable credentials: {error}",
            hint="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` "
            "must answer",
        )
    if code in EXPIRED:
        return PreflightFailed(f"AWS refused the credentials at {where}: {code}", hint=NEW_CREDENTIALS)
    if code in DENIED:
        permission = "".join(part.capitalize() for part in operation.split("_"))
        return PlatformFailed(
            f"AWS denied {where} ({code})", hint=f"the credentials lack the permission {service}:{permission}"
        )
    return PlatformFailed(f"AWS failed at {where}: {code}: {_on_one_line(str(error))}")


def expired_code(text: str) -> str | None:
    """The code in a text that says that the credentials are no longer good."""
    return _code_in(text, EXPIRED)


def hint_of(text: str) -> str | None:
    """What to do about an error of AWS, by the code in its text; None where only the text itself helps."""
    if expired_code(text):
        return NEW_CREDENTIALS
    if _code_in(text, DENIED):
        return "the credentials lack a permission for this; docs/aws.md has the policy that is enough"
    if _code_in(text, _NO_CAPACITY):
        return "AWS has none left there now: name another zone or machine type, or run this again later"
    if _code_in(text, _NO_QUOTA):
        return "the account's quota is used up: ask AWS to raise it, or make the site smaller"
    return None


def _on_one_line(text: str) -> str:
    """A message without line breaks and of bearable length; of a page of HTML only its title is told."""
    page = _PAGE.search(text)
    if page is not None:
        title = _TITLE.search(text, page.start())
        named = f" ({' '.join(title[1].split())})" if title else ""
        text = f"{text[: page.start()]}a page of HTML{named}"
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


def _code_in(text: str, codes: frozenset[str]) -> str | None:
    return next((word for word in _WORD.findall(text) if word in codes), None)
