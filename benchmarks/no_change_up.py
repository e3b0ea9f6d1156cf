"""`up` with nothing to do on ten real local hosts, from process start to result: wall time against `ansible-playbook`.

Every host is really looked at, item by item. The peer runs the same roles as a usual playbook has them
(`plain_playbook/`), with pipelining and as many forks as hosts; it has to report that it changed nothing, as has
leptonctl. Judged as well: quicker than pyinfra with the same files, packages and services (`pyinfra_deploy.py`), which
is installed for this benchmark alone; where it cannot be, that is said and not judged.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import managed
from harness import CommandFailed, Run, medians, print_table, run, verdict
from leptonctl.platforms.image import ensure_image, read_recipe
from leptonctl.platforms.podman import find_podman
from leptonctl.progress import silent
from ten_hosts import PLAIN, ten_hosts

if TYPE_CHECKING:
    from ten_hosts import TenHosts

GOAL = 0.03
ROUNDS = int(os.environ.get("ROUNDS", "5"))
OURS = "leptonctl up, nothing to do"
PEER = "ansible-playbook, pipelining, forks 10"
PYINFRA = "pyinfra"
_HERE = Path(__file__).parent
_CONFIG = {"ANSIBLE_CONFIG": str(PLAIN / "ansible.cfg")}


def main() -> int:
    """Measure and judge."""
    ensure_image(find_podman(), read_recipe(), silent, "core")
    with ten_hosts() as hosts, tempfile.TemporaryDirectory() as place:
        run(hosts.up)
        before = hosts.end_state()
        playbook = hosts.playbook(PLAIN / "site.yml")
        _require_no_change(playbook)
        commands = {OURS: (hosts.up, {}), PEER: (playbook, _CONFIG)}
        pyinfra = _pyinfra(hosts, Path(place))
        if pyinfra is not None:
            commands[PYINFRA] = (pyinfra, {"PYTHONPATH": str(_HERE)})
        taken: dict[str, list[Run]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, (command, environment) in commands.items():
                taken[name].append(run(command, env=environment))
        if hosts.end_state() != before:
            raise CommandFailed("a host is not as it was: something did have to do")
    measured = {name: medians(runs) for name, runs in taken.items()}
    print_table(measured)
    is_first = True
    if PYINFRA in measured:
        is_first = measured[OURS].wall_s < measured[PYINFRA].wall_s
        print(f"of pyinfra's wall time: {measured[OURS].wall_s / measured[PYINFRA].wall_s:.2f}, goal below 1")
    return verdict(measured[OURS].wall_s / measured[PEER].wall_s, GOAL) or int(not is_first)


def _require_no_change(playbook: list[str]) -> None:
    """Raise where the peer finds something to change on hosts that leptonctl configured. Also its warm-up."""
    done = subprocess.run(playbook, env={**os.environ, **_CONFIG}, capture_output=True, text=True, check=False)
    counts = done.stdout.rpartition("PLAY RECAP")[2]
    if done.returncode != 0 or counts.count("changed=0 ") != counts.count("ok="):
        raise CommandFailed(
            f"the peer finds something to do where leptonctl did all:\n{done.stdout[-3000:]}{done.stderr}"
        )


def _pyinfra(hosts: TenHosts, folder: Path) -> list[str] | None:
    """The command that runs pyinfra on the same hosts; None where it cannot be installed."""
    if not _is_installed(folder / "venv"):
        print("pyinfra could not be installed here: not measured")
        return None
    aims = hosts.targets()
    podman = find_podman()
    watching = next(one for one in hosts.containers() if one.name.endswith("control-1"))
    for path in (*managed.FILES, *managed.WATCHING_FILES):
        copy = folder / "files" / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        podman.text("cp", f"{watching.id}:{path}", str(copy))
    known_hosts = hosts.session.site_dir / "known_hosts"
    shared = {"ssh_user": "root", "ssh_known_hosts_file": str(known_hosts), "ssh_strict_host_key_checking": "yes"}
    listed = [
        (
            aim.endpoint.hostname,
            {
                **shared,
                "ssh_key": str(aim.endpoint.key),
                "copies": str(folder / "files"),
                "watches": aim.name == "control-1",
            },
        )
        for aim in aims
    ]
    inventory = folder / "inventory.py"
    inventory.write_text(f"hosts = {listed!r}\n")
    return [str(folder / "venv" / "bin" / "pyinfra"), "-y", str(inventory), str(_HERE / "pyinfra_deploy.py")]


def _is_installed(venv: Path) -> bool:
    """Whether pyinfra is in a fresh environment now, as pinned."""
    commands = (
        [sys.executable, "-m", "venv", str(venv)],
        [str(venv / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(_HERE / "pyinfra.txt")],
    )
    return all(subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands)


if __name__ == "__main__":
    sys.exit(main())
