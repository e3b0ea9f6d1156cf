"""A site on AWS with about as many resources as asked for, and moto to play AWS on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.platforms.pulumi_engine import ENGINE_VARIABLE
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
ENGINE_TESTS = Path(__file__).parents[1] / "tests" / "engine"
_HEAD = f"""site: big
owner: ops@example.com
core:
  platform: aws
  network: {{cidr: 10.64.0.0/20}}
  aws:
    region: {REGION}
    buckets:
"""
_HOSTS = """      models: {{}}
  nodes:
    gate: {{count: 1, machine: {{type: t3.small}}, aws: {{public: true}}}}
    train: {{count: {count}, machine: {{type: g6.xlarge, disk_gib: 200}}}}
  storage:
    data: {{size_gib: 500, nodes: [train]}}
"""


def write_site(folder: Path, resources: int, *, with_hosts: bool) -> Counter[str]:
    """Write `site.yaml` whose core has just about this many resources, and give how many it has of each type.

    Most of them are machines, or, without hosts, buckets: those can be asked for where no machine is behind an address.
    """
    path, text = folder / "site.yaml", _hosts if with_hosts else _buckets
    fewest, more = _write(path, text(1)).total(), _write(path, text(2)).total()
    return _write(path, text(1 + round((resources - fewest) / (more - fewest))))


def _hosts(count: int) -> str:
    return _HEAD + _HOSTS.format(count=count)


def _buckets(count: int) -> str:
    return _HEAD + "".join(f"      bucket-{number}: {{}}\n" for number in range(count))


def _write(path: Path, text: str) -> Counter[str]:
    path.write_text(text)
    args = location_args(load_site(path, environ={}).site, "core")
    if args is None:
        raise ValueError("the core is on AWS")
    return Counter(one.type for one in planned_resources(args))


@contextmanager
def moto() -> Iterator[str]:
    """The address of a moto in a process of its own, and variables for clients: see `variables`."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    environ = {"MOTO_AMIS_PATH": str(ENGINE_TESTS / "images.json"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url)
            yield url
        finally:
            server.terminate()


def variables(url: str, folder: Path) -> dict[str, str]:
    """The environment in which an AWS client speaks to moto and reads no one's own configuration.

    The provider double of the engine's tests is on the path, and so is the engine that `engine` gives.
    """
    return {
        "PATH": os.pathsep.join((str(ENGINE_TESTS), str(Path(sys.executable).parent), os.environ["PATH"])),
        "PULUMI_HOME": str(folder / "pulumi-home"),
        ENGINE_VARIABLE: engine(),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def engine() -> str:
    """The program of the engine: the real one where there is one, else the stand-in of the tests."""
    return os.environ.get(ENGINE_VARIABLE) or shutil.which("pulumi") or str(ENGINE_TESTS / "standin" / "pulumi")


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5):  # noqa: S310 - http to loopback
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("moto did not start within a minute")


def _free_port() -> int:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
