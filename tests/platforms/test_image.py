from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.assets import asset
from leptonctl.errors import PlatformFailed, PreflightFailed
from leptonctl.platforms import labels
from leptonctl.platforms.image import (
    ensure_image,
    explain_build_failure,
    is_built,
    prune_images,
    read_recipe,
    unused_images,
)
from leptonctl.platforms.podman import Podman
from leptonctl.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
RECIPE = read_recipe()
NETWORK_HINT = (
    "check the network; behind a proxy set http_proxy=http://HOST:PORT, with a mirror of your own set "
    "LEPTONCTL_DEBIAN_MIRROR=http://HOST/debian; then run the same command again"
)
DISK_HINT = (
    "free 2 GiB (`podman system df` shows what podman holds), or set TMPDIR to a larger disk; "
    "nothing half-made was left behind"
)


@dataclass(frozen=True)
class FakeTools:
    """Fake podman and mmdebstrap in a folder of their own. They make no image; podman only remembers the import."""

    folder: Path

    @property
    def podman(self) -> Podman:
        return Podman(str(self.folder / "bin" / "podman"))

    @property
    def builds(self) -> int:
        log = self.folder / "builds"
        return len(log.read_text().splitlines()) if log.exists() else 0

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "tmp").iterdir() if path.is_dir())

    def write(self, name: str, script: str) -> None:
        program = self.folder / "bin" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    for name in ("bin", "tmp"):
        (tmp_path / name).mkdir()
    made = FakeTools(tmp_path)
    row = f'[{{"Id": "1", "Names": ["{RECIPE.tag}"], "Labels": {{"{labels.RECIPE}": "{RECIPE.digest}"}}}}]'
    made.write(
        "podman",
        f"""case $1 in
        images) if [ -e {tmp_path}/image ]; then echo '{row}'; else echo '[]'; fi ;;
        import) touch {tmp_path}/image ;;
        esac""",
    )
    made.write("mmdebstrap", f"echo build >>{tmp_path}/builds; touch rootfs.tar")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return made


def test_a_change_of_any_file_of_the_recipe_is_another_image(tmp_path: Path) -> None:
    shipped = asset("templates", "local", "host-image")
    files = [path.relative_to(shipped) for path in shipped.rglob("*") if path.is_file()]
    assert len(files) >= 5
    digests = {RECIPE.digest}
    for file in files:
        folder = tmp_path / file.name
        shutil.copytree(shipped, folder)
        (folder / file).write_bytes((folder / file).read_bytes() + b"\n# changed\n")
        digests.add(read_recipe(folder).digest)
    assert len(digests) == len(files) + 1
    assert read_recipe() == RECIPE


def test_the_tag_is_the_first_twelve_of_the_digest() -> None:
    assert RECIPE.tag == f"localhost/leptonctl-host:{RECIPE.digest}"
    assert len(RECIPE.digest) == 12


def test_an_image_is_built_once(tools: FakeTools) -> None:
    heard: list[Progress] = []
    for _ in range(2):
        assert ensure_image(tools.podman, RECIPE, heard.append, "core") == RECIPE.tag
    assert tools.builds == 1
    assert [one.message for one in heard] == [
        "building the host image (about half a minute, once)",
        f"built the host image {RECIPE.tag}",
    ]
    assert tools.left == []


def test_builds_at_the_same_time_become_one(tools: FakeTools) -> None:
    tools.write("mmdebstrap", f"echo build >>{tools.folder}/builds; sleep 0.2; touch rootfs.tar")
    with ThreadPoolExecutor(max_workers=4) as pool:
        tags = set(pool.map(lambda name: ensure_image(tools.podman, RECIPE, silent, name), ["a", "b", "c", "d"]))
    assert tags == {RECIPE.tag}
    assert tools.builds == 1


def test_without_mmdebstrap_the_error_says_how_to_get_it(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools.folder / "bin" / "mmdebstrap").unlink()
    monkeypatch.setenv("PATH", str(tools.folder / "bin"))
    tools.write("podman", "echo '[]'")
    with pytest.raises(PreflightFailed) as caught:
        ensure_image(tools.podman, RECIPE, silent, "core")
    assert caught.value.message == "mmdebstrap, which builds the host image, is not installed"
    assert caught.value.hint == "install it: sudo apt-get install --yes mmdebstrap"


def test_a_build_that_fails_leaves_nothing_and_the_next_one_starts_afresh(tools: FakeTools) -> None:
    tools.write("mmdebstrap", "touch rootfs.tar; echo 'E: something odd' >&2; kill -HUP 0; exit 1")
    with pytest.raises(PlatformFailed) as caught:
        ensure_image(tools.podman, RECIPE, silent, "core")
    assert caught.value.message == "the host image could not be built: mmdebstrap failed: E: something odd"
    assert tools.left == []
    assert not is_built(tools.podman, RECIPE)
    tools.write("mmdebstrap", "touch rootfs.tar")
    assert ensure_image(tools.podman, RECIPE, silent, "core") == RECIPE.tag


def test_an_import_that_fills_the_disk_says_so(tools: FakeTools) -> None:
    tools.write(
        "podman",
        "[ $1 = images ] && { echo '[]'; exit; }; echo 'Error: writing blob: no space left on device' >&2; exit 125",
    )
    with pytest.raises(PlatformFailed) as caught:
        ensure_image(tools.podman, RECIPE, silent, "core")
    assert caught.value.hint == DISK_HINT
    assert tools.left == []


def test_a_mirror_is_handed_on_and_an_option_in_its_place_refused(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.write("mmdebstrap", f'for last; do :; done; echo "$last" >{tools.folder}/last; touch rootfs.tar')
    monkeypatch.setenv("LEPTONCTL_DEBIAN_MIRROR", "--setup-hook=reboot")
    with pytest.raises(PreflightFailed) as caught:
        ensure_image(tools.podman, RECIPE, silent, "core")
    assert caught.value.message == "LEPTONCTL_DEBIAN_MIRROR is not an address: '--setup-hook=reboot'"
    monkeypatch.setenv("LEPTONCTL_DEBIAN_MIRROR", "http://mirror.example.com/debian")
    ensure_image(tools.podman, RECIPE, silent, "core")
    assert (tools.folder / "last").read_text() == "http://mirror.example.com/debian\n"


BUILD = (
    "import sys, tempfile; tempfile.tempdir = sys.argv[1]; from leptonctl.platforms.image import *; "
    "from leptonctl.platforms.podman import Podman; from leptonctl.progress import silent; "
    "ensure_image(Podman(sys.argv[2]), read_recipe(), silent, 'core')"
)


@contextmanager
def slow_build(tools: FakeTools) -> Iterator[subprocess.Popen[bytes]]:
    """A build in a process of its own; its mmdebstrap ends when the file `go` is there."""
    tools.write(
        "mmdebstrap",
        f"touch {tools.folder}/began; until [ -e {tools.folder}/go ]; do sleep 0.02; done; touch rootfs.tar",
    )
    command = [sys.executable, "-c", BUILD, str(tools.folder / "tmp"), tools.podman.program]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until((tools.folder / "began").exists)
            yield running
        finally:
            (tools.folder / "go").touch()
            running.kill()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        time.sleep(0.01)


def test_a_build_that_is_interrupted_leaves_nothing(tools: FakeTools) -> None:
    with slow_build(tools) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) != 0
        assert tools.left == []
        assert not is_built(tools.podman, RECIPE)


def test_after_a_killed_build_the_next_one_waits_for_what_is_left_of_it_and_removes_it(tools: FakeTools) -> None:
    heard: list[Progress] = []
    with slow_build(tools) as running:
        running.kill()
        running.wait()
        assert len(tools.left) == 1
        with ThreadPoolExecutor(max_workers=1) as pool:
            later = pool.submit(ensure_image, tools.podman, RECIPE, heard.append, "core")
            wait_until(lambda: heard)
            assert heard[0].message == "waiting for another build of the host image"
            (tools.folder / "go").touch()
            assert later.result(timeout=20) == RECIPE.tag
    assert tools.left == []


@pytest.mark.parametrize(
    "said",
    [
        "E: Failed to fetch http://deb.example.com/x  Temporary failure resolving 'deb.example.com'\nI: removing",
        "E: Failed to fetch http://deb.example.com/x  Could not connect to deb.example.com:80",
    ],
)
def test_an_archive_that_is_not_reached_is_named_with_what_to_set(said: str) -> None:
    error = explain_build_failure(said.encode(), Path("/tmp"))
    assert error.message == (
        f"the host image could not be built: the Debian archive could not be reached: {said.splitlines()[0]}"
    )
    assert error.hint == NETWORK_HINT


def test_a_full_disk_is_told_even_where_the_network_complains_too() -> None:
    said = b"E: Failed to fetch x\nE: Write error - write (28: No space left on device)\n"
    error = explain_build_failure(said, Path("/tmp"))
    assert error.message == "the host image could not be built: no space left on the disk of /tmp or of podman's store"
    assert error.hint == DISK_HINT


@pytest.mark.hosts
def test_a_real_build_without_network_says_which_address_and_leaves_nothing(
    podman: Podman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(PlatformFailed) as caught:
        ensure_image(podman, replace(RECIPE, digest="000000000000"), silent, "core")
    assert "the Debian archive could not be reached: " in caught.value.message
    assert "127.0.0.1:9" in caught.value.message
    assert caught.value.hint == NETWORK_HINT
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


@pytest.mark.hosts
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
@pytest.mark.parametrize("size", ["64k", "64m"])
def test_a_real_build_on_a_full_disk_says_so_and_leaves_nothing(
    podman: Podman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(tmp_path)], check=True)
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with pytest.raises(PlatformFailed) as caught:
            ensure_image(podman, replace(RECIPE, digest="000000000001"), silent, "core")
        assert caught.value.message == (
            f"the host image could not be built: no space left on the disk of {tmp_path} or of podman's store"
        )
        assert caught.value.hint == DISK_HINT
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert podman.images(f"label={labels.RECIPE}=000000000001") == ()


@pytest.mark.hosts
def test_only_unused_images_of_leptonctl_are_pruned(podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    archive = shutil.make_archive(str(tmp_path / "image"), "tar", tmp_path, "file")
    ensure_image(podman, RECIPE, silent, "core")
    old, used, theirs = (f"localhost/leptonctl-test-{os.getpid()}:{name}" for name in ("old", "used", "theirs"))
    marks = f"--change=LABEL {labels.MANAGED}=leptonctl"
    for tag, digest in ((old, "old"), (used, "used")):
        podman.text("import", marks, f"--change=LABEL {labels.RECIPE}={digest}", archive, tag)
    podman.text("import", f"--change=LABEL {labels.RECIPE}=old", archive, theirs)
    container = podman.text("create", used, "/sbin/init").strip()
    try:
        # Another checkout's images are nobody's business here.
        unused = [image for image in unused_images(podman, RECIPE) if image.labels[labels.RECIPE] in {"old", "used"}]
        assert prune_images(podman, unused) == (old,)
        names = {name for image in podman.images() for name in image.names}
        assert {used, theirs, RECIPE.tag} <= names
    finally:
        podman.text("rm", "--force", container)
        podman.text("rmi", "--force", used, theirs)
