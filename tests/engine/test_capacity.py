"""Where AWS has no capacity for a host: the next zone, the next type, kept on later runs; and when nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import PlatformFailed
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import Progress, silent
from tests.engine.disturbances import NoCapacity
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.engine.proxy import Proxy

pytestmark = [
    pytest.mark.engine,
    pytest.mark.matrix,
    pytest.mark.usefixtures("engine", "swept"),
    # A program whose engine ends with a failure leaves its event loop and its channels to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
REGION = "eu-central-1"


def machines() -> dict[str, tuple[str, str]]:
    """The type and zone of each host that runs, by name."""
    client: Any = boto3.client("ec2", region_name=REGION)
    found = [one for group in client.describe_instances()["Reservations"] for one in group["Instances"]]
    return {
        next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "leptonctl:host"): (
            one["InstanceType"],
            one["Placement"]["AvailabilityZone"],
        )
        for one in found
        if one["State"]["Name"] == "running"
    }


def nothing_in(zone: str, machine_type: str) -> Callable[[Mapping[str, str]], bool]:
    """Whether a launch asks for this type in this zone."""

    def lacks(asked: Mapping[str, str]) -> bool:
        client: Any = boto3.client("ec2", region_name=REGION)
        subnet = client.describe_subnets(SubnetIds=[asked["SubnetId"]])["Subnets"][0]
        return (subnet["AvailabilityZone"], asked["InstanceType"]) == (zone, machine_type)

    return lacks


def test_a_host_goes_to_the_next_zone_then_to_the_next_type_and_stays_there(aws_proxy: Proxy, tmp_path: Path) -> None:
    session = open_site("capacity", tmp_path)
    platform, core = platform_of(session), core_of(session)
    told: list[Progress] = []
    aws_proxy.disturbances[:] = [NoCapacity(nothing_in("eu-central-1a", "m5.large"))]
    made = platform.ensure(core, told.append)
    assert machines() == {"box-1": ("m5.large", "eu-central-1b"), "box-2": ("m5.large", "eu-central-1b")}
    assert [one.message for one in told if one.address == "core/box-1" and "AWS has no" in one.message] == [
        "AWS has no m5.large in eu-central-1a: goes on with m5.large in eu-central-1b"
    ]
    assert {one.action for one in resource_changes(core, made)} == {Action.KEEP}

    aws_proxy.disturbances.clear()
    assert {change.action for change in platform.preview(core)} == {Action.KEEP}
    aws_proxy.forget()
    assert platform.ensure(core, silent).resources == made.resources
    assert aws_proxy.changing == {}

    # One is lost: it is made again as it was last, and goes on from there.
    host = next(one for one in made.resources if one.address == "core/box-1")
    boto3.client("ec2", region_name=REGION).terminate_instances(InstanceIds=[host.id])
    aws_proxy.disturbances[:] = [NoCapacity(lambda asked: asked["InstanceType"] == "m5.large")]
    told.clear()
    platform.ensure(core, told.append)
    assert machines() == {"box-1": ("m5a.large", "eu-central-1b"), "box-2": ("m5.large", "eu-central-1b")}
    assert [one.message for one in told if "AWS has no" in one.message] == [
        "AWS has no m5.large in eu-central-1b: goes on with m5.large in eu-central-1a",
        "AWS has no m5.large in eu-central-1a: goes on with m5a.large in eu-central-1b",
    ]
    aws_proxy.forget()
    platform.ensure(core, silent)
    assert aws_proxy.changing == {}


def test_when_every_choice_was_tried_the_error_has_them_all_and_the_next_run_goes_on(
    aws_proxy: Proxy, tmp_path: Path
) -> None:
    session = open_site("capacity", tmp_path)
    platform, core = platform_of(session), core_of(session)
    launches: set[str] = set()

    def lacks(asked: Mapping[str, str]) -> bool:
        # The provider repeats a launch by itself, with the same token.
        launches.add(asked["ClientToken"])
        return True

    aws_proxy.disturbances[:] = [NoCapacity(lacks)]
    with pytest.raises(PlatformFailed) as caught:
        platform.ensure(core, silent)
    assert caught.value.message == (
        "core/box-1: AWS has no capacity; tried m5.large in eu-central-1a, m5.large in eu-central-1b, "
        "m5a.large in eu-central-1a, m5a.large in eu-central-1b (and 1 more)"
    )
    assert caught.value.hint == "run this again later, or name more `zones` or `fallback_types`, or a `reservation`"
    assert [(one.rule, one.where) for one in caught.value.problems] == [
        ("no_capacity", "core/box-1"),
        ("no_capacity", "core/box-2"),
    ]
    assert len(launches) == 8
    assert machines() == {}
    aws_proxy.disturbances.clear()
    platform.ensure(core, silent)
    assert machines() == {"box-1": ("m5.large", "eu-central-1a"), "box-2": ("m5.large", "eu-central-1b")}
