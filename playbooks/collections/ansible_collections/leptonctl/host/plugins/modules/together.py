#!/usr/bin/python3
"""Runs several of Ansible's own modules on the host in one go: the host's half of the action `together`.

The start of a module costs a quarter of a second of CPU on a host, most of it for reading what every module imports. So
this one reads it once, and each part is a child of it: forked, given its own arguments, and its result read back. The
parts are the modules as they came with Ansible: what they do, check and report is theirs.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import os
import re
import sys
import tempfile
import traceback
import zlib
from pathlib import Path

# Named for their own sake: what a part imports has to travel with this module.
from ansible.module_utils import basic, service  # noqa: F401
from ansible.module_utils.common import collections, file, locale, sentinel, sys_info  # noqa: F401
from ansible.module_utils.common.text import converters  # noqa: F401
from ansible.module_utils.facts.system import chroot  # noqa: F401


class Modules:
    """The modules that were sent, each read when it is first needed."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        self._read: dict[str, dict[str, object]] = {}

    def main_of(self, name: str) -> object:
        """Give the module's own `main`."""
        if name not in self._read:
            text = zlib.decompress(base64.b64decode(self._sources[name]))
            self._read[name] = {"__name__": name}
            exec(compile(text, f"{name}.py", "exec"), self._read[name])  # noqa: S102 - Ansible's own module
        return self._read[name]["main"]


def run_all(parts: list[dict], modules: Modules, internals: dict) -> list[dict]:
    """Run the parts in their order up to the first that fails, and give the result of each that was reached."""
    results: list[dict] = []
    changed: set[str] = set()
    for part in parts:
        if part["only_if_changed"] is not None and not changed & set(part["only_if_changed"]):
            result = {"changed": False, "skipped": True}
        else:
            result = judged(part, run(part, modules, internals))
        if result.get("changed"):
            changed.add(part["name"])
        results.append({"module": part["module"], "part": part["name"], **result})
        if result.get("failed"):
            break
    return results


def judged(part: dict, result: dict) -> dict:
    """Let what a command printed decide whether it changed something, where the part says so."""
    printed = str(result.get("stdout", ""))
    if part["may_fail"]:
        result["failed"] = False
    if part["changed_if_prints"] is not None:
        result["changed"] = part["changed_if_prints"] in printed
    if part["changed_unless_prints"] is not None:
        result["changed"] = sorted(printed.splitlines()) != sorted(part["changed_unless_prints"])
    return result


def run(part: dict, modules: Modules, internals: dict) -> dict:
    """Run one part in a child, with what it is to write in a file of its own."""
    arguments, internals = dict(part["arguments"]), dict(internals)
    if part["ignores_check_mode"]:
        internals["_ansible_check_mode"] = False
    if part["content"] is None:
        return in_child(part["module"], arguments, modules, internals)
    content = base64.b64decode(part["content"])
    arguments["checksum"] = hashlib.sha1(content).hexdigest()  # noqa: S324 - what the module compares
    if internals.get("_ansible_check_mode") and is_to_be_written(arguments["dest"], arguments["checksum"]):
        return {"changed": True}  # the module would miss folders that earlier parts did not make
    handle, path = tempfile.mkstemp(dir=internals.get("_ansible_tmpdir"))
    try:
        with os.fdopen(handle, "wb") as written:
            written.write(content)
        return in_child(part["module"], {**arguments, "src": path}, modules, internals)
    finally:
        Path(path).unlink(missing_ok=True)


def is_to_be_written(path: str, checksum: str) -> bool:
    """Whether the file is not there with this content."""
    try:
        return hashlib.sha1(Path(path).read_bytes()).hexdigest() != checksum  # noqa: S324 - as above
    except OSError:
        return True


def in_child(name: str, arguments: dict, modules: Modules, internals: dict) -> dict:
    """Call the module's `main` in a child of this process and read its result."""
    main = modules.main_of(name)
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            become(main, out.fileno(), {**internals, **arguments, "_ansible_module_name": name})
        os.waitpid(child, 0)
        out.seek(0)
        said = out.read().decode(errors="replace")
    try:
        result: dict = json.loads(said[said.index("\n{") :])
    except ValueError:
        return {"failed": True, "msg": f"{name} gave no result: {why(said)}", "stdout": said}
    result.pop("diff", None)
    return result


def why(said: str) -> str:
    """Give the errors of a traceback, the last one first: behind "failed to replace" stands that the disk is full."""
    lines = said.strip().splitlines() or ["it said nothing"]
    errors = [line.rstrip(".") for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*: ", line)]
    return ", because of ".join(reversed(errors)) or lines[-1]


def become(main: object, out: int, arguments: dict) -> None:
    """Be the module: this never returns."""
    try:
        atexit._clear()  # noqa: SLF001 - what the parent cleans up is not the child's
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = os.fdopen(1, "w")
        sys.stderr = os.fdopen(2, "w")
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()  # noqa: SLF001 - no other way in
        basic._PARSED_MODULE_ARGS = None  # noqa: SLF001 - the same
        main()
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - what the module registered: its temporary folder
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def main() -> None:
    """Run what was asked for and print the results."""
    asked = dict(basic._load_params())  # noqa: SLF001 - an AnsibleModule would log all that was sent
    internals = {name: value for name, value in asked.items() if name.startswith("_ansible_")}
    results = run_all(asked["parts"], Modules(asked["sources"]), internals)
    changed = any(result.get("changed") for result in results)
    print(json.dumps({"changed": changed, "parts": results}))
    sys.exit(0)  # Ansible takes a module that just ends for one that broke


if __name__ == "__main__":
    main()
