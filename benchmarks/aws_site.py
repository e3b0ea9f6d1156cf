"""A site on AWS with about as many resources as asked for, and moto to play AWS on loopback."""

from __future__ import annotations

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
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
IMAGES = Path(__file__).parents[1] / "tests" / "engine" / "images.json"
_SITE = """site: big
owner: ops@example.com
core:
  platform: aws
  aws: {{region: {region}}}
  network: {{cidr: 10.64.0.0/20}}
  nodes:
    gate: {{count: 1, machine: {{type: t3.small}}, aws: {{public: true}}}}
    train: {{count: {hosts}, machine: {{type: g6.xlarge, disk_gib: 200}}}}
  storage:
    data: {{size_gib: 500, nodes: [train]}}
"""


def write_site(folder: Path, resources: int) -> Counter[str]:
    """Write `site.yaml` whose core has just about this many resources, and give how many it has of each type."""
    path = folder / "site.yaml"
    fixed = _write(path, 1).total() - _EACH
    return _write(path, round((resources - fixed) / _EACH))


# An instance, its name, its volume, and the volume's attachment.
_EACH = 4


def _write(path: Path, hosts: int) -> Counter[str]:
    path.write_text(_SITE.format(region=REGION, hosts=hosts))
    args = location_args(load_site(path, environ={}).site, "core")
    if args is None:
        raise ValueError("the core is on AWS")
    return Counter(one.type for one in planned_resources(args))


@contextmanager
def moto() -> Iterator[str]:
    """The address of a moto in a process of its own, and variables for clients: see `variables`."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    environ = {"MOTO_AMIS_PATH": str(IMAGES), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url)
            yield url
        finally:
            server.terminate()


def variables(url: str, folder: Path) -> dict[str, str]:
    """The environment in which an AWS client speaks to moto and reads no one's own configuration."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


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
