#!/usr/bin/python3
"""Pulls this box's signed state from its region and brings it about. Nothing unsigned, forged, cut off or old is used.

    agent [--from FOLDER]      FOLDER has the two files, as they are served: for state that came by other means

The state is an archive with a signature beside it (`ssh-keygen -Y sign`). It is looked into only once the signature is
proven; then it has to be this box's own, and newer than what was brought about last, by pull or by push. Its program
(`leptonctl.hosts.pulled`) runs the roles with the Ansible that came with it, and writes the manifest as a push does.

Exit: 0 brought about, or nothing newer; 5 roles failed (it tries again); 7 refused; 9 the region does not answer.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

SETTINGS = Path("/etc/leptonctl/agent.json")
SIGNERS = Path("/etc/leptonctl/signers")
FOLDER = Path("/var/lib/leptonctl/pulled")
SERIAL = FOLDER / "serial"
MANIFEST = Path("/var/lib/leptonctl/manifest.json")
NAMESPACE = "leptonctl-state"
IDENTITY = "leptonctl"
LIMIT_S = 60
BYTES_AT_MOST = 256 << 20
SIGNATURE_AT_MOST = 1 << 16
NOT_FOUND = 404
DONE, FAILED, REFUSED, NO_ANSWER = 0, 5, 7, 9


class RefusedError(Exception):
    """Why a state is not used."""


class NothingThere(Exception):
    """The region answers and has no state of this box."""


def main() -> int:
    """Look once; say in one line what came of it."""
    try:
        settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory(prefix="lepton-agent-") as made:
            code, said = pull(settings, Path(made))
    except RefusedError as error:
        code, said = REFUSED, f"refused: {error}"
    except NothingThere:
        code, said = DONE, "nothing is published for this box"
    except OSError as error:
        code, said = NO_ANSWER, f"no state could be fetched: {error}"
    print(said)
    return code


def pull(settings: dict, folder: Path) -> "tuple[int, str]":
    """Fetch, prove, compare, bring about."""
    name = file_name(settings["address"])
    archive, signature = folder / f"{name}.tar.gz", folder / f"{name}.tar.gz.sig"
    fetch(settings["url"], archive, BYTES_AT_MOST)
    fetch(settings["url"], signature, SIGNATURE_AT_MOST)
    prove(archive, signature)
    state = read_state(archive)
    if state.get("schema") != 1 or state.get("address") != settings["address"]:
        raise RefusedError(f"it is the state of {state.get('address')}, and this is {settings['address']}")
    serial, last = int(state["serial"]), last_serial()
    if serial == last:
        return DONE, f"nothing newer than {serial}"
    if serial < last:
        raise RefusedError(f"it is stale: its serial is {serial}, and {last} was brought about before")
    pushed = int(MANIFEST.stat().st_mtime) if MANIFEST.exists() else 0
    if serial < pushed:
        raise RefusedError(f"it is stale: it was published at {serial}, and the box was configured by push at {pushed}")
    return bring_about(archive, serial)


def file_name(address: str) -> str:
    """The name that the state of a box is served under."""
    return address.replace("/", ".")


def fetch(url: str, to: Path, at_most: int) -> None:
    """Fetch a file, from the region or from a folder that was named."""
    if sys.argv[1:2] == ["--from"]:
        shutil.copyfile(Path(sys.argv[2]) / to.name, to)
        return
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(f"{url}/{to.name}", timeout=LIMIT_S)
    except urllib.error.HTTPError as error:
        raise (NothingThere if error.code == NOT_FOUND else error) from None
    with answer, to.open("wb") as file:
        taken = 0
        while block := answer.read(1 << 20):
            taken += len(block)
            if taken > at_most:
                raise RefusedError(f"{to.name} is larger than {at_most} bytes")
            file.write(block)


def prove(archive: Path, signature: Path) -> None:
    """Let ssh-keygen say whether one of the signers signed exactly these bytes, for this purpose."""
    command = ["ssh-keygen", "-Y", "verify", "-f", str(SIGNERS), "-I", IDENTITY, "-n", NAMESPACE, "-s", str(signature)]
    with archive.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise RefusedError(f"it is not signed by who may publish: {said}")


def read_state(archive: Path) -> dict:
    """What the state says of itself."""
    with tarfile.open(archive) as files:
        found = files.extractfile("state.json")
        return json.loads(found.read()) if found is not None else {}


def last_serial() -> int:
    """The serial of what was brought about last."""
    return int(SERIAL.read_text(encoding="utf-8")) if SERIAL.exists() else 0


def bring_about(archive: Path, serial: int) -> "tuple[int, str]":
    """Unpack, run, and keep the serial of what came to its end."""
    place = FOLDER / "state"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)
    with tarfile.open(archive) as files:
        # Debian's Python of 2023 has no `filter="data"` yet.
        for entry in files:
            if not entry.isreg() or entry.name.startswith("/") or ".." in Path(entry.name).parts:
                raise RefusedError(f"it has an entry that is no plain file of its own: {entry.name}")
        files.extractall(place)  # noqa: S202 - checked just now
    command = [sys.executable, "-I", str(place / "leptonctl" / "hosts" / "pulled.py"), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.strip().splitlines()[-1:] or done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:12]
    if done.returncode != 0:
        return FAILED, f"state {serial} ({digest}): {said[0]}"
    SERIAL.write_text(f"{serial}\n", encoding="utf-8")
    return DONE, f"state {serial} ({digest}) was brought about: {said[0]}"


if __name__ == "__main__":
    sys.exit(main())
