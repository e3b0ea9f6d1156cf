"""A signed repository of FAKE Kubernetes packages: their programs record what they are told and run no container.

What is shown with them is ours: order, packages, keys, what is handed over and what is not. Nothing is shown about
kubeadm, the kubelet or the API.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.playbooks.test_repository import gpg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = Path(__file__).with_name("program.py")
UNIT = Path(__file__).with_name("kubelet.service")
NAMES = ("kubeadm", "kubelet", "kubectl", "kubernetes-cni", "cri-tools")
CONTROL = (
    "Package: {}\nVersion: {}-1.1\nArchitecture: all\nMaintainer: tests <tests@example.com>\nDescription: a fake\n{}"
)
NEEDS = {"kubelet": "Depends: kubernetes-cni\n", "kubeadm": "Depends: cri-tools\n"}


def publish(folder: Path, home: Path, fingerprint: str, key: str, versions: tuple[str, ...]) -> Path:
    """Build the tree that a web server shows: below it `/vMINOR/deb/` of each version, signed."""
    tree = folder / "served"
    for version in versions:
        out = tree / f"v{version.rpartition('.')[0]}" / "deb"
        out.mkdir(parents=True)
        for name, files in packages(version):
            _package(folder / "build" / f"{name}-{version}", name, version, files, out)
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        scan = ["dpkg-scanpackages", "--multiversion", "."]
        listed = subprocess.run(scan, cwd=out, check=True, capture_output=True, text=True, env=environment).stdout
        (out / "Packages").write_text(listed)
        digest = hashlib.sha256(listed.encode()).hexdigest()
        head = "Origin: fake\nLabel: fake\nDate: Sat, 21 Nov 2026 00:00:00 UTC\n"
        release = f"{head}SHA256:\n {digest} {len(listed)} Packages\n"
        (out / "InRelease").write_text(gpg(home, "--local-user", fingerprint, "--clearsign", stdin=release))
        (out / "Release.key").write_text(key)
    return tree


def packages(version: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every package with its files by path; those in `/usr/bin` can be run."""
    for name in NAMES:
        files = {"/DEBIAN/control": CONTROL.format(name, version, NEEDS.get(name, ""))}
        if name in {"kubeadm", "kubelet", "kubectl"}:
            files[f"/usr/bin/{name}"] = PROGRAM.read_text().replace("@VERSION@", version)
        if name == "kubelet":
            files["/usr/lib/systemd/system/kubelet.service"] = UNIT.read_text()
        yield name, files


def _package(tree: Path, name: str, version: str, files: Mapping[str, str], out: Path) -> None:
    for path, text in files.items():
        file = tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if path.startswith("/usr/bin/") else 0o644)
    build = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(out / f"{name}_{version}.deb")]
    subprocess.run(build, check=True, capture_output=True)
