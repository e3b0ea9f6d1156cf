#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Makes this host what it should be in its cluster, by kubeadm: begins it, joins it, or raises it to another version.

Reads from stdin, as JSON: `part`, `version`, `configuration` (kubeadm's documents) and `join` (token, CA hashes,
certificate key), so that no secret is in an argument or a file. Prints `changed: ...` where it did something.
With `--leave FOLDER` it leaves the cluster, with etcd's data put aside in there, under the time.
With `--check VERSION PART` it changes nothing and prints `member` where the host is in its cluster with that version.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

KUBERNETES = Path("/etc/kubernetes")
KUBELET_CONFIG = KUBERNETES / "kubelet.conf"
API_SERVER = KUBERNETES / "manifests/kube-apiserver.yaml"
ETCD = Path("/var/lib/etcd")
LIMIT_S = 900


def kubeadm(*arguments: str, documents: list[dict] = ()) -> None:
    """Run kubeadm, with its configuration on stdin."""
    # JSON is YAML: kubeadm reads it.
    text = "\n---\n".join(json.dumps(document) for document in documents)
    done = subprocess.run(
        ["kubeadm", *arguments], input=text, text=True, capture_output=True, check=False, timeout=LIMIT_S
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-5:]
        sys.exit(f"kubeadm {arguments[0]}: exit {done.returncode}: {' '.join(last)}")


def with_join(document: dict, join: dict) -> dict:
    """The join configuration with what is only good for a while."""
    if not join.get("token"):
        sys.exit("there is no join token: the first control plane host did not give one")
    bootstrap = {**document["discovery"]["bootstrapToken"], "token": join["token"], "caCertHashes": [join["ca_hash"]]}
    found = {**document, "discovery": {"bootstrapToken": bootstrap}}
    if "controlPlane" in document:
        found["controlPlane"] = {**document["controlPlane"], "certificateKey": join["certificate_key"]}
    return found


def api_version() -> str | None:
    """The version of this host's API server; None where it has none."""
    found = re.search(r"kube-apiserver:v(\d+\.\d+\.\d+)", API_SERVER.read_text()) if API_SERVER.exists() else None
    return found.group(1) if found else None


def kubelet_version() -> str | None:
    """The version of the kubelet that is installed."""
    said = subprocess.run(["kubelet", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v(\d+\.\d+\.\d+)", said)
    return found.group(1) if found else None


def ensure(asked: dict) -> None:
    """Do what is missing."""
    part, version = asked["part"], asked["version"]
    if not KUBELET_CONFIG.exists():
        if part == "first":
            kubeadm("init", "--config", "/dev/stdin", "--skip-token-print", documents=asked["configuration"])
            print("changed: the cluster was begun")
        else:
            (document,) = asked["configuration"]
            kubeadm("join", "--config", "/dev/stdin", documents=[with_join(document, asked["join"])])
            print("changed: joined the cluster")
    elif part == "first" and api_version() != version:
        kubeadm("upgrade", "apply", f"v{version}", "--yes")
        print("changed: the cluster was raised")
    elif (part == "control_plane" and api_version() != version) or (part == "worker" and kubelet_version() != version):
        kubeadm("upgrade", "node")
        print("changed: the node was raised")


def check(version: str, part: str) -> str:
    """What is not as it should be, or `member`."""
    if not KUBELET_CONFIG.exists():
        return "it has not joined"
    if part != "worker" and api_version() != version:
        return f"its API server is {api_version()}"
    return "member"


def leave(kept: str) -> None:
    """Leave the cluster; what etcd wrote is put aside first, because kubeadm deletes it."""
    if ETCD.exists():
        Path(kept).mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(ETCD, Path(kept, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())))
    kubeadm("reset", "--force")
    print("changed: left the cluster")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--leave"]:
        leave(sys.argv[2])
    elif sys.argv[1:2] == ["--check"]:
        print(check(*sys.argv[2:]))
    else:
        ensure(json.load(sys.stdin))
