from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from leptonctl.platforms.aws_errors import NEW_CREDENTIALS, expired_code, hint_of, told


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        # As the provider of Terraform's lineage words it, and as boto3 does.
        ("api error RequestExpired: Request has expired.", NEW_CREDENTIALS),
        ("ClientError: An error occurred (ExpiredToken) when calling the RunInstances operation", NEW_CREDENTIALS),
        (
            "api error UnauthorizedOperation: You are not authorized to perform this operation.",
            "the credentials lack a permission for this; docs/aws.md has the policy that is enough",
        ),
        (
            "api error InsufficientInstanceCapacity: We currently do not have sufficient p4d.24xlarge capacity",
            "AWS has none left there now: name another zone or machine type, or run this again later",
        ),
        (
            "api error VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit",
            "the account's quota is used up: ask AWS to raise it, or make the site smaller",
        ),
        ("api error InvalidParameterValue: the value is not AccessDeniedly anything", None),
    ],
)
def test_an_error_of_aws_is_told_by_its_code(text: str, hint: str | None) -> None:
    assert hint_of(text) == hint


def test_only_credentials_that_were_good_once_or_never_are_expired() -> None:
    assert expired_code("(RequestExpired) when calling") == "RequestExpired"
    assert expired_code("(UnauthorizedOperation) when calling") is None


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "<!doctype html>\n<html lang=en>\n<title>500 Internal\n Server Error</title>\n<h1>no</h1>",
            "a page of HTML (500 Internal Server Error)",
        ),
        ("<HTML><body>busy</body></HTML>", "a page of HTML"),
        ("first\n  second", "first second"),
        ("x" * 400, "x" * 232 + " ..."),
    ],
)
def test_what_a_service_says_is_told_on_one_line(message: str, said: str) -> None:
    error = ClientError({"Error": {"Code": "500", "Message": message}}, "GetServiceQuota")
    assert told(error, "service-quotas", "get_service_quota", "eu-west-1").message == (
        "AWS failed at service-quotas get_service_quota in eu-west-1: 500: "
        f"An error occurred (500) when calling the GetServiceQuota operation: {said}"
    )
