#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Makes the paths of the site file in HDFS, each with its owner and redundancy; with `--check` it only looks.

Runs on the name node, and asks it by WebHDFS; on one that stands by there is nothing to do. Prints a line
`changed: ...` for what it did; with `--check` `in order` or what is not. How often a file is kept is the file's own in
HDFS: files that a client wrote otherwise are given the path's number. A file that was there before its path was
erasure-coded stays as it was written.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

SETTINGS = Path("/etc/leptonctl/hdfs.json")
READ_ANEW = (Path("/etc/leptonctl/hadoop/nodes"), Path("/etc/leptonctl/hadoop/racks"))
STAMP = Path("/var/lib/leptonctl/hdfs-nodes-read")
URL = "http://127.0.0.1:9870"
JAVA = "/usr/lib/jvm/default-java/bin/java"
SHARE = "/opt/leptonctl/hadoop/share/hadoop"
CLASSES = ":".join(
    ("/etc/leptonctl/hadoop", *(f"{SHARE}/{part}" for part in ("common/*", "common/lib/*", "hdfs/*", "hdfs/lib/*")))
)
TOOLS = "org.apache.hadoop.hdfs.tools"
LIMIT_S = 240
REPLICATED = "replication"


def ask(method: str, path: str, **query: object) -> dict:
    """WebHDFS's answer as the superuser."""
    words = urllib.parse.urlencode({"user.name": "hdfs", **query})
    url = f"{URL}/webhdfs/v1{urllib.parse.quote(path)}?{words}"
    request = urllib.request.Request(url, method=method)  # noqa: S310 - this host's own name node
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        return json.loads(answer.read() or b"{}")


def bean(name: str, url: str = URL) -> dict:
    """One of a name node's own figures."""
    url = f"{url}/jmx?qry=Hadoop:service=NameNode,name={name}"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())["beans"][0]


def tool(name: str, *arguments: str) -> None:
    """Run one of HDFS's own tools as its superuser: what WebHDFS does not have."""
    done = subprocess.run(
        [JAVA, "-cp", CLASSES, f"{TOOLS}.{name}", *arguments],
        user="hdfs",
        group="hdfs",
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    if done.returncode != 0:
        sys.exit(f"{name} {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")


def wait_for_names(settings: dict, limit_s: float) -> bool:
    """Wait until the name node answers and takes changes; end the program where it does not. False: it stands by."""
    end, why = time.monotonic() + limit_s, ""
    while True:
        try:
            if is_active():
                why = bean("NameNodeInfo")["Safemode"]
                if not why:
                    return True
            elif any(is_active(f"http://{one}:9870") for one in settings["name_nodes"] if one != settings["address"]):
                return False
            else:
                why = "none is active"
        except (OSError, ValueError, LookupError) as error:
            why = f"it does not answer: {error}"
        if time.monotonic() > end:
            sys.exit(f"the name node takes no changes: {' '.join(why.split())}")
        time.sleep(1)


def is_active(url: str = URL) -> bool:
    """Whether a name node is the active one; one that is alone always is."""
    return bean("NameNodeStatus", url)["State"] == "active"


def read_nodes_anew(address: str, *, is_look: bool) -> Iterator[str]:
    """Have this host's name node read who may be a data node, where that changed since it did."""
    since = bean("NameNodeInfo")["NNStartedTimeInMillis"] / 1000
    since = max(since, STAMP.stat().st_mtime if STAMP.exists() else 0)
    if all(path.stat().st_mtime < since for path in READ_ANEW):
        return
    yield "the data nodes that may register"
    if not is_look:
        begun = time.time()
        tool("DFSAdmin", "-fs", f"hdfs://{address}:8020", "-refreshNodes")
        STAMP.parent.mkdir(parents=True, exist_ok=True)
        STAMP.write_text(f"{begun}\n")


def policy(name: str, *, is_look: bool) -> Iterator[str]:
    """Enable an erasure-coding policy."""
    every = ask("GET", "/", op="GETECPOLICIES")["ErasureCodingPolicies"]["ErasureCodingPolicyInfo"]
    states = {one["policy"]["name"]: one["state"] for one in every}
    if states.get(name) != "ENABLED":
        yield f"the policy {name} is enabled"
        if not is_look:
            tool("ECAdmin", "-enablePolicy", "-policy", name)


def status(path: str) -> dict | None:
    """What the name node knows of a path; None where it is not there."""
    try:
        return ask("GET", path, op="GETFILESTATUS")["FileStatus"]
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return None
        raise


def one_path(wanted: dict, *, is_look: bool) -> Iterator[str]:
    """Make one path what it should be."""
    path, coded = wanted["path"], wanted["policy"]
    there = status(path)
    if there is None:
        yield f"{path} is there"
        if is_look:
            return
        ask("PUT", path, op="MKDIRS", permission="755")
        there = status(path) or {}
    if there.get("owner") != wanted["owner"]:
        yield f"{path} is {wanted['owner']}'s"
        if not is_look:
            ask("PUT", path, op="SETOWNER", owner=wanted["owner"])
    if there.get("ecPolicy", REPLICATED) != (coded or REPLICATED):
        yield f"{path} is kept by {coded or REPLICATED}"
        if not is_look:
            ask("PUT", path, op="SETECPOLICY", ecpolicy=coded or REPLICATED)
    if not coded:
        yield from copies(path, wanted["copies"], is_look=is_look)


def copies(folder: str, count: int, *, is_look: bool) -> Iterator[str]:
    """Keep each file below a folder `count` times. A file that is erasure-coded says 0 or is left as it is."""
    for entry in ask("GET", folder, op="LISTSTATUS")["FileStatuses"]["FileStatus"]:
        path = f"{folder.rstrip('/')}/{entry['pathSuffix']}"
        if entry["type"] == "DIRECTORY" and not entry.get("ecPolicy"):
            yield from copies(path, count, is_look=is_look)
        elif entry["type"] == "FILE" and entry["replication"] != count and not entry.get("ecPolicy"):
            yield f"{path} is kept {count} times"
            if not is_look:
                ask("PUT", path, op="SETREPLICATION", replication=count)


def all_of_it(settings: dict, *, takes_changes: bool, is_look: bool) -> Iterator[str]:
    """Everything, in order."""
    yield from read_nodes_anew(settings["address"], is_look=is_look)
    wanted = settings["paths"] if takes_changes else []
    for name in sorted({one["policy"] for one in wanted if one["policy"]}):
        yield from policy(name, is_look=is_look)
    for one in wanted:
        yield from one_path(one, is_look=is_look)


def main(*, is_look: bool) -> None:
    """Look, or do."""
    settings = json.loads(SETTINGS.read_text())
    takes_changes = wait_for_names(settings, 0 if is_look else LIMIT_S)
    count = 0
    for line in all_of_it(settings, takes_changes=takes_changes, is_look=is_look):
        count += 1
        print(f"not so: {line}" if is_look else f"changed: {line}", flush=True)
    if not count:
        print("in order")


if __name__ == "__main__":
    try:
        main(is_look=sys.argv[1:] == ["--check"])
    except (OSError, ValueError, LookupError) as error:
        body = error.read().decode(errors="replace")[:300] if isinstance(error, urllib.error.HTTPError) else ""
        sys.exit(f"the name node's answer was not understood: {error} {body}")
