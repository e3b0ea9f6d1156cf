#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Makes a container image of /bin/busybox and imports it into a runtime under a name, unless it is there already.

Usage: probe_image RUNTIME NAME SNAPSHOTTER. Prints `imported` or `present`. The same busybox gives the same image, to
the byte.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
OCI = "application/vnd.oci.image"


def archive(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar of the files (path -> content, mode), with nothing in it that changes from day to day."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


class Blobs(dict[str, tuple[bytes, int]]):
    """The content of an OCI layout by file name."""

    def add(self, kind: str, content: bytes) -> dict[str, object]:
        """Add a blob; return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        self[f"blobs/sha256/{digest}"] = (content, 0o644)
        return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(content)}


def encoded(value: object) -> bytes:
    """JSON that is the same each time."""
    return json.dumps(value, sort_keys=True).encode()


def build(name: str) -> tuple[dict[str, str], bytes]:
    """The image as (what each runtime knows it by, an archive that is an OCI layout and one of Docker's as well)."""
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    layer = archive({"bin/busybox": (BUSYBOX.read_bytes(), 0o755)})
    blobs = Blobs()
    config = {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {"Cmd": ["/bin/busybox", "true"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": blobs.add("config.v1+json", encoded(config)),
        "layers": [blobs.add("layer.v1.tar", layer)],
    }
    described = blobs.add("manifest.v1+json", encoded(manifest))
    index = {
        "schemaVersion": 2,
        "manifests": [{**described, "annotations": {"io.containerd.image.name": name}}],
    }
    in_docker = [
        {"Config": blob_path(manifest["config"]), "RepoTags": [name], "Layers": [blob_path(manifest["layers"][0])]}
    ]
    blobs["manifest.json"] = (encoded(in_docker), 0o644)
    blobs["oci-layout"] = (encoded({"imageLayoutVersion": "1.0.0"}), 0o644)
    blobs["index.json"] = (encoded(index), 0o644)
    config_digest = str(manifest["config"]["digest"])
    known_by = {"containerd": str(described["digest"]), "docker": config_digest, "podman": config_digest}
    return known_by, archive(blobs)


def blob_path(described: dict[str, object]) -> str:
    """Where a blob lies in the layout."""
    return "blobs/" + str(described["digest"]).replace(":", "/")


def has_image(runtime: str, name: str, digest: str) -> bool:
    """Whether the runtime knows the image by this name, with all its content."""
    if runtime != "containerd":
        argv = [runtime, "image", "inspect", "--format", "{{.Id}}", name]
        shown = subprocess.run(argv, capture_output=True, text=True, check=False)
        return shown.returncode == 0 and shown.stdout.strip().removeprefix("sha256:") == digest.removeprefix("sha256:")
    shown = subprocess.run(["ctr", "images", "check", f"name=={name}"], capture_output=True, text=True, check=True)
    return digest in shown.stdout and "complete" in shown.stdout.replace("incomplete", "")


def main(runtime: str, name: str, snapshotter: str) -> None:
    """Import the image where it is not there."""
    known_by, image = build(name)
    if has_image(runtime, name, known_by[runtime]):
        print("present")
        return
    loads = (
        ["ctr", "images", "import", "--snapshotter", snapshotter, "-"] if runtime == "containerd" else [runtime, "load"]
    )
    subprocess.run(loads, input=image, check=True, stdout=subprocess.DEVNULL)
    print("imported")


if __name__ == "__main__":
    main(*sys.argv[1:])
