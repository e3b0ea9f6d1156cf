#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Tries this host's object store as a client does: writes an object over S3, reads it back and deletes it.

Usage: objects_try NAME   print `in order`, or what is not. NAME is the object's, so that two tries do not meet.

The key is this host's own, for an account that nothing else is in. It is in files for root alone, never in arguments.
"""

import json
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = Path("/etc/leptonctl/objects.json")
KEY = Path("/etc/leptonctl/objects-try.key")
BUCKET = "try-it"
LIMIT_S = 20


class Failed(Exception):
    """What s3cmd said."""


def s3(configuration: Path, *arguments: str) -> None:
    """Run s3cmd to its end."""
    argv = ["s3cmd", f"--config={configuration}", "--no-progress", "--quiet", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise Failed(" ".join(done.stderr.split()) or f"s3cmd ended with {done.returncode}")


def tried(folder: Path, name: str) -> str:
    """What the store made of it."""
    configuration, sent, back = folder / "s3cfg", folder / "sent", folder / "back"
    address = f"127.0.0.1:{json.loads(SETTINGS.read_text())['port']}"
    lines = ("[default]", "access_key = try:try", f"secret_key = {KEY.read_text().strip()}", "use_https = False")
    lines = (
        *lines,
        f"host_base = {address}",
        f"host_bucket = {address}",
        "bucket_location = us-east-1",
        "max_retries = 1",
    )
    configuration.write_text("\n".join(lines) + "\n")
    sent.write_bytes(secrets.token_bytes(4096))
    where = f"s3://{BUCKET}/{name}"
    try:
        s3(configuration, "put", str(sent), where)
    except Failed as error:
        if "NoSuchBucket" not in str(error):
            raise
        s3(configuration, "mb", f"s3://{BUCKET}")
        s3(configuration, "put", str(sent), where)
    try:
        s3(configuration, "get", where, str(back))
    finally:
        s3(configuration, "del", where)
    return "in order" if back.read_bytes() == sent.read_bytes() else "what was read is not what was written"


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as scratch:
            print(tried(Path(scratch), sys.argv[1]))
    except (Failed, OSError, ValueError, LookupError, subprocess.TimeoutExpired) as error:
        print(f"no: {error}")
