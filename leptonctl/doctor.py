"""Doctor: what of this machine is fit for leptonctl, and what to do about the rest. Reads only.

Each check is a function of `Machine`, which is what was read; so every answer can be tested without such a machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError
from leptonctl.platforms.image import NEEDED_GIB, is_built, read_recipe, unused_images
from leptonctl.platforms.labels import MANAGED, SITE
from leptonctl.platforms.local_network import free_ranges, ranges_of_machine, ranges_of_networks
from leptonctl.platforms.local_preflight import (
    current_user,
    has_subordinate_ids,
    subordinate_ids,
    subordinate_ids_hint,
)
from leptonctl.platforms.podman import GIB, INSTALL_HINT, Podman, find_podman, find_program, last_lines
from leptonctl.platforms.pulumi_engine import Engine, find_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.platforms.image import Recipe
    from leptonctl.platforms.podman import Listed, PodmanImage, PodmanNetwork

MIN_PYTHON = (3, 11)
MIN_PODMAN = (4, 3)
MIN_ANSIBLE = (2, 19)
# A local host with systemd, sshd and the demo's roles.
MEMORY_PER_HOST_GIB = 0.25
DEMO_HOSTS = 3
PROGRAMS = {
    "runc": ("--version", INSTALL_HINT),
    "mmdebstrap": ("--version", "sudo apt-get install --yes mmdebstrap"),
    "ssh": ("-V", "sudo apt-get install --yes openssh-client"),
    "ssh-keygen": (None, "sudo apt-get install --yes openssh-client"),
}
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `is_ok` None: it could not be told, or is worth knowing and in nobody's way."""

    name: str
    is_ok: bool | None
    found: str
    needed: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class PodmanAnswers:
    """What podman told about itself and its things."""

    info: Mapping[str, Any]
    networks: tuple[PodmanNetwork, ...]
    containers: tuple[Listed, ...]
    recipe: Recipe
    is_image_built: bool
    old_images: tuple[PodmanImage, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """What was read of this machine.

    `programs` maps a program to its version: None where it is missing, "" where it did not tell. `podman` is its
    answers, or why there are none; `engine` is Pulumi's, or why there is none.
    """

    python: tuple[int, int]
    ansible: str | None
    programs: Mapping[str, str | None]
    podman: PodmanAnswers | LeptonError
    free_disk_gib: Mapping[str, float] = field(default_factory=dict)
    free_memory_gib: float | None = None
    is_root: bool = True
    user: str = "root"
    subordinate_ids: str = ""
    engine: Engine | LeptonError | None = None


def examine() -> tuple[Finding, ...]:
    """Every finding about this machine."""
    return judge(read_machine())


def judge(machine: Machine) -> tuple[Finding, ...]:
    """Every finding about a machine; what podman would have to tell is left out where it does not answer."""
    return (
        _python(machine),
        _ansible(machine),
        _podman(machine),
        *(_program(machine, name) for name in PROGRAMS),
        *_of_podman(machine),
        *_user_namespaces(machine),
        *_disk(machine),
        _memory(machine),
        *_engine(machine),
    )


def read_machine() -> Machine:
    """Ask this machine; starts programs only for their versions."""
    podman: PodmanAnswers | LeptonError
    try:
        podman = _ask_podman(find_podman())
    except LeptonError as error:
        podman = error
    places = {"host images are built in": tempfile.gettempdir()}
    if isinstance(podman, PodmanAnswers):
        places["podman's store"] = str(podman.info["store"]["graphRoot"])
    return Machine(
        python=sys.version_info[:2],
        ansible=_installed("ansible-core"),
        programs={name: _version_of(name, argument) for name, (argument, _) in PROGRAMS.items()},
        podman=podman,
        free_disk_gib={f"{path} ({what})": _free_gib(path) for what, path in places.items()},
        free_memory_gib=_free_memory_gib(),
        is_root=os.geteuid() == 0,
        user=current_user(),
        subordinate_ids=subordinate_ids(),
        engine=_ask_engine(),
    )


def _ask_engine() -> Engine | LeptonError:
    try:
        return find_engine(os.environ)
    except LeptonError as error:
        return error


def _ask_podman(podman: Podman) -> PodmanAnswers:
    recipe = read_recipe()
    return PodmanAnswers(
        info=podman.info(),
        networks=podman.networks(),
        containers=podman.listed(),
        recipe=recipe,
        is_image_built=is_built(podman, recipe),
        old_images=unused_images(podman, recipe),
    )


def _python(machine: Machine) -> Finding:
    needed = _dotted(MIN_PYTHON)
    hint = f"make the environment with a newer one: python{needed} -m venv .venv"
    return Finding("python", machine.python >= MIN_PYTHON, _dotted(machine.python), f"{needed} or newer", hint)


def _ansible(machine: Machine) -> Finding:
    is_ok = machine.ansible is not None and _numbers(machine.ansible) >= MIN_ANSIBLE
    needed, hint = f"{_dotted(MIN_ANSIBLE)} or newer", "python -m pip install 'ansible-core>=2.19,<2.20'"
    return Finding("ansible-core", is_ok, machine.ansible or "not installed", needed, hint)


def _podman(machine: Machine) -> Finding:
    needed = f"{_dotted(MIN_PODMAN)} or newer, and it answers"
    if isinstance(machine.podman, LeptonError):
        return Finding("podman", False, machine.podman.message, needed, machine.podman.hint)  # noqa: FBT003 - is_ok
    text = str(machine.podman.info["version"]["Version"])
    return Finding("podman", _numbers(text) >= MIN_PODMAN, text, needed, INSTALL_HINT)


def _program(machine: Machine, name: str) -> Finding:
    found = machine.programs.get(name)
    if found is None:
        return Finding(name, False, "not installed", "installed", PROGRAMS[name][1])  # noqa: FBT003 - is_ok
    return Finding(name, True, found or "installed", "installed")  # noqa: FBT003 - is_ok


def _of_podman(machine: Machine) -> tuple[Finding, ...]:
    if isinstance(machine.podman, LeptonError):
        return ()
    answers = machine.podman
    return (_cgroups(answers), _range(answers), _image(answers), *_old_images(answers), _hosts(answers))


def _cgroups(answers: PodmanAnswers) -> Finding:
    host = answers.info["host"]
    found, is_rootless = str(host["cgroupVersion"]), bool(host["security"]["rootless"])
    runtime = str(host["ociRuntime"]["name"]).rpartition("/")[2]
    if is_rootless:
        hint = "run leptonctl as root (sudo), or boot with systemd.unified_cgroup_hierarchy=1"
        return Finding("cgroups", found == "v2", f"{found}, without root", "v2, or root", hint)
    is_ok = found == "v2" or runtime == "runc"
    return Finding("cgroups", is_ok, f"{found}, runtime {runtime}", "v2, or v1 with the runtime runc", INSTALL_HINT)


def _range(answers: PodmanAnswers) -> Finding:
    taken = (*ranges_of_networks(answers.networks), *ranges_of_machine())
    free = next(free_ranges(taken, host_count=1, seed="doctor"), None)
    hint = "set network.cidr of every local location in the site file"
    found = "none" if free is None else f"{free} and others"
    return Finding("address ranges", free is not None, found, "a free one in 10.64.0.0/10", hint)


def _image(answers: PodmanAnswers) -> Finding:
    if answers.is_image_built:
        return Finding("host image", True, answers.recipe.tag, "built")  # noqa: FBT003 - is_ok
    return Finding("host image", None, "not built yet", "built", "`leptonctl up` builds it when it is first needed")


def _old_images(answers: PodmanAnswers) -> tuple[Finding, ...]:
    if not answers.old_images:
        return ()
    ids = " ".join(image.id[:12] for image in answers.old_images)
    return (Finding("old host images", None, f"{len(answers.old_images)} unused", "none", f"podman rmi {ids}"),)


def _hosts(answers: PodmanAnswers) -> Finding:
    ours = [one for one in answers.containers if one.labels.get(MANAGED) == "leptonctl"]
    if not ours:
        return Finding("local hosts", True, "none", "known to you")  # noqa: FBT003 - is_ok
    sites = sorted({one.labels.get(SITE, "?") for one in ours})
    hint = f"leptonctl down SITE_FILE removes them; podman ps --all --filter label={MANAGED}=leptonctl lists them"
    return Finding("local hosts", None, f"{len(ours)} of {', '.join(sites)}", "known to you", hint)


def _user_namespaces(machine: Machine) -> tuple[Finding, ...]:
    if machine.is_root:
        return ()
    is_ok, hint = has_subordinate_ids(machine.subordinate_ids, machine.user), subordinate_ids_hint(machine.user)
    found = "a range" if is_ok else f"none for {machine.user} in /etc/subuid"
    return (Finding("subordinate ids", is_ok, found, "a range, where leptonctl runs without root", hint),)


def _disk(machine: Machine) -> tuple[Finding, ...]:
    hint = "free some: podman system df shows what podman holds; or set TMPDIR to a larger disk for the build"
    return tuple(
        Finding("disk", free >= NEEDED_GIB, f"{free:.1f} GiB free on {place}", f"{NEEDED_GIB} GiB", hint)
        for place, free in machine.free_disk_gib.items()
    )


def _memory(machine: Machine) -> Finding:
    needed = f"{MEMORY_PER_HOST_GIB * DEMO_HOSTS:g} GiB for {DEMO_HOSTS} local hosts"
    if machine.free_memory_gib is None:
        return Finding("memory", None, "could not be read", needed)
    is_ok = machine.free_memory_gib >= MEMORY_PER_HOST_GIB * DEMO_HOSTS
    return Finding("memory", is_ok, f"{machine.free_memory_gib:.1f} GiB free", needed, "stop something: free --human")


def _engine(machine: Machine) -> tuple[Finding, ...]:
    needed = "one that fits, for locations on aws"
    if isinstance(machine.engine, Engine):
        return (Finding("pulumi engine", True, f"{machine.engine.version}, {machine.engine.program}", needed),)  # noqa: FBT003 - is_ok
    if machine.engine is None:
        return ()
    return (Finding("pulumi engine", None, machine.engine.message, needed, machine.engine.hint),)


def _version_of(name: str, argument: str | None) -> str | None:
    program = find_program(name)
    if program is None:
        return None
    if argument is None:
        return ""
    done = subprocess.run([program, argument], capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False)
    found = _VERSION.search(last_lines(done.stdout + done.stderr))
    return found.group() if found else ""


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _free_gib(path: str) -> float:
    # podman's store may not be there before its first use.
    place = next(place for place in (Path(path), *Path(path).parents) if place.exists())
    return shutil.disk_usage(place).free / GIB


def _free_memory_gib() -> float | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _text(Path("/proc/meminfo")), re.MULTILINE)
    return int(found.group(1)) * 1024 / GIB if found else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _numbers(text: str) -> tuple[int, ...]:
    found = _VERSION.search(text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _dotted(parts: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in parts)
