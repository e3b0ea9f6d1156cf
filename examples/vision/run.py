"""The example, from nothing to figures: a site of three tiers, data into its HDFS, training, serving, faults.

Usage: run.py PACKAGES WORK SITE [--keep]. `make example` makes PACKAGES (the libraries) and WORK (a folder to work in).
Prints what each step does, then the figures as a table and, on the last line, as JSON.
"""

from __future__ import annotations

import csv
import gzip
import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from examples.hadoop.archive import archive
from examples.vision.app.files import Files
from examples.vision.hosts import Failed, Hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
APP = HERE / "app"
# Of the libraries, what training needs on a host.
TRAINED_BY = ("jax", "jaxlib", "ml_dtypes", "numpy", "numpy.libs", "opt_einsum", "scipy", "scipy.libs")
CORE, REGION, EDGE = "core/names-1", "regions/west/serve-1", "edges/shop/box-1"
DATASET, MODEL = "/datasets/digits.csv.gz", "/models/digits.npz"
IMAGE = "localhost/vision/predict:1"
SERVED = "/srv/vision"
# Every fifth image is held back: the model is judged on those, and clients ask with them.
HELD_BACK = 5
ONE_WAY_MS = 20
REQUESTS = 300
FAULT_S = 15


def main(packages: Path, work: Path, site: str, *, is_kept: bool) -> dict[str, Any]:
    """Do it all; the figures."""
    begun = time.monotonic()
    with site_up(work, site, is_kept=is_kept) as hosts:
        at = hosts.addresses()
        figures: dict[str, Any] = {"up_s": round(time.monotonic() - begun)}
        files = Files(f"http://{at[CORE]}:9870")
        say("the data set goes to the core's HDFS, by WebHDFS")
        digits = (packages / "sklearn/datasets/data/digits.csv.gz").read_bytes()
        files.write(DATASET, digits)
        say("the network is trained on a core host, on data read from there")
        figures |= trained(hosts, packages)
        say("the model becomes a container, on the core, in the region (two) and at the edge")
        deploy(hosts, packages, files.read(MODEL), asked(digits))
        say("requests")
        figures |= measured(hosts, at)
        figures["all_s"] = round(time.monotonic() - begun)
        return figures


@contextmanager
def site_up(work: Path, site: str, *, is_kept: bool) -> Iterator[Hosts]:
    """The site, up; taken down again at the end unless it is kept."""
    made = archive(work)
    with served(work) as port:
        address = own_address()
        words = {"HADOOP_ARCHIVE": f"http://{address}:{port}/{made.path.name}", "HADOOP_DIGEST": made.digest}
        file = work / "vision.yaml"
        file.write_text(Template((HERE / "site.yaml").read_text()).substitute({**words, "SITE": site}))
        hosts = Hosts(file)
        try:
            hosts.run("up", "--yes")
            yield hosts
        finally:
            if not is_kept:
                hosts.run("down", "--yes", "--delete-data", "all")


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """A folder served to the site's own hosts; the port."""
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "http.server", str(port), "--directory", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.terminate()


def own_address() -> str:
    """The address of this machine on its way to others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("198.51.100.1", 9))
        return str(one.getsockname()[0])


def trained(hosts: Hosts, packages: Path) -> dict[str, Any]:
    """Train on the core; accuracy and time."""
    programs: dict[str, Path | bytes] = {name: APP / name for name in ("files.py", "network.py", "train.py")}
    hosts.send(CORE, SERVED, {**programs, **{f"packages/{name}": packages / name for name in TRAINED_BY}})
    url = "http://127.0.0.1:9870"
    told = hosts.on(CORE, "env", f"PYTHONPATH={SERVED}/packages", "python3", f"{SERVED}/train.py", url, DATASET, MODEL)
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def asked(digits: bytes) -> bytes:
    """The images that were held back, as clients send them, with their labels."""
    rows = list(csv.reader(gzip.decompress(digits).decode().splitlines()))[::HELD_BACK]
    images = [[float(value) / 16 for value in row[:-1]] for row in rows]
    return json.dumps({"images": images, "labels": [int(float(row[-1])) for row in rows]}).encode()


def deploy(hosts: Hosts, packages: Path, model: bytes, images: bytes) -> None:
    """The image is built on each host, of what is on it; then its replicas start."""
    app: dict[str, Path | bytes] = {name: APP / name for name in ("serve.py", "network.py")}
    app["model.npz"] = model
    app |= {f"packages/{name}": packages / name for name in ("numpy", "numpy.libs")}
    tools: dict[str, Path | bytes] = {name: APP / name for name in ("ask.py", "far.py", "build_image.py")}
    for address, replicas in {CORE: ("core",), REGION: ("one", "two"), EDGE: ("edge",)}.items():
        hosts.send(address, f"{SERVED}/app", app)
        hosts.send(address, SERVED, {**tools, "images.json": images})
        hosts.on(address, "python3", f"{SERVED}/build_image.py", f"{SERVED}/app", IMAGE)
        for number, name in enumerate(replicas, start=1):
            start(hosts, address, name, port=8000 + number)
    hosts.on(REGION, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "install", "--yes", "haproxy")
    hosts.send(REGION, "/etc/haproxy", {"haproxy.cfg": APP / "haproxy.cfg"})
    hosts.on(REGION, "systemctl", "restart", "haproxy.service")
    ready(hosts, REGION, 8000)


def start(hosts: Hosts, address: str, name: str, *, port: int) -> None:
    """One replica; it is started again where it dies."""
    options = (
        "--detach",
        "--restart=always",
        "--cgroupns=private",
        "--network=host",
        "--pull=never",
        "--stop-timeout=1",
    )
    serve = ("/usr/bin/python3.11", "/app/serve.py", "/app/model.npz", str(port), name)
    hosts.on(address, "podman", "run", *options, f"--name=predict-{name}", IMAGE, *serve)
    ready(hosts, address, port)


def ready(hosts: Hosts, address: str, port: int) -> None:
    """Wait until a model answers on a host."""
    asks = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/ready', timeout=2)"
    end = time.monotonic() + 60
    while True:
        try:
            hosts.on(address, "python3", "-c", asks)
        except Failed:
            if time.monotonic() > end:
                raise
        else:
            return


def measured(hosts: Hosts, at: dict[str, str]) -> dict[str, Any]:
    """Requests at the edge alone, through the core, and while a replica of the region dies."""
    core = [f"{one}/32" for address, one in at.items() if address.startswith("core/")]
    for one in core:
        hosts.on(EDGE, "ip", "route", "add", "blackhole", one)
    try:
        alone = ask(hosts, EDGE, "http://127.0.0.1:8001", count=REQUESTS, at_once=1)
        many = ask(hosts, EDGE, "http://127.0.0.1:8001", count=REQUESTS, at_once=4)
        is_cut = refuses(hosts, EDGE, f"http://{at[CORE]}:8001")
    finally:
        for one in core:
            hosts.on(EDGE, "ip", "route", "del", "blackhole", one)
    near = ask(hosts, EDGE, f"http://{at[CORE]}:8001", count=REQUESTS, at_once=1)
    far_away = ("python3", f"{SERVED}/far.py", "9001", at[CORE], "8001", str(ONE_WAY_MS))
    hosts.on(EDGE, "systemd-run", "--quiet", "--unit=far", *far_away)
    wait_for_port(hosts, EDGE, 9001)
    far = ask(hosts, EDGE, "http://127.0.0.1:9001", count=REQUESTS // 3, at_once=1)
    fault = killed(hosts, at)
    return {
        "edge_requests_per_s": many["per_s"],
        "edge_median_ms": alone["median_ms"],
        "edge_p99_ms": alone["p99_ms"],
        "edge_needs_core": not (is_cut and alone["lost"] == many["lost"] == 0),
        "core_median_ms": near["median_ms"],
        "far_core_median_ms": far["median_ms"],
        "fault_answered": fault["answered"],
        "fault_replicas": fault["replicas"],
        "lost": sum(one["lost"] for one in (alone, many, near, far, fault)),
        "served_accuracy": round((alone["right"] + near["right"]) / (alone["answered"] + near["answered"]), 4),
    }


def killed(hosts: Hosts, at: dict[str, str]) -> dict[str, Any]:
    """Clients at the edge ask the region's load balancer; one of its two replicas is killed meanwhile."""
    url = f"http://{at[REGION]}:8000"
    clients = hosts.started(
        EDGE, "python3", f"{SERVED}/ask.py", url, f"{SERVED}/images.json", "1000000", "2", str(FAULT_S)
    )
    time.sleep(FAULT_S / 3)  # the clients are well under way: the fault comes in the middle
    process = hosts.on(REGION, "podman", "inspect", "--format", "{{.State.Pid}}", "predict-one").strip()
    hosts.on(REGION, "kill", "-KILL", process)
    told, _ = clients.communicate(timeout=120)
    found: dict[str, Any] = json.loads(told)
    return found


def ask(hosts: Hosts, address: str, url: str, *, count: int, at_once: int) -> dict[str, Any]:
    """How requests from a host went."""
    told = hosts.on(address, "python3", f"{SERVED}/ask.py", url, f"{SERVED}/images.json", str(count), str(at_once))
    found: dict[str, Any] = json.loads(told)
    return found


def refuses(hosts: Hosts, address: str, url: str) -> bool:
    """Whether a host cannot reach a model."""
    return bool(ask(hosts, address, url, count=1, at_once=1)["lost"])


def wait_for_port(hosts: Hosts, address: str, port: int) -> None:
    """Wait until somebody listens on a host."""
    end = time.monotonic() + 30
    while f":{port}" not in hosts.on(address, "ss", "--listening", "--tcp", "--numeric", "--no-header"):
        if time.monotonic() > end:
            message = f"nobody listens on port {port} of {address}"
            raise Failed(message)


def say(text: str) -> None:
    """What is being done, on stderr: the figures alone are on stdout."""
    print(f"vision: {text}", file=sys.stderr, flush=True)


LINES = {
    "accuracy": "accuracy on {images_held} images that were held back",
    "train_s": "seconds of training ({device}, {images} images)",
    "edge_requests_per_s": "requests a second at the edge, four clients at once",
    "edge_median_ms": "ms, median, answered at the edge",
    "edge_p99_ms": "ms, 99 of 100, answered at the edge",
    "core_median_ms": "ms, median, answered by the core over this machine's own network",
    "far_core_median_ms": f"ms, median, answered by the core with {ONE_WAY_MS} ms each way added in user space",
    "fault_answered": "requests answered by the region while one of two replicas was killed",
    "lost": "requests lost, in all of this",
    "up_s": "seconds until the site was up",
    "all_s": "seconds for everything",
}


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    words = {**figures, "images_held": figures["held_back"]}
    lines = [f"{figures[name]:>10}  {text.format(**words)}" for name, text in LINES.items()]
    needs = "needed the core" if figures["edge_needs_core"] else "were answered with the way to the core cut"
    return "\n".join((*lines, f"requests at the edge {needs}"))


if __name__ == "__main__":
    try:
        found = main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], is_kept="--keep" in sys.argv)
    except (Failed, OSError) as error:
        sys.exit(f"vision: {error}")
    print(table(found))
    print(json.dumps(found))
    sys.exit(0 if found["lost"] == 0 and not found["edge_needs_core"] else 1)
