"""Things on a moto with the marks of a site."""

from __future__ import annotations

from typing import Any

REGION = "eu-central-1"


def tags(kind: str, address: str, *, site: str = "thin", **more: str) -> dict[str, str]:
    found = {"leptonctl:site": site, "leptonctl:location": "core", "leptonctl:address": address, "leptonctl:kind": kind}
    return found | {f"leptonctl:{key.replace('_', '-')}": value for key, value in more.items()}


def specified(type_: str, marks: dict[str, str]) -> list[Any]:
    return [{"ResourceType": type_, "Tags": [{"Key": key, "Value": value} for key, value in marks.items()]}]


def start(ec2: Any, marks: dict[str, str], count: int = 1) -> str:
    marked = specified("instance", marks)
    run = ec2.run_instances(ImageId="ami-03cf127a", MinCount=count, MaxCount=count, TagSpecifications=marked)
    return str(run["Instances"][0]["InstanceId"])
