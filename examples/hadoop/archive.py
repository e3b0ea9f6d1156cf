"""Hadoop for local hosts: an archive laid out as Apache's, made of Maven's jars, each with a locked digest.

It has no web pages of its own (Maven's jars do not carry them) and no programs: what the role runs is in the jars.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent
DIGEST = (DATA / "archive.digest").read_text(encoding="utf-8").strip()
"""What the archive always has: the same jars give the same bytes."""
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
# A daemon looks for the folder of its pages, and does not start without one.
PAGES = ("hdfs", "datanode", "journal", "secondary", "static")


@dataclass(frozen=True)
class Archive:
    """The archive and its digest, as the site file has it."""

    path: Path
    digest: str


def archive(folder: Path) -> Archive:
    """Have the archive made in `folder`, once; the same bytes each time."""
    made = folder / "hadoop.tar"
    if not made.exists():
        jars = folder.resolve() / "jars"  # Maven takes a relative path as one beside its own file
        subprocess.run(
            ["mvn", "-q", "-B", "-f", DATA / "pom.xml", PLUGIN, f"-DoutputDirectory={jars}", "-DincludeScope=runtime"],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        locked = dict(line.split()[::-1] for line in (DATA / "jars.sha256").read_text().splitlines())
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in jars.iterdir()}
        if found != locked:
            differ = sorted(name for name in found.keys() | locked.keys() if found.get(name) != locked.get(name))
            message = f"Maven gave other jars than jars.sha256 has: {', '.join(differ)}"
            raise ValueError(message)
        scratch = folder / "hadoop.tar.new"
        _pack(sorted(jars.iterdir()), scratch)
        scratch.rename(made)
    return Archive(made, DIGEST)


def _pack(jars: list[Path], into: Path) -> None:
    with tarfile.open(into, "w", format=tarfile.USTAR_FORMAT) as tar:
        for jar in jars:
            part = "hdfs" if jar.name.startswith("hadoop-hdfs") else "common" if "hadoop" in jar.name else "common/lib"
            entry = tarfile.TarInfo(f"hadoop-3.4.1/share/hadoop/{part}/{jar.name}")
            content = jar.read_bytes()
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name in PAGES:
            entry = tarfile.TarInfo(f"hadoop-3.4.1/share/hadoop/hdfs/webapps/{name}/WEB-INF")
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
