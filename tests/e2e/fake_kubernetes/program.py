#!/usr/bin/python3
# ruff: noqa: EXE001, S310, T201, TRY300 - it becomes a program on a host, which prints and speaks HTTP
"""A FAKE kubeadm, kubelet and kubectl in one: by its own name. It runs no containers and knows no Kubernetes.

kubeadm records its arguments and writes the files that the real one writes. The kubelet of the first host serves, by
plain HTTP, a list of nodes that joined with a token that was made there; kubectl changes that list. Times at which a
token ends are not kept.
"""

import http.server
import json
import pathlib
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

VERSION = "@VERSION@"
PORT = 6443
KUBERNETES = pathlib.Path("/etc/kubernetes")
STATE = pathlib.Path("/var/lib/fake-kubernetes")
NAME = pathlib.Path(sys.argv[0]).name


def record(documents: list[dict[str, Any]]) -> None:
    """Append the call; of a token only that there was one."""
    STATE.mkdir(exist_ok=True)
    kinds = [document["kind"] for document in documents]
    with (STATE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"at": time.time(), "argv": [NAME, *sys.argv[1:]], "kinds": kinds}) + "\n")


def post(api: str, node: dict[str, Any]) -> None:
    request = urllib.request.Request(f"http://{api}/", json.dumps(node).encode(), method="POST")
    for _ in range(100):
        try:
            urllib.request.urlopen(request, timeout=5).close()
            return
        except urllib.error.HTTPError:
            sys.exit("error execution phase preflight: the token is not known")
        except OSError:
            time.sleep(0.3)
    sys.exit(f"{api} does not answer")


def write(path: pathlib.Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def begin(documents: list[dict[str, Any]]) -> None:
    first, cluster = documents[:2]
    certificate = KUBERNETES / "pki/ca.crt"
    certificate.parent.mkdir(parents=True)
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=fake", "-keyout", "/dev/null"]
    subprocess.run([*make, "-out", str(certificate)], check=True, capture_output=True)
    write(KUBERNETES / "admin.conf", "fake\n")
    write(KUBERNETES / "manifests/kube-apiserver.yaml", f"image: registry.k8s.io/kube-apiserver:v{VERSION}\n")
    write(pathlib.Path("/var/lib/etcd/member/data"), "what etcd keeps\n")
    identity = {"name": first["nodeRegistration"]["name"], "api": cluster["controlPlaneEndpoint"]}
    write(KUBERNETES / "kubelet.conf", json.dumps(identity))
    subprocess.run(["systemctl", "restart", "kubelet.service"], check=True)


def join(document: dict[str, Any]) -> None:
    bootstrap = document["discovery"]["bootstrapToken"]
    identity = {"name": document["nodeRegistration"]["name"], "api": bootstrap["apiServerEndpoint"]}
    post(identity["api"], {**identity, "version": VERSION, "token": bootstrap["token"]})
    write(KUBERNETES / "kubelet.conf", json.dumps(identity))
    subprocess.run(["systemctl", "restart", "kubelet.service"], check=True)


def kubeadm(arguments: list[str]) -> None:
    documents = []
    if "--config" in arguments:
        documents = [json.loads(text) for text in sys.stdin.read().split("\n---\n")]
    record(documents)
    if arguments[0] == "init" and arguments[1:2] != ["phase"]:
        begin(documents)
    elif arguments[0] == "init":
        print(secrets.token_hex(32))
    elif arguments[0] == "join":
        join(documents[0])
    elif arguments[:2] == ["token", "create"]:
        token = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"
        with (STATE / "tokens").open("a") as tokens:
            tokens.write(token + "\n")
        print(token)
    elif arguments[0] == "upgrade":
        manifest = KUBERNETES / "manifests/kube-apiserver.yaml"
        if manifest.exists():
            write(manifest, f"image: registry.k8s.io/kube-apiserver:v{VERSION}\n")
    elif arguments[0] == "reset":
        (KUBERNETES / "kubelet.conf").unlink()


class Nodes(http.server.BaseHTTPRequestHandler):
    """The list of nodes."""

    def do_POST(self) -> None:
        node = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        nodes = json.loads((STATE / "nodes.json").read_text()) if (STATE / "nodes.json").exists() else {}
        known = (STATE / "tokens").read_text().split() if (STATE / "tokens").exists() else []
        is_known = node["name"] in nodes or node.get("token") in known or node.get("is_own")
        if is_known:
            nodes.setdefault(node["name"], {"labels": {}})["version"] = node["version"]
            write(STATE / "nodes.json", json.dumps(nodes))
        self.send_response(200 if is_known else 403)
        self.end_headers()


def kubelet(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        print(f"Kubernetes v{VERSION}")
        return
    STATE.mkdir(exist_ok=True)
    config = KUBERNETES / "kubelet.conf"
    while not config.exists():
        time.sleep(0.5)
    identity = {**json.loads(config.read_text()), "version": VERSION}
    if not (KUBERNETES / "manifests/kube-apiserver.yaml").exists():
        post(identity["api"], identity)
        while True:
            time.sleep(3600)
    nodes = json.loads((STATE / "nodes.json").read_text()) if (STATE / "nodes.json").exists() else {}
    nodes.setdefault(identity["name"], {"labels": {}})["version"] = VERSION
    write(STATE / "nodes.json", json.dumps(nodes))
    http.server.ThreadingHTTPServer(("", PORT), Nodes).serve_forever()


def kubectl(arguments: list[str]) -> None:
    words = arguments[2:]  # after --kubeconfig FILE
    record([])
    nodes = json.loads((STATE / "nodes.json").read_text())
    if words[:2] == ["get", "--raw=/readyz"]:
        print("ok")
    elif words[:2] == ["get", "nodes"]:
        items = [
            {"metadata": {"name": name}, "status": {"nodeInfo": {"kubeletVersion": f"v{node['version']}"}}}
            for name, node in nodes.items()
        ]
        print(json.dumps({"items": items}))
    elif words[:2] == ["label", "--overwrite"]:
        nodes[words[3]]["labels"].update(word.split("=") for word in words[4:])
        write(STATE / "nodes.json", json.dumps(nodes))


{"kubeadm": kubeadm, "kubelet": kubelet, "kubectl": kubectl}[NAME](sys.argv[1:])
