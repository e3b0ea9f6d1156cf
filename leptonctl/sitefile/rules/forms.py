"""Forms: the patterns that names, addresses, keys and URLs follow."""

from __future__ import annotations

import binascii
import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST_NAME_LIMIT = 253
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_PUBLIC_KEY = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com"
    r"|sk-ecdsa-sha2-nistp256@openssh\.com) ([A-Za-z0-9+/]{40,}={0,2})(?: .*)?"
)
_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,63}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+")
_MACHINE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_PORT_LIMIT = 65535


def is_host_name(text: str) -> bool:
    """Whether it is a host name by RFC 1123, or an IPv4 address; digits and dots alone must be an address."""
    if len(text) > _HOST_NAME_LIMIT or not _HOST_NAME.fullmatch(text):
        return False
    return not text.replace(".", "").isdigit() or is_ip_address(text)


def is_ip_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, without a zone."""
    if _IPV4.fullmatch(text):
        return True
    if not _IPV6.fullmatch(text):
        return False
    from ipaddress import IPv6Address  # noqa: PLC0415 - the module takes as long to import as a small site to check

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def is_public_key(text: str) -> bool:
    """Whether it is `KIND BODY [COMMENT]` of an SSH public key, with a body that is of that kind."""
    found = _PUBLIC_KEY.fullmatch(text)
    if found is None:
        return False
    kind, body = found.groups()
    try:
        key = binascii.a2b_base64(body, strict_mode=True)
    except binascii.Error:
        return False
    return key.startswith(len(kind).to_bytes(4, "big") + kind.encode())


def is_login(text: str) -> bool:
    """Whether it is a login name that no shell or ssh option can mistake."""
    return _LOGIN.fullmatch(text) is not None


def is_jump(text: str) -> bool:
    """Whether it is `[USER@]HOST[:PORT]`."""
    login, at, rest = text.rpartition("@")
    host, colon, port = rest.partition(":")
    return (not at or is_login(login)) and is_host_name(host) and (not colon or is_port(port))


def is_host_and_port(text: str) -> bool:
    """Whether it is `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    return is_host_name(host) and is_port(port)


def is_port(text: str) -> bool:
    """Whether it is a TCP port."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(_PORT_LIMIT)) and 0 < int(text) <= _PORT_LIMIT


def is_mail_address(text: str) -> bool:
    """Whether it is `NAME@HOST`."""
    name, _, host = text.rpartition("@")
    return _MAIL.fullmatch(name) is not None and is_host_name(host)


def is_plain_path(text: str) -> bool:
    """Whether it is an absolute path without `.`, `..`, double or trailing slashes, or characters that shells read."""
    return _PATH.fullmatch(text) is not None and not {".", ".."} & set(text.split("/"))


def url_flaw(text: str, *, may_have_path: bool) -> str | None:
    """Why the text is not an http or https URL that may stand in the file; None where it is one."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - only where a URL is set

    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return "is not a URL"
    if url.scheme not in {"http", "https"}:
        return "does not start with http:// or https://"
    if "@" in url.netloc:
        return "has a login in it"
    if not url.hostname or not (is_host_name(url.hostname) or is_ip_address(url.hostname)) or port == 0:
        return "does not name a host"
    if url.query or url.fragment or (not may_have_path and url.path not in {"", "/"}):
        return "has more than a host and a port" if not may_have_path else "has a query"
    return None if re.fullmatch(r"[!-~]+", text) else "has characters that a URL cannot have"


def is_machine_type(text: str) -> bool:
    """Whether it looks like AWS's name of a machine type, such as `g6.xlarge`."""
    return bool(_MACHINE_TYPE.fullmatch(text))
