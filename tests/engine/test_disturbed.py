"""A location is made while AWS throttles, loses replies, shows things late, or takes the credentials away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import ExitCode, PlatformFailed, PreflightFailed
from leptonctl.planning import aws_tags
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import silent
from tests.engine.disturbances import ExpiredCredentials, LateToBeSeen, Rate, Throttle
from tests.engine.machines import EACH_ONCE, is_as_planned, machines
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.observed import ObservedLocation
    from leptonctl.session import Session
    from tests.engine.proxy import Proxy

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("engine", "swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
REGION = "eu-central-1"


def make(session: Session) -> ObservedLocation:
    return platform_of(session).ensure(core_of(session), silent)


def test_a_lost_reply_does_not_lead_to_a_second_machine(aws_proxy: Proxy, tmp_path: Path) -> None:
    aws_proxy.drop_reply("RunInstances", times=2)
    session = open_site("thin", tmp_path)
    assert is_as_planned(session, make(session))
    assert machines() == EACH_ONCE


def test_what_is_seen_late_is_waited_for(aws_proxy: Proxy, tmp_path: Path) -> None:
    aws_proxy.add(LateToBeSeen("RunInstances", lists=2))
    aws_proxy.add(LateToBeSeen("CreateVpc", lists=3))
    session = open_site("thin", tmp_path)
    found = make(session)
    assert is_as_planned(session, found)
    assert set(found.endpoints) == set(EACH_ONCE)


def test_what_lies_between_hosts_and_volumes_is_missed_too(aws_proxy: Proxy, tmp_path: Path) -> None:
    make(open_site("thin", tmp_path))
    ec2: Any = boto3.client("ec2", region_name=REGION)
    for volume in ec2.describe_volumes(Filters=[{"Name": f"tag:{aws_tags.ROLE}", "Values": ["volume"]}])["Volumes"]:
        place = volume["Attachments"][0]
        ec2.detach_volume(VolumeId=volume["VolumeId"], InstanceId=place["InstanceId"], Device=place["Device"])
    aws_proxy.refuse("AttachVolume", "UnauthorizedOperation", times=99)
    session = open_site("thin", tmp_path)
    with pytest.raises(PlatformFailed):
        make(session)
    assert machines() == EACH_ONCE
    found = platform_of(session).observe("core")
    changed = [one for one in resource_changes(core_of(session), found) if one.action is not Action.KEEP]
    assert [(one.action, one.kind, one.reasons[0].partition(":")[0]) for one in changed] == [
        (Action.UPDATE, "network", "not made yet")
    ]
    assert "VolumeAttachment data.box-1" in changed[0].reasons[0]
    aws_proxy.disturbances.clear()
    again = open_site("thin", tmp_path)
    assert is_as_planned(again, make(again))


def test_a_throttled_location_is_made_in_the_end(
    aws_proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "25")
    throttle = Throttle({"CreateSubnet": Rate(1, 2), "DescribeSubnets": Rate(2, 4), "RunInstances": Rate(1, 1)})
    aws_proxy.add(throttle)
    session = open_site("thin", tmp_path)
    assert is_as_planned(session, make(session))
    assert throttle.refused > 0
    assert machines() == EACH_ONCE


def test_credentials_that_expire_in_the_middle_are_named_and_the_next_run_goes_on(
    aws_proxy: Proxy, tmp_path: Path
) -> None:
    expired = ExpiredCredentials("RunInstances")
    aws_proxy.add(expired)
    session = open_site("thin", tmp_path)
    with pytest.raises(PreflightFailed) as caught:
        make(session)
    assert re.fullmatch(
        r"core: AWS no longer takes the credentials \(RequestExpired at box-[12]\)( \(and \d+ more\))?",
        caught.value.message,
    )
    assert caught.value.hint == "get new ones (`aws sso login`, or new keys) and run this again: it goes on from here"
    assert caught.value.exit_code == ExitCode.PREFLIGHT_FAILED
    expired.renew()

    before = aws_proxy.calls["ec2:CreateVpc"]
    again = open_site("thin", tmp_path)
    assert is_as_planned(again, make(again))
    assert machines() == EACH_ONCE
    assert aws_proxy.calls["ec2:CreateVpc"] == before, "what was made stays"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (
            "UnauthorizedOperation",
            "the credentials lack a permission for this; docs/aws.md has the policy that is enough",
        ),
        (
            "VcpuLimitExceeded",
            "the account's quota is used up: ask AWS to raise it, or make the site smaller",
        ),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do_and_goes_on_when_it_is_done(
    aws_proxy: Proxy, tmp_path: Path, code: str, hint: str
) -> None:
    aws_proxy.refuse("RunInstances", code, times=99)
    session = open_site("thin", tmp_path)
    with pytest.raises(PlatformFailed) as caught:
        make(session)
    refused = [problem for problem in caught.value.problems if code in problem.message]
    assert {(problem.where, problem.hint) for problem in refused} == {("core", hint)}, caught.value.problems
    assert refused[0].message.startswith("box-")
    aws_proxy.disturbances.clear()
    assert is_as_planned(session, make(open_site("thin", tmp_path)))
    assert machines() == EACH_ONCE
