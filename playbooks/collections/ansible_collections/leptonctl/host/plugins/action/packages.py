"""Has packages installed as `ansible.builtin.apt` does, and asks the host only where nobody knows that they are there.

`name` and `state` are those of apt. `there` are the packages that this run has installed or found in that state
already, all roles' at once: where it has them all, this task only says that the role wants them.

With `state: absent` the versions in `name` say nothing, and packages that are in `still_wanted` stay.
"""

from __future__ import annotations

import re
from typing import Any

from ansible.plugins.action import ActionBase

APT = {
    "install_recommends": False,
    "allow_downgrade": True,
    "allow_change_held_packages": True,
    "lock_timeout": 600,
    # Settings that a role took along when it left come back with the package: its service may not start without them.
    "dpkg_options": "force-confdef,force-confold,force-confmiss",
}


class ActionModule(ActionBase):
    """The action."""

    _VALID_ARGS = frozenset({"name", "state", "there", "still_wanted"})

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run apt, or give what it would say."""
        del tmp
        super().run(None, task_vars)
        asked = {"name": list(self._task.args["name"]), "state": self._task.args["state"]}
        if asked["state"] == "absent":
            stays = set(map(_bare, self._task.args.get("still_wanted") or ()))
            asked["name"] = [name for name in map(_bare, asked["name"]) if name not in stays]
        if set(asked["name"]) <= set(self._task.args.get("there") or ()):
            return {"changed": False, "invocation": {"module_args": {**APT, **asked}}}
        return self._execute_module("ansible.builtin.apt", module_args={**APT, **asked}, task_vars=task_vars)


def _bare(name: str) -> str:
    """The package's name without the version that is asked for."""
    return re.split(r"[=<>]", name, maxsplit=1)[0].strip()
