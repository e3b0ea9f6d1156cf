from __future__ import annotations

from dataclasses import replace
from typing import Any

from leptonctl.platforms.aws_applied import fingerprint
from tests.stacks.samples import ROOT, ran_of_file

ARGS = ran_of_file(ROOT / "tests" / "engine" / "sites" / "thin.yaml")["core"].args
VPC = {"urn": "urn:pulumi:core::thin::aws:ec2/vpc:Vpc::network", "id": "vpc-1", "inputs": {"cidrBlock": "10.0.0.0/16"}}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources), **more}}


def test_what_the_engine_only_read_is_no_change() -> None:
    noted = fingerprint(ARGS, state(VPC))
    assert fingerprint(ARGS, state({**VPC, "outputs": {"arn": "arn:1"}, "modified": "2026-01-01"})) == noted
    assert fingerprint(ARGS, state(VPC, pending_operations=[])) == noted
    assert len(noted) == 64


def test_an_edit_another_state_and_what_is_unfinished_are_changes() -> None:
    noted = fingerprint(ARGS, state(VPC))
    changed = [
        fingerprint(replace(ARGS, section="another"), state(VPC)),
        fingerprint(replace(ARGS, network=replace(ARGS.network, zone_count=3)), state(VPC)),
        fingerprint(ARGS, state({**VPC, "inputs": {"cidrBlock": "10.1.0.0/16"}})),
        fingerprint(ARGS, state({**VPC, "id": "vpc-2"})),
        fingerprint(ARGS, state()),
        fingerprint(ARGS, state(VPC, VPC)),
        fingerprint(ARGS, state(VPC, pending_operations=[{"type": "creating"}])),
    ]
    assert len({noted, *changed}) == len(changed) + 1
