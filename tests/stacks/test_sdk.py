"""Every module of the SDKs that a component uses is loaded before programs run side by side."""

from __future__ import annotations

import re
from pathlib import Path

from stacks.sdk import AWS, CLUSTER, KUBERNETES, load

COMPONENTS = Path(__file__).parents[2] / "stacks"


def test_every_module_that_a_component_uses_is_loaded_first() -> None:
    text = "".join(path.read_text() for path in COMPONENTS.rglob("*.py"))
    assert set(re.findall(r"\baws\.([a-z0-9_]+)\.[A-Za-z]", text)) <= {*AWS, *CLUSTER}
    assert set(re.findall(r"\bk8s\.([a-z0-9_]+\.v[0-9a-z]+)\.[A-Z]", text)) <= set(KUBERNETES)


def test_what_is_loaded_is_whole() -> None:
    load(has_cluster=True)
    import pulumi_aws as aws  # noqa: PLC0415 - after it was loaded
    import pulumi_kubernetes as k8s  # noqa: PLC0415 - the same

    assert "Vpc" in vars(aws.ec2)
    assert "Deployment" in vars(k8s.apps.v1)
