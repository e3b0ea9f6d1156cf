"""Runs on a control plane host, as root, sent over SSH: what other hosts need of a cluster. Prints one JSON object.

`join` makes a token that expires and tells the digest of the cluster's certificate; `drain` empties nodes whose
kubelet is of another version; `settle` lets pods onto nodes again and sets their labels. No secret is in an argument.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from leptonctl.hosts.remote.facts import run

SCHEMA = 1
LIMIT_S = 240
KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
CERTIFICATE = "/etc/kubernetes/pki/ca.crt"
# As kubeadm prints it: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
PUBLIC_KEY_DIGEST = (
    f"openssl x509 -pubkey -in {CERTIFICATE} | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex"
)
# What keeps new pods off a node whose accelerators do not pass.
UNHEALTHY = "lepton.site/unhealthy"
TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
KEY = re.compile(r"[0-9a-f]{64}")


class Failed(Exception):
    """A command that did not do what it should, with what it said."""


def main(request: dict[str, Any]) -> int:
    """Do what was asked and print the answer."""
    try:
        answer = {"join": join, "drain": drain, "settle": settle}[request["do"]](request)
    except Failed as failure:
        answer = {"error": str(failure)}
    sys.stdout.write(json.dumps({"schema": SCHEMA, **answer}) + "\n")
    return 0


def said(*argv: str) -> str:
    """What a command prints that has to succeed."""
    status, out, err = run(list(argv), LIMIT_S)
    if status != 0:
        last = " ".join((err or out).split())[-300:]
        raise Failed(f"{' '.join(argv[:3])}: exit {status}: {last or 'it said nothing'}")
    return out


def join(request: dict[str, Any]) -> dict[str, Any]:
    """A token for as long as asked, the digest that proves the cluster, and a key for control plane hosts."""
    token = TOKEN.search(said("kubeadm", "token", "create", "--ttl", f"{request['minutes']}m"))
    digest = KEY.search(said("sh", "-c", PUBLIC_KEY_DIGEST))
    if token is None or digest is None:
        raise Failed("kubeadm gave no token of the form that it should have")
    found = {"token": token.group(), "ca_hash": "sha256:" + digest.group()}
    if request["is_control_plane"]:
        key = KEY.search(said("kubeadm", "init", "phase", "upload-certs", "--upload-certs"))
        if key is None:
            raise Failed("kubeadm gave no key for the control plane's certificates")
        found["certificate_key"] = key.group()
    return found


def nodes() -> dict[str, Any]:
    """The cluster's nodes by name."""
    listed = json.loads(said(*KUBECTL, "get", "nodes", "--output", "json"))
    return {one["metadata"]["name"]: one for one in listed["items"]}


def drain(request: dict[str, Any]) -> dict[str, Any]:
    """Move the pods off those nodes that are there with another version."""
    there = {name: one["status"]["nodeInfo"]["kubeletVersion"] for name, one in nodes().items()}
    drained = [
        name for name in request["nodes"] if there.get(name, "v" + request["version"]) != "v" + request["version"]
    ]
    for name in drained:
        said(*KUBECTL, "drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
    return {"drained": drained}


def settle(request: dict[str, Any]) -> dict[str, Any]:
    """Let pods onto the nodes that are fit, and set their labels: a kubelet sets its own only when it joins."""
    there = nodes()
    for name, labels in request["nodes"].items():
        if name not in there:
            continue
        said(*KUBECTL, "label", "--overwrite", "node", name, *(f"{key}={value}" for key, value in labels.items()))
        is_tainted = any(one["key"] == UNHEALTHY for one in there[name].get("spec", {}).get("taints", ()))
        if name in request["unfit"]:
            said(*KUBECTL, "taint", "--overwrite", "node", name, f"{UNHEALTHY}=true:NoSchedule")
        elif is_tainted:
            said(*KUBECTL, "taint", "node", name, f"{UNHEALTHY}-")
        said(*KUBECTL, "uncordon", name)
    return {"missing": sorted(set(request["nodes"]) - set(there))}
