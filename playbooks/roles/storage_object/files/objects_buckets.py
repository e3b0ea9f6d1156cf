#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""The buckets of the site file in this host's object store.

Usage: objects_buckets           make what is missing and set who may do what; prints `changed: ...` for each
       objects_buckets --check   print `in order`, or what is not; changes nothing

A bucket that left the site file is kept, and told, until the setting `delete` names it: then it goes with its objects.
Buckets that users made themselves are theirs, and are not looked at.
"""

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from swift.common.internal_client import InternalClient, UnexpectedResponse  # noqa: E402 - as eventlet wants it

SETTINGS = Path("/etc/leptonctl/objects.json")
CLIENT = "/etc/swift/objects-client.conf"
ACCOUNT = "AUTH_site"
# What is uploaded in parts lies there until it is put together; only an administrator could make it.
PARTS = "+segments"
MARK = "x-container-meta-leptonctl"
SAME = ("x-container-read", "x-container-write", "x-container-meta-quota-bytes", MARK)


def wanted(settings: dict) -> dict[str, dict[str, str]]:
    """What each container should say of itself. An empty text takes the header away."""
    found = {}
    for bucket in settings["buckets"]:
        readers = sorted({*bucket["readers"], *bucket["writers"]})
        own = {
            "x-container-read": ",".join(f"site:{user}" for user in readers),
            "x-container-write": ",".join(f"site:{user}" for user in sorted(bucket["writers"])),
            MARK: "site",
        }
        found[bucket["name"]] = {**own, "x-container-meta-quota-bytes": str(bucket["quota_bytes"] or "")}
        found[bucket["name"] + PARTS] = {**own, "x-container-meta-quota-bytes": ""}
    return found


def is_there(client: InternalClient, name: str) -> dict[str, str] | None:
    """What a container says of itself; None where there is none."""
    try:
        found = client.get_container_metadata(ACCOUNT, name)
    except UnexpectedResponse as error:
        if error.resp.status_int == HTTPStatus.NOT_FOUND:
            return None
        raise
    return {key: found.get(key, "") for key in SAME}


def left(client: InternalClient, settings: dict) -> list[str]:
    """The buckets that leptonctl made and that the site file has no more, by name."""
    names = [one["name"] for one in client.iter_containers(ACCOUNT)]
    asked = wanted(settings)
    gone = [name for name in names if name not in asked and not name.endswith(PARTS)]
    return [name for name in gone if (is_there(client, name) or {}).get(MARK)]


def problems(client: InternalClient, settings: dict) -> Iterator[str]:
    """What is not as the site file says."""
    for name, should in wanted(settings).items():
        found = is_there(client, name)
        if found is None:
            yield f"the bucket {name} is missing"
        elif found != should:
            yield f"the bucket {name} has other rights or another quota"
    for name in left(client, settings):
        yield f"the bucket {name} left the site file and is kept (delete: [{name}] deletes it)"


def make(client: InternalClient, settings: dict) -> None:
    """Make, set, and delete what was named."""
    for name, should in wanted(settings).items():
        found = is_there(client, name)
        if found is None:
            client.create_container(ACCOUNT, name, headers=should)
            print(f"changed: made {name}")
        elif found != should:
            client.set_container_metadata(ACCOUNT, name, should)
            print(f"changed: set {name}")
    for name in left(client, settings):
        if name in settings["delete"]:
            for one in (name + PARTS, name):
                for entry in client.iter_objects(ACCOUNT, one):
                    client.delete_object(ACCOUNT, one, entry["name"])
                client.delete_container(ACCOUNT, one)
            print(f"changed: deleted {name}")


def main() -> None:
    """Look or make."""
    settings = json.loads(SETTINGS.read_text())
    is_check = sys.argv[1:] == ["--check"]
    try:
        client = InternalClient(CLIENT, "leptonctl", 1 if is_check else 5)
        if is_check:
            print("; ".join(problems(client, settings)) or "in order")
        else:
            make(client, settings)
    except (UnexpectedResponse, OSError) as error:
        sys.exit(f"the object store does not answer: {error}")


if __name__ == "__main__":
    main()
