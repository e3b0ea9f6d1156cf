#!/usr/bin/python3
"""Makes apt take packages from one more repository, signed by one key whose fingerprint is pinned; or no longer.

    name            of the files: /etc/apt/sources.list.d/NAME.sources and /etc/apt/keyrings/NAME.asc
    uris, suites, components, architectures
                    as deb822 has them; a suite that ends in `/` has no components
    fingerprint     of the primary key, 40 or 64 hexadecimal digits, blanks allowed
    key, key_url    the key as armored text, or where the host fetches it, by apt's own proxy
    state           present or absent

Before anything is written the key is looked at by gpg in a folder of its own (it has to be that one key and no other),
and the repository is fetched by apt with nothing but that key (it has to answer, and be signed by it). So there is no
half-made state: both files and the lists come into place only when they hold. Needs `gpg` on the host; on a host
without it check mode looks at nothing and says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

SOURCES = Path("/etc/apt/sources.list.d")
KEYRINGS = Path("/etc/apt/keyrings")
LISTS = Path("/var/lib/apt/lists")
MANAGED = "# Managed by leptonctl: the next run puts this file back."
FETCH_LIMIT_S = 30
APT_LIMIT_S = 600
KEY_BYTES_AT_MOST = 1 << 20
# What a folder of lists has besides them.
ARMOR = re.compile("-----BEGIN PGP PUBLIC KEY BLOCK-----.*-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
NOT_LISTS = {"lock", "partial", "auxfiles"}


class RefusedError(Exception):
    """What is in the way, in the operator's words."""


def main() -> None:
    """Do what was asked, or fail with what is in the way."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "uris": {"type": "list", "elements": "str", "default": []},
            "suites": {"type": "list", "elements": "str", "default": []},
            "components": {"type": "list", "elements": "str", "default": []},
            "architectures": {"type": "list", "elements": "str", "default": []},
            "fingerprint": {"type": "str", "no_log": False},
            "key": {"type": "str", "no_log": False},
            "key_url": {"type": "str", "no_log": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["uris", "suites", "fingerprint"])],
        mutually_exclusive=[("key", "key_url")],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**Repository(module).ensure())
    except RefusedError as error:
        module.fail_json(msg=f"repository {module.params['name']}: {error}")


class Repository:
    """One repository, and what the host has of it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.asked = module.params
        name = self.asked["name"]
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name) or name.endswith((".sources", ".asc")):
            raise RefusedError("its name has to be of a-z, 0-9, '-', '_' and '.'")
        self.source = SOURCES / f"{name}.sources"
        self.keyring = KEYRINGS / f"{name}.asc"
        self.result = {"dest": str(self.source), "key": str(self.keyring), "state": self.asked["state"]}

    def ensure(self) -> dict[str, object]:
        """Bring the host to the state; give the paths and whether something changed."""
        if self.asked["state"] == "absent":
            there = [path for path in (self.source, self.keyring) if path.is_symlink() or path.exists()]
            if not self.module.check_mode:
                for path in there:
                    path.unlink()
            return {**self.result, "changed": bool(there)}
        text = self.deb822()
        if shutil.which("gpg") is None:
            if self.module.check_mode:
                return {**self.result, "changed": True, "msg": "gpg is not there yet: nothing was looked at"}
            raise RefusedError("gpg is not on this host: install the package gpg first")
        with tempfile.TemporaryDirectory(dir=self.module.tmpdir) as folder:
            return self.ensure_present(text, Path(folder))

    def ensure_present(self, text: str, folder: Path) -> dict[str, object]:
        """Check the key and the repository where one of them is not there as asked, and write both."""
        gpg = Gpg(folder / "gnupg")
        pinned = self.pinned()
        kept = self.key_there(gpg, pinned)
        key = kept if kept is not None else self.new_key(gpg, pinned)
        is_same = self.source.is_file() and not self.source.is_symlink() and self.source.read_text() == text
        is_changed = kept is None or not is_same or self.keyring.read_text(errors="replace") != kept
        if is_changed:
            lists = self.fetched_lists(key, folder)
        if is_changed and not self.module.check_mode:
            self.write(self.keyring, key, folder)
            self.write(self.source, text, folder)
            for path in lists:
                shutil.move(str(path), str(LISTS / path.name))
        if not (is_changed and self.module.check_mode):
            is_changed |= self.set_rights()
        return {**self.result, "changed": is_changed}

    def pinned(self) -> str:
        """Give the fingerprint as gpg writes it."""
        found = re.sub(r"\s+", "", self.asked["fingerprint"]).upper()
        if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", found):
            raise RefusedError(f"'{self.asked['fingerprint']}' is no fingerprint: 40 hexadecimal digits, or 64")
        return found

    def deb822(self) -> str:
        """Give the source as apt reads it. `Trusted` and `Allow-Insecure` are never written."""
        values = {name: self.asked[name] for name in ("uris", "suites", "components", "architectures")}
        for name, entries in values.items():
            for entry in entries:
                if not re.fullmatch(r"[!-~]+", entry):
                    raise RefusedError(f"'{entry}' in {name} has a blank or a character that apt does not take")
        for uri in values["uris"]:
            if urllib.parse.urlsplit(uri).scheme not in {"http", "https"}:
                raise RefusedError(f"'{uri}' is not a URL of http or https")
        if any(suite.endswith("/") for suite in values["suites"]) == bool(values["components"]):
            raise RefusedError("a suite that ends in '/' has no components, any other has some")
        fields = {
            "Types": ["deb"],
            "URIs": values["uris"],
            "Suites": values["suites"],
            "Components": values["components"],
            "Architectures": values["architectures"],
            "Signed-By": [str(self.keyring)],
        }
        lines = [f"{name}: {' '.join(entries)}" for name, entries in fields.items() if entries]
        return "\n".join([MANAGED, *lines]) + "\n"

    def key_there(self, gpg: Gpg, pinned: str) -> str | None:
        """Give the key on the host where it is the pinned one, alone and valid, and the one that was handed over."""
        if self.keyring.is_symlink() or not self.keyring.is_file():
            return None
        text = self.keyring.read_text(errors="replace")
        handed = self.asked["key"]
        if gpg.what_is_wrong(text, pinned):
            return None
        key = gpg.armored(text.encode())
        return key if handed is None or key == gpg.armored(handed.encode()) else None

    def new_key(self, gpg: Gpg, pinned: str) -> str:
        """Give the key that is handed over, or fetched, once it is the pinned one."""
        handed, url = self.asked["key"], self.asked["key_url"]
        if handed is None and url is None:
            raise RefusedError(f"{self.keyring} is not the key {pinned}, and neither key nor key_url says where it is")
        text = gpg.armored(handed.encode() if handed is not None else fetched(url))
        where = "the key" if handed is not None else f"the key at {url}"
        wrong = gpg.what_is_wrong(text, pinned)
        if wrong:
            raise RefusedError(f"{where} {wrong}: nothing was changed")
        return text

    def fetched_lists(self, key: str, folder: Path) -> list[Path]:
        """Have apt fetch the repository with that key alone, into folders of our own; give the lists."""
        lists, keyring, source = folder / "lists", folder / "key.asc", folder / "one.sources"
        for made in (lists / "partial", folder / "cache" / "archives" / "partial"):
            made.mkdir(parents=True)
        keyring.write_text(key)
        source.write_text(self.deb822().replace(f"Signed-By: {self.keyring}", f"Signed-By: {keyring}"))
        options = {
            "Dir::Etc::SourceList": source,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": lists,
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "Acquire::Retries": "1",
        }
        command = [
            "apt-get",
            "update",
            *(part for name, value in options.items() for part in ("-o", f"{name}={value}")),
        ]
        try:
            done = run(command, limit_s=APT_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise RefusedError(f"{self.uris} did not give its lists within {APT_LIMIT_S} s") from None
        if done.returncode:
            raise RefusedError(self.why(done.stdout + done.stderr))
        return sorted(path for path in lists.iterdir() if path.name not in NOT_LISTS)

    @property
    def uris(self) -> str:
        """Give where the repository is, for a message."""
        return ", ".join(self.asked["uris"])

    def why(self, said: str) -> str:
        """Give what apt said, as one line that names the address."""
        lines = [line.strip() for line in said.splitlines()]
        detail = next((line for line in lines if re.match(r"(W|E): .*(GPG error|signatures|public key)", line)), None)
        if detail is not None:
            return f"{self.uris} is not signed by {self.pinned()}: {detail[3:]}"
        if any("is not signed" in line for line in lines):
            return f"{self.uris} is not signed: nothing is taken from it"
        errors = [line for line in lines if line.startswith(("E: Failed to fetch", "Err:"))]
        reasons = [line for line in lines if line and not line.startswith(("E:", "W:", "Err:", "Ign:", "Reading"))]
        said_last = [line[3:] for line in lines if line.startswith("E: ")]
        reason = next((line[3:] for line in errors if line.startswith("E: ")), None) or next(iter(said_last), None)
        return f"{self.uris} cannot be read: {reason or next(iter(reasons), 'apt did not say why')}"

    def write(self, path: Path, text: str, folder: Path) -> None:
        """Put a file into place, whole or not at all."""
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        whole = folder / path.name
        whole.write_text(text)
        whole.chmod(0o644)
        self.module.atomic_move(str(whole), str(path))

    def set_rights(self) -> bool:
        """Let root own both, and all read them: apt reads keys as a user of its own. Give whether something changed."""
        is_changed = False
        for path, mode in ((KEYRINGS, "0755"), (self.keyring, "0644"), (self.source, "0644")):
            rights = {"path": str(path), "owner": "root", "group": "root", "mode": mode, "attributes": None}
            rights.update({"seuser": None, "serole": None, "setype": None, "selevel": None, "secontext": []})
            is_changed |= self.module.set_fs_attributes_if_different(rights, changed=False)
        return is_changed


class Gpg:
    """gpg with a folder of its own: it knows no other keys, and leaves none."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.command = ["gpg", "--homedir", str(home), "--batch", "--no-options", "--no-autostart", "--quiet"]

    def what_is_wrong(self, text: str, pinned: str) -> str | None:
        """Say why this is not the pinned key and no other, or nothing."""
        done = run([*self.command, "--with-colons", "--show-keys"], stdin=text.encode())
        rows = [line.split(":") for line in done.stdout.splitlines()]
        primary = [number for number, row in enumerate(rows) if row[0] in {"pub", "sec"}]
        if done.returncode or not primary:
            return "is no OpenPGP key that gpg can read"
        found = [next(row[9] for row in rows[number:] if row[0] == "fpr") for number in primary]
        if found != [pinned]:
            return f"has the fingerprint {' and '.join(found)}, and {pinned} is pinned"
        validity = rows[primary[0]][1]
        if validity in {"e", "r"}:
            return "has expired" if validity == "e" else "was revoked"
        return None

    def armored(self, key: bytes) -> str:
        """Give the key as text and nothing around it; one that is in binary form is put into it."""
        block = ARMOR.search(key.decode(errors="replace"))
        if block is not None:
            return block[0] + "\n"
        done = run([*self.command, "--enarmor"], stdin=key)
        return done.stdout.replace("PGP ARMORED FILE", "PGP PUBLIC KEY BLOCK")


def fetched(url: str) -> bytes:
    """Fetch a key the way apt fetches packages: by the proxy that the host's apt is set to."""
    said = run(["apt-config", "dump", "--format", "%f %v%n", "Acquire::http::Proxy", "Acquire::https::Proxy"]).stdout
    proxies = dict(line.split(maxsplit=1) for line in said.splitlines() if len(line.split()) > 1)
    http = proxies.get("Acquire::http::Proxy", "")
    chosen = {"http": http, "https": proxies.get("Acquire::https::Proxy", http)}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({name: proxy for name, proxy in chosen.items() if proxy and proxy != "DIRECT"})
    )
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise RefusedError(f"'{url}' is not a URL of http or https")
    try:
        with opener.open(url, timeout=FETCH_LIMIT_S) as answer:
            return answer.read(KEY_BYTES_AT_MOST)
    except (OSError, urllib.error.URLError) as error:
        raise RefusedError(f"its key cannot be fetched from {url}: {getattr(error, 'reason', None) or error}") from None


def run(command: list[str], *, stdin: bytes = b"", limit_s: int = 60) -> subprocess.CompletedProcess[str]:
    """Run a program in the language that its messages are read in."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=limit_s, check=False)
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


if __name__ == "__main__":
    main()
