#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""What the object store of this host needs once and then keeps: the salt of its names, its rings, and a key to try it.

Usage: objects_host           make what is missing; prints `changed: ...` for each
       objects_host --check   print `in order`, or what is not; changes nothing

The salt is made once and lies with the data: without it no object is found again. So it is never made where data is.
"""

import base64
import grp
import os
import pwd
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from swift.common.ring import RingBuilder

ROOT = Path("/srv/objects")
DATA = ROOT / "data"
SALT = ROOT / "salt"
SETTINGS = Path("/etc/swift")
SWIFT = SETTINGS / "swift.conf"
TRY_USER = SETTINGS / "proxy-server.conf.d" / "30-try.conf"
TRY_KEY = Path("/etc/leptonctl/objects-try.key")
HEADER = "# Managed by leptonctl: the next run puts this file back.\n"
# One disk and one copy: every name is on it, whatever its place in the ring. The power can never be changed.
PARTS = {"account": 6202, "container": 6201, "object": 6200}
POWER = 10


def ring(part: str) -> bytes:
    """The ring of a part, the same bytes each time."""
    builder = RingBuilder(POWER, 1, 0)
    builder.add_dev(
        {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": PARTS[part], "device": DATA.name, "weight": 1.0}
    )
    builder.rebalance(seed=1)
    scratch = SETTINGS / f".{part}.ring.new"
    builder.get_ring().save(str(scratch))
    content = scratch.read_bytes()
    scratch.unlink()
    return content


def wanted(salt: str, key: str) -> dict[Path, bytes]:
    """The files that follow from the salt and the key."""
    swift = (
        f"{HEADER}[swift-hash]\nswift_hash_path_suffix = {salt}\n\n[storage-policy:0]\nname = Policy-0\ndefault = yes\n"
    )
    user = f"{HEADER}[filter:tempauth]\nuser_try_try = {key} .admin\n"
    return {
        SWIFT: swift.encode(),
        TRY_USER: user.encode(),
        **{SETTINGS / f"{part}.ring.gz": ring(part) for part in PARTS},
    }


def problems() -> Iterator[str]:
    """What is not as it should be, without the rings' content where there is no salt."""
    if not SALT.is_file():
        yield f"{SALT} is missing"
        return
    if not TRY_KEY.is_file():
        yield f"{TRY_KEY} is missing"
        return
    for path, content in wanted(SALT.read_text().strip(), TRY_KEY.read_text().strip()).items():
        if not path.is_file() or path.read_bytes() != content:
            yield f"{path} is {'other than it was made' if path.is_file() else 'missing'}"
    for path in (SALT, TRY_KEY):
        if path.stat().st_mode & 0o077 or path.stat().st_uid:
            yield f"{path} is not for root alone"
    for path in (SWIFT, TRY_USER):
        if path.is_file() and (path.stat().st_mode & 0o027 or path.stat().st_uid):
            yield f"{path} can be read or written by others"
    if not DATA.is_dir() or DATA.owner() != "swift":
        yield f"{DATA} is not a folder of swift's"


def write(path: Path, content: bytes, mode: int, group: str = "root") -> None:
    """Put a file there whole, with its rights from the first moment."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchown(handle, 0, grp.getgrnam(group).gr_gid)
        os.fchmod(handle, mode)
        file.write(content)
    scratch.rename(path)


def is_used() -> bool:
    """Whether objects, or lists of them, are there."""
    return DATA.is_dir() and any(DATA.iterdir())


def own_salt() -> str | None:
    """The salt by which this host served before, wherever its data is now."""
    lines = SWIFT.read_text().splitlines() if SWIFT.is_file() else []
    found = [line.partition(" = ")[2] for line in lines if line.startswith("swift_hash_path_suffix = ")]
    return found[0] if lines and lines[0] + "\n" == HEADER and found else None


def make() -> None:
    """Make what is missing; ends with 1 where data would be lost sight of."""
    ROOT.mkdir(exist_ok=True)
    if not SALT.is_file():
        if is_used():
            sys.exit(f"there are objects in {DATA}, and {SALT} by which they are found is missing: bring it back")
        if own_salt() is not None:
            sys.exit(f"this host served objects from {ROOT}, and they are not there now: is its disk mounted?")
        write(SALT, base64.b32encode(secrets.token_bytes(30)), 0o600)
        print(f"changed: {SALT}")
    if not TRY_KEY.is_file():
        write(TRY_KEY, secrets.token_hex(24).encode(), 0o600)
        print(f"changed: {TRY_KEY}")
    for path in (SALT, TRY_KEY):
        if path.stat().st_mode & 0o077 or path.stat().st_uid:
            os.chown(path, 0, 0)
            path.chmod(0o600)
            print(f"changed: the rights of {path}")
    if not DATA.is_dir() or DATA.owner() != "swift":
        DATA.mkdir(exist_ok=True)
        os.chown(DATA, pwd.getpwnam("swift").pw_uid, grp.getgrnam("swift").gr_gid)
        print(f"changed: {DATA}")
    for path, content in wanted(SALT.read_text().strip(), TRY_KEY.read_text().strip()).items():
        is_secret = path in {SWIFT, TRY_USER}
        mode = 0o640 if is_secret else 0o644
        if not path.is_file() or path.read_bytes() != content or path.stat().st_mode & 0o777 != mode:
            write(path, content, mode, "swift" if is_secret else "root")
            print(f"changed: {path}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        print("; ".join(problems()) or "in order")
    else:
        make()
