from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.aws import location_args
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.aws_preflight import preflight_problems
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs

SITE = Path(__file__).parent.parent / "engine" / "sites" / "thin.yaml"
pytestmark = pytest.mark.usefixtures("ec2")


def core() -> LocationArgs:
    found = location_args(load_site(SITE, environ={}).site, "core")
    assert found is not None
    return found


def test_every_thing_in_the_way_is_told_at_once(tmp_path: Path) -> None:
    args = core()
    unknown = replace(args, groups=(replace(args.groups[0], machine_type="m9.huge"),))
    elsewhere = replace(args, location="regions/west", region="mars-west-1")
    environ = {"PATH": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    found = preflight_problems((unknown, elsewhere), AwsCloud, environ)
    own = f"{tmp_path}/leptonctl/engine/bin/pulumi"
    assert [(one.rule, one.message, one.where) for one in found] == [
        ("engine", f"the engine `pulumi` is missing (looked on PATH and for {own})", None),
        ("aws_machine_type", "machine type m9.huge is not offered in eu-central-1", "core"),
        ("aws_region", "region mars-west-1 is not one of this account's", None),
    ]


def test_missing_credentials_are_one_problem_for_a_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = preflight_problems((core(),), AwsCloud, {"PATH": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)})
    assert [one.rule for one in found] == ["engine", "aws"]
    assert found[1].message == "AWS cannot be asked, there are no usable credentials: Unable to locate credentials"
