"""A fake maker of accelerators: a signed repository on a real host; its packages have the maker's names and do nothing.

What is shown with it is how a role takes packages (source, key, pins, versions), and never that a driver works.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import tarfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.hosts.box import role
from tests.playbooks.test_repository import gpg, new_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leptonctl.sitefile.software import RoleName
    from tests.hosts.box import Box

PORT = 8098
URI = f"http://127.0.0.1:{PORT}"
SERVED = "/srv/fake-vendor"
CONTROL = (
    "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: tests <tests@example.com>\n"
    "Description: a fake of the tests\n"
)
UNIT = "[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
GRAFANA_VERSIONS = ("12.0.2", "12.1.0")
GRAFANA_UNIT = (
    "[Service]\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /var/lib/grafana 3000\n"
    "[Install]\nWantedBy=multi-user.target\n"
)
GRAFANA_ACCOUNT = (
    "#!/bin/sh\ngetent group grafana >/dev/null || groupadd --system grafana\nmkdir -p /etc/grafana /var/lib/grafana\n"
)
DRIVER = ("nvidia-kernel-dkms", "nvidia-driver-cuda")
DRIVER_VERSIONS = ("570.10.01-1", "570.20.02-1", "580.30.03-1")
TOOLKIT = (
    "nvidia-container-toolkit",
    "nvidia-container-toolkit-base",
    "libnvidia-container-tools",
    "libnvidia-container1",
)
TOOLKIT_VERSIONS = ("1.17.0-1", "1.18.0-1")
FPGA_VERSIONS = ("2.18.179", "2.19.194")
# apt looks ahead in whole blocks, whether a disk has room: a package below one would only fail when it is written.
BALLAST = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(256)) + "\n"


@dataclass(frozen=True)
class FakePackage:
    """A package and its files by path; those under `/usr/bin`, and its own scripts, can be run."""

    name: str
    version: str
    files: Mapping[str, str] = field(default_factory=dict)


class FakeVendor:
    """The repository, and the key that signs it."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.folder = box, folder
        self.home = folder / "gnupg"
        self.home.mkdir(mode=0o700)
        self.fingerprint, self.key = new_key(self.home, "fake")

    def serve(self) -> None:
        """Begin to serve what is published."""
        self.box.run(f"mkdir -p {SERVED}")
        self.box.run(
            "systemd-run --quiet --unit=fake-vendor"
            f" python3 -m http.server --bind 127.0.0.1 --directory {SERVED} {PORT}"
        )
        look = f"import urllib.request as u; u.urlopen('{URI}/')"
        self.box.run(f'for n in $(seq 100); do python3 -c "{look}" 2>/dev/null && exit 0; done; exit 1')

    def publish_all(self) -> None:
        """Publish what the roles of accelerators take: NVIDIA's driver and toolkit, and a runtime of FPGAs."""
        self.publish("/", "/3bf863cc.pub", *driver_packages())
        toolkit = (
            FakePackage(name, version, {"/usr/share/ballast/toolkit": BALLAST} if name == TOOLKIT[0] else {})
            for name in TOOLKIT
            for version in TOOLKIT_VERSIONS
        )
        self.publish("/stable/deb/amd64", "/gpgkey", *toolkit)
        self.publish("/grafana", "/grafana/gpg.key", *grafana_packages(), suite="stable")
        runtimes = (FakePackage("xrt", version, {"/usr/share/ballast/xrt": BALLAST}) for version in FPGA_VERSIONS)
        self.publish("/fpga", "/fpga/key.asc", *runtimes)

    def ask(self, **roles: dict[str, Any]) -> str | None:
        """Run `base` and these roles on the host; what stood in the way."""
        asked: dict[RoleName, dict[str, Any]] = {"base": {}, **roles}  # type: ignore[dict-item]
        self.box.target = replace(self.box.target, roles=tuple(role(name, **given) for name, given in asked.items()))
        with suppress(AssertionError):  # what went wrong is looked at by who asked
            self.box.configure()
        failure = self.box.done.failure
        return failure.message if failure else None

    def driver(self, **changed: object) -> dict[str, Any]:
        """Settings of the role `gpu_driver` that take the driver from here."""
        return {"source": "vendor", "branch": 570, "declared": {}, **self.source(), **changed}

    def source(self, at: str = "") -> dict[str, Any]:
        """Settings of a role that takes packages from under a path here."""
        return {"repository": f"{URI}{at}", "repository_key": self.fingerprint}

    def publish(self, at: str, key_at: str, *packages: FakePackage, is_signed: bool = True, suite: str = "") -> None:
        """Put packages under a path, with the key under another; both begin with `/`.

        With a suite their lists stand where one with the component `main` has them, else beside the packages.
        """
        out = self.folder / f"out-{len(list(self.folder.glob('out-*')))}"
        out.mkdir()
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        for one in packages:
            tree = self.folder / f"{one.name}-{one.version}-{out.name}"
            for path, text in {
                "/DEBIAN/control": CONTROL.format(name=one.name, version=one.version),
                **one.files,
            }.items():
                file = tree / path.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                file.chmod(0o755 if path.startswith(("/usr/bin/", "/DEBIAN/p")) else 0o644)
            build = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(out / f"{one.name}_{one.version}.deb")]
            subprocess.run(build, check=True, capture_output=True, env=environment)
        scan = ["dpkg-scanpackages", "--multiversion", "."]
        listed = subprocess.run(scan, cwd=out, check=True, capture_output=True, text=True, env=environment).stdout
        top = out / "dists" / suite if suite else out
        name = "main/binary-amd64/Packages" if suite else "Packages"
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(listed)
        digest = hashlib.sha256(listed.encode()).hexdigest()
        release = (
            "Origin: fake\nLabel: fake\nDate: Sat, 21 Nov 2026 00:00:00 UTC\n"
            + (f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: amd64\n" if suite else "")
            + f"SHA256:\n {digest} {len(listed)} {name}\n"
        )
        (top / "Release").write_text(release)
        if is_signed:
            (top / "InRelease").write_text(
                gpg(self.home, "--local-user", self.fingerprint, "--clearsign", stdin=release)
            )
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(out, arcname=".")
        there = f"{SERVED}{at}".rstrip("/")
        content = base64.b64encode(packed.getvalue()).decode()
        unpack = f"echo {content} | base64 --decode | tar --extract --gzip -C {there}"
        # Keys lie beside what they sign, and stay.
        old = f"rm -f {there}/*.deb {there}/Packages {there}/Release {there}/InRelease"
        self.box.run(f"mkdir -p {there} && {old} && {unpack}")
        key = base64.b64encode(self.key.encode()).decode()
        self.box.run(f"mkdir -p $(dirname {SERVED}{key_at}) && echo {key} | base64 --decode > {SERVED}{key_at}")


def grafana_packages() -> tuple[FakePackage, ...]:
    """Grafana's account and unit in two versions; what answers on its port is Python's own server."""
    files = {"/usr/lib/systemd/system/grafana-server.service": GRAFANA_UNIT, "/DEBIAN/postinst": GRAFANA_ACCOUNT}
    return tuple(FakePackage("grafana", version, files) for version in GRAFANA_VERSIONS)


def driver_packages(**scripts: str) -> tuple[FakePackage, ...]:
    """NVIDIA's driver in three versions; `scripts` (as `postinst`) belong to its programs."""
    daemon = {"/usr/lib/systemd/system/nvidia-persistenced.service": UNIT}
    kernel, programs = DRIVER
    own = {f"/DEBIAN/{name}": text for name, text in scripts.items()}
    return tuple(
        package
        for version in DRIVER_VERSIONS
        for package in (
            FakePackage(kernel, version),
            FakePackage(programs, version, own),
            FakePackage("nvidia-persistenced", version, daemon),
        )
    )
