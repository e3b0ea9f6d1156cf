"""Runs several of Ansible's own modules on a host in one go: templates are filled in here, the rest happens there.

Each entry of `parts` names one module with its arguments, written as a task has it, and may have besides:

    name                    for `only_if_changed` of later parts
    when                    a truth value; where it is false the part is left out
    each                    arguments by name with a list of values: the part is done once for each value, none for none
    only_if_changed         names of earlier parts; one of them has to have changed something
    changed_if_prints       for commands: whether they changed something is whether they print this
    changed_unless_prints   for commands: the lines that they print where there is nothing to change, in any order
    may_fail                a command's exit status means nothing
    ignores_check_mode      it only looks

The result has `parts`: the result of each part that was reached, with its module. The first that fails ends it.
"""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import module_loader
from ansible.template import trust_as_template

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = frozenset({"command", "copy", "dpkg_selections", "file", "find", "systemd_service", "template", "wait_for"})
OPTIONS = {
    "name": "",
    "when": True,
    "only_if_changed": None,
    "changed_if_prints": None,
    "changed_unless_prints": None,
    "may_fail": False,
    "ignores_check_mode": False,
}
_PREFIX = "ansible.builtin."
_SAID = ("stdout", "stderr", "module_stdout", "module_stderr")

Part = dict[str, Any]


class ActionModule(ActionBase):
    """The action."""

    _VALID_ARGS = frozenset({"parts"})

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the parts, and give their results."""
        del tmp
        super().run(None, task_vars)
        entries = (one for entry in self._task.args["parts"] for one in _each(dict(entry)))
        parts = [self._part(entry, task_vars or {}) for entry in entries]
        wanted = [part for part in parts if part["when"]]
        if not wanted:
            return {"changed": False, "skipped": True, "skip_reason": "no part is asked for"}
        arguments = {"parts": wanted, "sources": {part["module"]: _source(part["module"]) for part in wanted}}
        result = self._execute_module("leptonctl.host.together", module_args=arguments, task_vars=task_vars)
        if "parts" not in result:
            return result
        failed = next((part for part in result["parts"] if part.get("failed")), None)
        if failed is not None:
            result["failed"] = True
            result["msg"] = f"{failed['module']}: {failed.get('msg', 'no reason given')}"
            result.update({name: failed[name] for name in _SAID if name in failed})
        return result

    def _part(self, entry: Part, task_vars: dict[str, Any]) -> Part:
        """One entry as the host's half takes it."""
        part = {name: entry.pop(name, default) for name, default in OPTIONS.items()}
        module, arguments = _module(entry)
        name = module.removeprefix(_PREFIX)
        if name not in MODULES or name == module:
            raise AnsibleActionFail(f"{module} cannot be a part; these can: {', '.join(sorted(MODULES))}")
        content = None
        if part["when"] and name in {"copy", "template"}:
            name, content = "copy", self._content(name, arguments, task_vars)
        return {**part, "module": _PREFIX + name, "arguments": arguments, "content": content}

    def _content(self, kind: str, arguments: dict[str, Any], task_vars: dict[str, Any]) -> str:
        """What a file is to contain, in base64; its source's name stays with the arguments."""
        source = Path(self._find_needle("templates" if kind == "template" else "files", arguments.pop("src")))
        arguments["_original_basename"] = source.name
        if kind == "copy":
            return base64.b64encode(source.read_bytes()).decode()
        text = trust_as_template(self._loader.get_text_file_contents(str(source)))
        templar = self._templar.copy_with_new_env(searchpath=[str(source.parent)], available_variables=task_vars)
        overrides = {"trim_blocks": True, "lstrip_blocks": True, "newline_sequence": "\n"}
        filled_in = templar.template(text, escape_backslashes=False, overrides=overrides)
        return base64.b64encode(("" if filled_in is None else str(filled_in)).encode()).decode()


def _each(entry: Part) -> Iterator[Part]:
    """The entry once for each value, where it has `each`."""
    if "each" not in entry:
        yield entry
        return
    lists = entry.pop("each")
    options = {name: value for name, value in entry.items() if name in OPTIONS}
    module, arguments = _module({name: value for name, value in entry.items() if name not in OPTIONS})
    if len({len(values) for values in lists.values()}) != 1:
        raise AnsibleActionFail(f"the lists of `each` have to be of one length: {', '.join(map(str, lists))}")
    for values in zip(*lists.values(), strict=True):
        yield {**options, module: {**arguments, **dict(zip(lists, values, strict=True))}}


def _module(entry: Part) -> tuple[str, dict[str, Any]]:
    """The module of an entry without its options, and its arguments."""
    if len(entry) != 1:
        raise AnsibleActionFail(f"a part has one module, this has {', '.join(map(str, entry)) or 'none'}")
    ((module, arguments),) = entry.items()
    return str(module), dict(arguments)


def _source(module: str) -> str:
    path = module_loader.find_plugin(module, mod_type=".py")
    return base64.b64encode(zlib.compress(Path(path).read_bytes())).decode()
