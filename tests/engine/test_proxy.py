"""The proxy does what it says: it counts, repeats answers, refuses, and loses replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.engine.proxy import Proxy


def client(attempts: int) -> Any:
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
    return boto3.client("ec2", region_name="eu-central-1", config=config)


def started(ec2: Any, token: str) -> str:
    run = ec2.run_instances(ImageId="ami-0d0debian13amd64", MinCount=1, MaxCount=1, ClientToken=token)
    return str(run["Instances"][0]["InstanceId"])


def count(ec2: Any) -> int:
    return sum(len(group["Instances"]) for group in ec2.describe_instances()["Reservations"])


def test_a_call_with_the_same_token_is_made_once(aws_proxy: Proxy) -> None:
    ec2 = client(1)
    assert started(ec2, "one") == started(ec2, "one")
    assert started(ec2, "two")
    assert count(ec2) == 2
    assert aws_proxy.calls["ec2:RunInstances"] == 3
    assert aws_proxy.changing == {"ec2:RunInstances": 3}


def test_a_refused_call_is_not_made(aws_proxy: Proxy) -> None:
    aws_proxy.refuse("RunInstances", "InsufficientInstanceCapacity")
    ec2 = client(1)
    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        started(ec2, "one")
    assert count(ec2) == 0


def test_a_throttled_call_is_repeated_and_made_once(aws_proxy: Proxy) -> None:
    aws_proxy.refuse("RunInstances", "RequestLimitExceeded", times=1)
    ec2 = client(3)
    started(ec2, "one")
    assert (count(ec2), aws_proxy.calls["ec2:RunInstances"]) == (1, 2)


def test_a_lost_reply_does_not_lead_to_a_second_machine(aws_proxy: Proxy) -> None:
    aws_proxy.drop_reply("RunInstances")
    ec2 = client(3)
    started(ec2, "one")
    assert (count(ec2), aws_proxy.calls["ec2:RunInstances"]) == (1, 2)
