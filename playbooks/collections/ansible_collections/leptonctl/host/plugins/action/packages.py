"""Has packages installed as `ansible.builtin.apt` does, and asks the host only where nobody knows that they are there.

`name` and `state` are those of apt. `there` are the packages that this run has installed or found in that state
already, all roles' at once: where it has them all, this task only says that the role wants them.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

APT = {
    "install_recommends": False,
    "allow_downgrade": True,
    "allow_change_held_packages": True,
    "lock_timeout": 600,
}


class ActionModule(ActionBase):
    """The action."""

    _VALID_ARGS = frozenset({"name", "state", "there"})

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run apt, or give what it would say."""
        del tmp
        super().run(None, task_vars)
        asked = {"name": list(self._task.args["name"]), "state": self._task.args["state"]}
        if set(asked["name"]) <= set(self._task.args.get("there") or ()):
            return {"changed": False, "invocation": {"module_args": {**APT, **asked}}}
        return self._execute_module("ansible.builtin.apt", module_args={**APT, **asked}, task_vars=task_vars)
