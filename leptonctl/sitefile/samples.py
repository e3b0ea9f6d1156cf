"""Samples: the site files that `leptonctl init` writes."""

from __future__ import annotations

from leptonctl.assets import asset
from leptonctl.errors import UsageProblem
from leptonctl.sitefile.words import did_you_mean, quoted

SAMPLES: dict[str, str] = {
    "demo": "three tiers on this machine, one host each",
    "local": "a fuller site on this machine: several groups, storage, alerts",
    "ai-site": "a whole AI site over three tiers: storage, monitoring, and edges behind bad uplinks",
    "aws": "core and region on AWS, with an edge of machines that exist",
    "bare-metal": "machines that exist, reached by SSH",
}
"""Each sample with what it shows. The file is `templates/NAME.yaml`."""


def sample(name: str) -> str:
    """The text of a sample site file. Raises UsageProblem where there is none of that name."""
    if name not in SAMPLES:
        hint = f"write one of {', '.join(SAMPLES)}"
        raise UsageProblem(f"there is no template {quoted(name)}{did_you_mean(name, SAMPLES)}", hint=hint)
    return asset("templates", f"{name}.yaml").read_text(encoding="utf-8")
