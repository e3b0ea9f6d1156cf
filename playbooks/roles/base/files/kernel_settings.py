#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Compares the running kernel with a sysctl file and, with --apply, sets what differs.

Prints a line for each difference and for each setting that cannot be set here, then `in order` where nothing is left.
A line that starts with `-` may be missing from this kernel or closed to this host (a container); another may not.
"""

import os
import sys
from pathlib import Path

SETTINGS = Path("/etc/sysctl.d/60-leptonctl.conf")
ROOT = Path("/proc/sys")


def wanted():
    """Each setting of the file as (key, value, whether it may be missing)."""
    for line in SETTINGS.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        yield key.strip().removeprefix("-"), " ".join(value.split()), line.startswith("-")


def is_settable(path):
    """Whether the kernel lets this process set it. Opening asks; nothing is written."""
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return bool(path.stat().st_mode & 0o222)


def value_of(path):
    """What is in force, with single spaces between its parts."""
    return " ".join(path.read_text(encoding="utf-8").split())


def main(mode):
    """Go through the settings; return the exit status: 0 in order, 1 not."""
    failed = False
    for key, value, is_optional in wanted():
        path = ROOT / (key if "/" in key.partition(".")[0] else key.replace(".", "/"))
        if not is_settable(path):
            print(f"{key}: cannot be set on this host")
            failed |= not is_optional
            continue
        before = value_of(path)
        if before == value:
            continue
        if mode == "--check":
            print(f"{key}: is {before}, should be {value}")
            failed = True
            continue
        try:
            path.write_text(value, encoding="utf-8")
        except OSError as refusal:
            print(f"{key}: the kernel refuses {value}: {refusal.strerror}")
            failed = True
            continue
        after = value_of(path)
        print(f"{key}: {before} -> {after}")
        if after != value:
            print(f"{key}: the kernel keeps {after}, should be {value}")
            failed = True
    if not failed:
        print("in order")
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:] not in (["--apply"], ["--check"]):
        sys.exit("usage: kernel_settings --apply|--check")
    sys.exit(main(sys.argv[1]))
