"""The host image: built once by mmdebstrap from the recipe under templates/local/, then kept in podman's store.

The tag is the hash of the recipe, so a changed recipe is another image and never changes a host that runs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.assets import asset
from leptonctl.errors import LeptonError, PlatformFailed, PreflightFailed
from leptonctl.platforms.labels import MANAGED, RECIPE
from leptonctl.platforms.podman import Podman, PodmanImage, find_program, last_lines
from leptonctl.progress import Progress, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPOSITORY = "localhost/leptonctl-host"
MIRROR_VARIABLE = "LEPTONCTL_DEBIAN_MIRROR"
MMDEBSTRAP_HINT = "install it: sudo apt-get install --yes mmdebstrap"
# Half a minute on two cores and a good line; the limit is for a slow one.
BUILD_LIMIT_S = 1800
NEEDED_GIB = 2
_FOLDER_PREFIX = "leptonctl-image-"
_NO_SPACE = ("no space left on device", "enough free space", "disk quota exceeded")
_NO_NETWORK = (
    "temporary failure resolving",
    "could not resolve",
    "could not connect",
    "failed to fetch",
    "connection timed out",
    "network is unreachable",
    "unable to connect",
    "some index files failed to download",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the image is made from. `files` are (path in the image, content); `digest` is the first 12 of its sha256."""

    suite: str
    packages: tuple[str, ...]
    arguments: tuple[str, ...]
    setup: bytes
    files: tuple[tuple[str, bytes], ...]
    digest: str

    @property
    def tag(self) -> str:
        """The name of the image."""
        return f"{REPOSITORY}:{self.digest}"


def read_recipe(folder: Path | None = None) -> Recipe:
    """The recipe that is shipped, or the one in `folder`."""
    root = folder or asset("templates", "local", "host-image")
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    content = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    whole = hashlib.sha256()
    for name, data in content.items():
        whole.update(f"{name}\0{len(data)}\0".encode() + data)
    return Recipe(
        suite=content["suite"].decode().strip(),
        packages=_lines(content["packages"]),
        arguments=_lines(content["mmdebstrap.args"]),
        setup=content["setup.sh"],
        files=tuple((name.removeprefix("files/"), data) for name, data in content.items() if name.startswith("files/")),
        digest=whole.hexdigest()[:12],
    )


def is_built(podman: Podman, recipe: Recipe) -> bool:
    """Whether the image of this recipe is there."""
    return any(recipe.tag in image.names for image in podman.images(f"label={RECIPE}={recipe.digest}"))


def ensure_image(podman: Podman, recipe: Recipe, report: Report, address: str) -> str:
    """The tag of the image, which is built where it is missing; two builds at the same time become one.

    `address` is the location that waits for it. Whatever stops the build (no network, a full disk, Ctrl-C), nothing
    half-made stays behind, neither in the temporary folder nor in podman's store.
    """
    if is_built(podman, recipe):
        return recipe.tag
    with _only_one_build(report, address) as lock:
        if not is_built(podman, recipe):
            report(Progress("platform", "step", address, "building the host image (about half a minute, once)"))
            _build(podman, recipe, lock)
            report(Progress("platform", "step", address, f"built the host image {recipe.tag}"))
    return recipe.tag


def prune_images(podman: Podman, images: Iterable[PodmanImage]) -> tuple[str, ...]:
    """Remove images that `unused_images` gave; their names. One that came into use meanwhile makes podman refuse."""
    return tuple(_removed(podman, image) for image in images)


def unused_images(podman: Podman, recipe: Recipe) -> tuple[PodmanImage, ...]:
    """Images of leptonctl, of other recipes that no container uses."""
    used = {container.image_id for container in podman.listed()}
    ours = podman.images(f"label={MANAGED}=leptonctl")
    return tuple(one for one in ours if one.labels.get(RECIPE) != recipe.digest and one.id not in used)


def require_mmdebstrap() -> str:
    """Path of mmdebstrap. Raises `PreflightFailed` where it is missing."""
    program = find_program("mmdebstrap")
    if program is None:
        raise PreflightFailed("mmdebstrap, which builds the host image, is not installed", hint=MMDEBSTRAP_HINT)
    return program


def _build(podman: Podman, recipe: Recipe, lock: int) -> None:
    mmdebstrap = require_mmdebstrap()
    parent = Path(tempfile.gettempdir())
    _remove_left_by_killed_builds(podman, parent)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
        try:
            _write_inputs(folder, recipe)
            _run_mmdebstrap(mmdebstrap, folder, recipe, lock)
            _import(podman, folder, recipe)
        finally:
            _remove_folder(podman, folder)
    except OSError as broken:
        if broken.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full(parent) from broken
        raise PlatformFailed(f"the host image could not be built in {parent}: {broken.strerror}") from broken


def _write_inputs(folder: Path, recipe: Recipe) -> None:
    (folder / "setup.sh").write_bytes(recipe.setup)
    # mmdebstrap and podman keep their own temporary files here, so that they go with the folder.
    (folder / "tmp").mkdir()
    # Without root, mmdebstrap works as other users of its own namespace: they must come through, not look around.
    for place in (folder, folder / "tmp"):
        place.chmod(0o711)
    with tarfile.open(folder / "overlay.tar", "w") as overlay:
        for name, data in recipe.files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            overlay.addfile(entry, io.BytesIO(data))


def _run_mmdebstrap(mmdebstrap: str, folder: Path, recipe: Recipe, lock: int) -> None:
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    if mirror.startswith("-"):
        raise PreflightFailed(f"{MIRROR_VARIABLE} is not an address: {mirror!r}", hint="set it to http://HOST/debian")
    command = [
        *(mmdebstrap, *recipe.arguments, f"--include={','.join(recipe.packages)}"),
        *(recipe.suite, "rootfs.tar", *([mirror] if mirror else [])),
    ]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "LC_ALL": "C.UTF-8"}
    # A group of its own: when it fails, mmdebstrap sends SIGHUP to its whole process group. It inherits the lock: one
    # whose leptonctl was killed keeps the next build waiting until it has ended.
    building = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
        pass_fds=(lock,),
    )
    with building:
        try:
            _, said = building.communicate(timeout=BUILD_LIMIT_S)
        except subprocess.TimeoutExpired as late:
            _end_group(building)
            message = f"the host image was not built within {BUILD_LIMIT_S // 60} min"
            raise PlatformFailed(message, hint=_mirror_hint()) from late
        except BaseException:
            _end_group(building)
            raise
    if building.returncode != 0:
        raise explain_build_failure(said, Path(tempfile.gettempdir()))


def _end_group(building: subprocess.Popen[bytes]) -> None:
    # SIGTERM first: mmdebstrap then unmounts what it mounted.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(building.pid, number)
            building.wait(timeout=10)
            return


def explain_build_failure(stderr: bytes, folder: Path) -> LeptonError:
    """The error that tells what stopped mmdebstrap, from what it said; `folder` is where it worked."""
    said = stderr.decode(errors="replace")
    low = said.lower()
    if any(mark in low for mark in _NO_SPACE):
        return _disk_full(folder)
    if any(mark in low for mark in _NO_NETWORK):
        wanted = [line for line in said.splitlines() if any(mark in line.lower() for mark in _NO_NETWORK)]
        complaint = last_lines("\n".join(wanted[:2]).encode())
        return PlatformFailed(
            f"the host image could not be built: the Debian archive could not be reached: {complaint}",
            hint=_mirror_hint(),
        )
    return PlatformFailed(f"the host image could not be built: mmdebstrap failed: {last_lines(stderr)}")


def _import(podman: Podman, folder: Path, recipe: Recipe) -> None:
    changes = ('CMD ["/sbin/init"]', f"LABEL {MANAGED}=leptonctl", f"LABEL {RECIPE}={recipe.digest}")
    arguments = [f"--change={change}" for change in changes]
    rootfs = str(folder / "rootfs.tar")
    try:
        importer = replace(podman, temporary_folder=folder / "tmp")
        importer.text("import", *arguments, rootfs, recipe.tag, timeout_s=BUILD_LIMIT_S)
    except PlatformFailed as failed:
        if any(mark in failed.message.lower() for mark in _NO_SPACE):
            raise _disk_full(folder) from failed
        raise


def _disk_full(folder: Path) -> PlatformFailed:
    return PlatformFailed(
        f"the host image could not be built: no space left on the disk of {folder} or of podman's store",
        hint=f"free {NEEDED_GIB} GiB (`podman system df` shows what podman holds), or set TMPDIR to a larger disk; "
        "nothing half-made was left behind",
    )


def _mirror_hint() -> str:
    return (
        f"check the network; behind a proxy set http_proxy=http://HOST:PORT, with a mirror of your own set "
        f"{MIRROR_VARIABLE}=http://HOST/debian; then run the same command again"
    )


@contextlib.contextmanager
def _only_one_build(report: Report, address: str) -> Iterator[int]:
    # A lock of the kernel on a file: it goes away with its process, however that ends.
    path = Path(tempfile.gettempdir()) / f"leptonctl-image-{os.getuid()}.lock"
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as broken:
        raise PlatformFailed(f"the lock of the host image {path} could not be opened: {broken.strerror}") from broken
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(Progress("platform", "step", address, "waiting for another build of the host image"))
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _remove_left_by_killed_builds(podman: Podman, parent: Path) -> None:
    # Only called under the lock: any such folder of this user belongs to a build that was killed.
    for folder in parent.glob(f"{_FOLDER_PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid():
            _remove_folder(podman, folder)


def _remove_folder(podman: Podman, folder: Path) -> None:
    # Never follow a mount that a killed mmdebstrap left: removing below it would remove this machine's own files.
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    below = [line.split()[4] for line in mounts if line.split()[4].startswith(f"{folder}/")]
    if below:
        raise PlatformFailed(f"{folder} still has mounts of a killed build", hint=f"sudo umount {' '.join(below)}")
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.geteuid() != 0:
        # A killed build without root leaves files of other users of its namespace.
        podman.text("unshare", "rm", "-r", "-f", "--", str(folder), timeout_s=300)


def _removed(podman: Podman, image: PodmanImage) -> str:
    podman.text("rmi", image.id)
    return next(iter(image.names), image.id[:12])


def _lines(data: bytes) -> tuple[str, ...]:
    lines = (line.strip() for line in data.decode().splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
