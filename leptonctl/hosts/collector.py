"""The collector's modules: what judges GPUs at the controller, put together so that a host judges by the same code."""

from __future__ import annotations

import base64
import json
import textwrap
import zlib
from functools import cache
from pathlib import Path

ROLE = "gpu_health"
_PACKAGE = Path(__file__).parent.parent
# In order of need; the last one is what is run.
_MODULES = (
    *("errors", "health.data", "health.verdict", "health.level", "health.policy", "health.readings", "health.xid"),
    *(
        "health.findings",
        "health.smi",
        "health.nvlink",
        "health.kernel_log",
        "health.ports",
        "health.rocm",
        "health.amdgpu",
        "health.answer",
        "health.card_checks",
    ),
    *(
        "health.link_checks",
        "health.load_checks",
        "health.host_checks",
        "health.pcie_checks",
        "health.xid_checks",
        "health.amd_checks",
        "health.judge",
        "health.metrics",
    ),
    *(
        "hosts.remote.facts",
        "hosts.remote.drill",
        "hosts.remote.links",
        "hosts.remote.versions",
        "hosts.remote.amd",
        "hosts.remote.accelerators",
        "hosts.remote.collector",
    ),
)
_DATA = ("policy.toml", "xid.toml", "amdgpu.toml")


@cache
def collector_modules() -> str:
    """Names with sources, and data files by name, as the role's program takes them: JSON, zlib, base64, in lines.

    The same text for the same modules, so that a host is only changed where they did.
    """
    modules = [(f"leptonctl.{name}", _source(name)) for name in _MODULES]
    data = {name: (_PACKAGE / "health" / name).read_text(encoding="utf-8") for name in _DATA}
    packed = base64.b64encode(zlib.compress(json.dumps([modules, data]).encode(), 9)).decode()
    return "\n".join(textwrap.wrap(packed, 100))


def _source(name: str) -> str:
    return (_PACKAGE / Path(*name.split("."))).with_suffix(".py").read_text(encoding="utf-8")
