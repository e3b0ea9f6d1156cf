"""The proxy does what it says: it counts, repeats answers, refuses, loses replies, hides, holds and throttles."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.engine.calls import read_call
from tests.engine.disturbances import (
    ExpiredCredentials,
    Gate,
    LateToBeSeen,
    RaisedQuotas,
    Rate,
    Throttle,
    Watcher,
)

if TYPE_CHECKING:
    from tests.engine.proxy import Proxy

pytestmark = pytest.mark.engine
REGION = "eu-central-1"


def client(attempts: int, service: str = "ec2") -> Any:
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
    return boto3.client(service, region_name=REGION, config=config)


def started(ec2: Any, token: str) -> str:
    run = ec2.run_instances(ImageId="ami-0d0debian13amd64", MinCount=1, MaxCount=1, ClientToken=token)
    return str(run["Instances"][0]["InstanceId"])


def count(ec2: Any) -> int:
    return sum(len(group["Instances"]) for group in ec2.describe_instances()["Reservations"])


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_call_with_the_same_token_is_made_once(aws_proxy: Proxy) -> None:
    ec2 = client(1)
    assert started(ec2, "one") == started(ec2, "one")
    assert started(ec2, "two")
    assert count(ec2) == 2
    assert aws_proxy.calls["ec2:RunInstances"] == 3
    assert aws_proxy.changing == {"ec2:RunInstances": 3}


def test_two_calls_with_the_same_token_at_the_same_time_are_made_once(aws_proxy: Proxy) -> None:
    ec2 = client(1)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: started(ec2, "one"), range(4)))
    assert (len(made), count(ec2), aws_proxy.calls["ec2:RunInstances"]) == (1, 1, 4)


def test_a_refused_call_is_not_made(aws_proxy: Proxy) -> None:
    aws_proxy.refuse("RunInstances", "InsufficientInstanceCapacity")
    ec2 = client(1)
    assert code_of(lambda: started(ec2, "one")) == "InsufficientInstanceCapacity"
    assert count(ec2) == 0
    # What was refused is not remembered under its token.
    assert started(ec2, "one")


@pytest.mark.parametrize(
    ("service", "operation", "action", "arguments"),
    [
        ("ec2", "describe_vpcs", "DescribeVpcs", {}),
        ("iam", "get_role", "GetRole", {"RoleName": "any"}),
        ("resourcegroupstaggingapi", "get_resources", "GetResources", {}),
        ("s3", "list_buckets", "Get /", {}),
        ("efs", "describe_file_systems", "Get /2015-02-01/file-systems", {}),
    ],
)
def test_a_refusal_comes_in_the_form_of_the_service(
    aws_proxy: Proxy, service: str, operation: str, action: str, arguments: dict[str, str]
) -> None:
    aws_proxy.refuse(action, "AccessDenied")
    asked = client(1, service)
    assert code_of(lambda: getattr(asked, operation)(**arguments)) == "AccessDenied"


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


def test_credentials_expire_at_a_call_for_all_calls_until_they_are_renewed(aws_proxy: Proxy) -> None:
    expired = ExpiredCredentials("RunInstances")
    aws_proxy.add(expired)
    ec2, sts = client(1), client(1, "sts")
    assert count(ec2) == 0
    assert code_of(lambda: started(ec2, "one")) == "RequestExpired"
    assert code_of(lambda: count(ec2)) == "RequestExpired"
    assert code_of(sts.get_caller_identity) == "ExpiredToken"
    expired.renew()
    assert count(ec2) == 0


def test_what_was_made_is_seen_late_in_lists_and_at_once_by_its_id(aws_proxy: Proxy) -> None:
    aws_proxy.add(LateToBeSeen("CreateVpc", lists=2))
    ec2 = client(1)
    made = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    by_filter = [{"Name": "cidr", "Values": ["10.1.0.0/16"]}]
    assert [one["VpcId"] for one in ec2.describe_vpcs(VpcIds=[made])["Vpcs"]] == [made]
    seen = [[one["VpcId"] for one in ec2.describe_vpcs(Filters=by_filter)["Vpcs"]] for _ in range(3)]
    assert seen == [[], [], [made]]


def test_a_machine_is_seen_late_without_harm_to_others(aws_proxy: Proxy) -> None:
    ec2 = client(1)
    first = started(ec2, "one")
    aws_proxy.add(LateToBeSeen("RunInstances", lists=1))
    second = started(ec2, "two")
    running = [{"Name": "instance-state-name", "Values": ["running"]}]

    def seen() -> set[str]:
        answer = ec2.describe_instances(Filters=running)["Reservations"]
        return {one["InstanceId"] for group in answer for one in group["Instances"]}

    assert seen() == {first}
    assert seen() == {first, second}


@pytest.mark.parametrize("is_made", [False, True])
def test_a_gate_holds_one_call_before_or_after_it_is_made(aws_proxy: Proxy, *, is_made: bool) -> None:
    gate = Gate("RunInstances", number=2, is_made=is_made)
    aws_proxy.add(gate)
    ec2 = client(1)
    started(ec2, "one")
    assert not gate.reached.is_set()
    thread = threading.Thread(target=lambda: started(ec2, "two"))
    thread.start()
    assert gate.reached.wait(30)
    assert count(ec2) == (2 if is_made else 1)
    gate.release()
    thread.join(30)
    assert count(ec2) == 2


def test_somebody_is_told_of_calls_that_were_made(aws_proxy: Proxy) -> None:
    told: list[str] = []
    aws_proxy.add(Watcher(lambda call, _answer: told.append(call.name), "RunInstances"))
    aws_proxy.refuse("RunInstances", "Unsupported")
    ec2 = client(1)
    assert code_of(lambda: started(ec2, "one")) == "Unsupported"
    assert (told, count(ec2)) == ([], 0)
    started(ec2, "one")
    assert told == ["ec2:RunInstances"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def call(action: str, *, region: str = REGION, machines: int = 1) -> Any:
    body = f"Action={action}&MaxCount={machines}".encode()
    return read_call("POST", "/", {"Authorization": f"AWS4 Credential=key/20260101/{region}/ec2/aws4_request"}, body)


def test_quotas_that_aws_has_raised_are_told_so(aws_proxy: Proxy) -> None:
    quotas = client(1, "service-quotas")
    asked = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    default = quotas.get_service_quota(**asked)["Quota"]["Value"]
    aws_proxy.add(RaisedQuotas(100))
    assert quotas.get_service_quota(**asked)["Quota"]["Value"] == 100 * default


def test_each_action_has_a_bucket_of_its_own_in_each_region_that_refills() -> None:
    clock = Clock()
    throttle = Throttle({"RunInstances": Rate(5, 2)}, clock=clock)

    def let(action: str, region: str = REGION) -> bool:
        return throttle.before(call(action, region=region)) is None

    assert [let("RunInstances") for _ in range(6)] == [True] * 5 + [False]
    assert let("CreateVpc")
    assert let("RunInstances", "eu-west-1")
    clock.now += 1
    assert [let("RunInstances") for _ in range(3)] == [True, True, False]
    clock.now += 60
    assert [let("RunInstances") for _ in range(6)] == [True] * 5 + [False], "a bucket never holds more than its size"
    assert throttle.refused == 3


def test_every_machine_takes_a_token_besides() -> None:
    clock = Clock()
    throttle = Throttle(machines=Rate(10, 1), clock=clock)
    assert throttle.before(call("RunInstances", machines=8)) is None
    assert throttle.before(call("RunInstances", machines=3)) is not None
    clock.now += 1
    assert throttle.before(call("RunInstances", machines=3)) is None


def test_a_client_that_waits_gets_through_a_throttle(aws_proxy: Proxy) -> None:
    throttle = Throttle({"DescribeInstances": Rate(1, 5)})
    aws_proxy.add(throttle)
    ec2 = client(8)
    for _ in range(3):
        count(ec2)
    assert throttle.refused > 0
