"""A double of `pulumi-resource-kubernetes`: the provider protocol in front of an API server over HTTP.

It reads the kubeconfig that it is configured with, and starts the credential plug-in that it names as any client does.
It does what the suite needs of the real provider: puts an object as it was given, reads it for `refresh`, says that one
is gone, refuses to go on where the server does not answer. It does not speak TLS (where the server really is, stands in
an environment variable), asks for no schema, applies no patch, waits for nothing to get ready, and knows no default.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from tests.engine.double.serving import NONE, SOME, ProviderDouble
from tests.engine.wire import plain, struct

SERVER_VARIABLE = "LEPTONCTL_FAKE_KUBERNETES"
"""Where the fake API server is, for every cluster: `http://127.0.0.1:PORT`."""
CLUSTER_HEADER = "X-Cluster"
_FIXED = ("apiVersion", "kind", "metadata.name", "metadata.namespace", "spec.selector", "provisioner", "parameters",
          "value", "roleRef")  # fmt: skip
Object = dict[str, Any]


class Unreachable(Exception):
    """The API server did not answer."""


class KubernetesDouble(ProviderDouble):
    """The calls that the engine makes of a provider."""

    version = "4.34.2"

    def __init__(self) -> None:
        super().__init__()
        self._kubeconfig = ""
        self._token = ""
        self._lock = threading.Lock()

    def DiffConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the names are the protocol's, here and below
        olds, news = plain(request.olds), plain(request.news)
        is_other = olds.get("clusterIdentifier") != news.get("clusterIdentifier")
        return provider_pb2.DiffResponse(
            changes=NONE if olds == news else SOME, replaces=["clusterIdentifier"] if is_other else []
        )

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self._kubeconfig = plain(request.args).get("kubeconfig") or ""
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Check(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, _context: Any) -> Any:  # noqa: N802
        olds, news = plain(request.old_inputs), plain(request.news)
        changed = [name for name in sorted(olds.keys() | news.keys()) if olds.get(name) != news.get(name)]
        replaces = [path for path in _FIXED if _at(olds, path) != _at(news, path)]
        return provider_pb2.DiffResponse(
            changes=SOME if changed else NONE, diffs=changed, replaces=replaces, deleteBeforeReplace=bool(replaces)
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        wanted = plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=struct(wanted))
        self._ask(context, "PUT", wanted, body=wanted)
        return provider_pb2.CreateResponse(id=_id(wanted), properties=struct(wanted))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        there = self._ask(context, "GET", plain(request.inputs) or plain(request.properties))
        if there is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(id=request.id, properties=struct(there), inputs=struct(there))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        wanted = plain(request.news)
        if not request.preview:
            self._ask(context, "PUT", wanted, body=wanted)
        return provider_pb2.UpdateResponse(properties=struct(wanted))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._ask(context, "DELETE", plain(request.properties))
        return empty_pb2.Empty()

    def _ask(self, context: Any, method: str, named: Object, *, body: Object | None = None) -> Object | None:
        """What the server answers; None where it has no such object."""
        try:
            return self._asked(method, path_of(named), body)
        except (Unreachable, subprocess.CalledProcessError) as error:
            told = getattr(error, "stderr", None) or error
            context.abort(grpc.StatusCode.UNKNOWN, f"configured Kubernetes cluster is unreachable: {told}")
        return None

    def _asked(self, method: str, path: str, body: Object | None) -> Object | None:
        config = json.loads(self._kubeconfig)
        host = urlsplit(config["clusters"][0]["cluster"]["server"]).netloc
        request = urllib.request.Request(  # noqa: S310 - the fake's own address
            os.environ[SERVER_VARIABLE] + path,
            data=json.dumps(body).encode() if body is not None else None,
            method=method,
            headers={CLUSTER_HEADER: host, "Authorization": f"Bearer {self._bearer(config)}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
                found: Object = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise Unreachable(f"{error.code} {error.reason}") from error
        except (urllib.error.URLError, ConnectionError) as error:
            raise Unreachable(f"dial tcp: lookup {host}: {error}") from error

    def _bearer(self, config: Object) -> str:
        with self._lock:
            if not self._token:
                plugin = config["users"][0]["user"]["exec"]
                done = subprocess.run(
                    [plugin["command"], *plugin["args"]], capture_output=True, text=True, check=True, timeout=60
                )
                self._token = json.loads(done.stdout)["status"]["token"]
            return self._token


def path_of(named: Object) -> str:
    """Where an object is in the API."""
    version, meta = named["apiVersion"], named["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    space = f"/namespaces/{meta['namespace']}" if meta.get("namespace") else ""
    return f"{root}{space}/{plural(named['kind'])}/{meta['name']}"


def plural(kind: str) -> str:
    """The kind as it stands in a path: `networkpolicies`, `storageclasses`."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _id(named: Object) -> str:
    meta = named["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def _at(values: Any, path: str) -> Any:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values
