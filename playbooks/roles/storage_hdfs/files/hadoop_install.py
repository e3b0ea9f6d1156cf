#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Puts Hadoop's common and HDFS jars on this host, from an archive whose digest has to be the one that is given.

Usage: hadoop_install URL DIGEST, or hadoop_install --check DIGEST, which changes nothing. DIGEST is `sha512:HEX` or
`sha256:HEX`. The archive is a tar, packed or not, laid out as Apache's: [NAME/]share/hadoop/{common,hdfs}/... It is
unpacked beside the place where it goes and then renamed: there is never half of it.
"""

import hashlib
import shutil
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

HOME = Path("/opt/leptonctl")
CURRENT = HOME / "hadoop"
SUMS = "SHA256SUMS"
PARTS = ("common", "hdfs")
LIMIT_S = 60


def folder_of(digest: str) -> Path:
    """Where the archive with this digest is unpacked."""
    return HOME / f"hadoop-{digest.partition(':')[2][:16]}"


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below `folder` by its path, without the list itself."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = "a link"
        elif path.is_file() and name != SUMS:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def listed(folder: Path) -> dict[str, str]:
    """What the list says."""
    lines = (folder / SUMS).read_text().splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def check(digest: str) -> str:
    """What is not as the archive has it, or `in order`."""
    folder = folder_of(digest)
    if not CURRENT.is_symlink() or CURRENT.resolve() != folder or not (folder / SUMS).is_file():
        return f"it is not the archive with {digest[:23]}"
    is_there, should = sums(folder), listed(folder)
    differs = sorted(name for name in is_there.keys() | should.keys() if is_there.get(name) != should.get(name))
    return f"{len(differs)} files differ, such as {differs[0]}" if differs else "in order"


def fetch(url: str, digest: str, into: Path) -> None:
    """Write the archive to `into`; anything but the one with this digest ends the program."""
    kind, _, wanted = digest.partition(":")
    state = hashlib.new(kind)
    try:
        # Its scheme is one that preflight allows, and what it gives has to match the digest.
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer, into.open("wb") as file:  # noqa: S310 - as said
            while piece := answer.read(1 << 20):
                state.update(piece)
                file.write(piece)
    except (OSError, urllib.error.URLError) as error:
        sys.exit(f"the archive could not be fetched from {url}: {error}; nothing was installed")
    if state.hexdigest() != wanted:
        sys.exit(f"the archive at {url} has the digest {kind}:{state.hexdigest()}, not {digest}; nothing was installed")


def is_wanted(name: str) -> bool:
    """Whether it is a file that daemons and tools of HDFS read."""
    words = name.split("/")
    is_ours = words[:2] == ["share", "hadoop"] and words[2:3] and words[2] in PARTS and ".." not in words
    return bool(is_ours) and not {"sources", "jdiff"} & set(words) and not name.endswith("-tests.jar")


def unpack(archive: Path, folder: Path) -> None:
    """Write the wanted files below `folder`: plain files alone, so that nothing can point elsewhere."""
    count = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            _, found, rest = f"/{member.name}".partition("/share/hadoop/")
            name = f"share/hadoop/{rest}"
            if not (found and is_wanted(name)):
                continue
            path = folder / name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(tar.extractfile(member), file)
                count += 1
    if not count:
        sys.exit("the archive holds no share/hadoop/common or share/hadoop/hdfs; nothing was installed")


def install(url: str, digest: str) -> None:
    """Put it there, in place of what was there before."""
    HOME.mkdir(exist_ok=True)
    folder = folder_of(digest)
    with tempfile.TemporaryDirectory(dir=HOME, prefix=".hadoop-") as scratch:
        archive, made = Path(scratch, "archive"), Path(scratch, "made")
        fetch(url, digest, archive)
        try:
            unpack(archive, made)
        except (tarfile.TarError, EOFError) as error:
            sys.exit(f"the archive at {url} cannot be read: {error}; nothing was installed")
        text = "".join(f"{one}  {name}\n" for name, one in sums(made).items())
        (made / SUMS).write_text(text)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if folder.exists():
            folder.rename(Path(scratch, "former"))
        made.rename(folder)
        link = Path(scratch, "link")
        link.symlink_to(folder)
        link.rename(CURRENT)
    for former in HOME.glob("hadoop-*"):
        if former != folder:
            shutil.rmtree(former)
    print("installed")


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        print(check(sys.argv[2]))
    elif check(sys.argv[2]) == "in order":
        print("present")
    else:
        install(*sys.argv[1:3])
