"""One region of AWS, asked call by call, with its failures in our words. The only module that uses boto3.

Throttled and transient failures are repeated by botocore itself, at the pace that AWS lets it.

A call that fails or is denied is an error, never an empty answer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.aws_errors import told
from leptonctl.sitefile.aws import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXTRA_HINT = "install leptonctl with its extra: `pip install 'leptonctl[aws]'`"
_HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}
# Making a client reads the service's model from disk, which is not safe in two threads at once.
_MAKING = threading.Lock()


class AwsCloud:
    """One region of the account that the usual AWS settings lead to."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    def at(self, region: str) -> AwsCloud:
        """The same account in another region."""
        return self if region == self.region else AwsCloud(region)

    def home(self) -> AwsCloud:
        """The region in which its part of AWS keeps what belongs to no region."""
        return self.at(_HOMES.get(partition_of(self.region), self.region))

    def identity(self) -> str:
        """Who asks, as an ARN. Raises `PreflightFailed` where there are no credentials, or they are no longer good."""
        answer: Mapping[str, str] = self._called(lambda: self._client("sts").get_caller_identity(), "sts", "who am I")
        return answer["Arn"]

    def offered_types(self, types: frozenset[str]) -> frozenset[str]:
        """Those of the machine types that the region has."""
        filters = [{"Name": "instance-type", "Values": sorted(types)}]
        pages = self.pages("ec2", "describe_instance_type_offerings", LocationType="region", Filters=filters)
        return frozenset(one["InstanceType"] for page in pages for one in page["InstanceTypeOfferings"])

    def call(self, service: str, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - the service's answer
        """One call, with its failures in our words."""
        return self._called(lambda: getattr(self._client(service), operation)(**arguments), service, operation)

    def pages(
        self, service: str, operation: str, *, page_size: int | None = None, **arguments: object
    ) -> Iterator[Any]:
        """The pages of a list call, each as the service answers; one where it has no pages."""
        client = self._client(service)
        if not client.can_paginate(operation):
            yield self.call(service, operation, **arguments)
            return
        settings = {"PageSize": page_size} if page_size else {}
        pages = iter(client.get_paginator(operation).paginate(**arguments, PaginationConfig=settings))
        while True:
            page = self._called(lambda: next(pages, None), service, operation)
            if page is None:
                return
            yield page

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no types
        with _MAKING:
            if service not in self._clients:
                try:
                    from boto3.session import Session  # noqa: PLC0415 - only where AWS is used
                    from botocore.config import Config  # noqa: PLC0415 - the same
                except ImportError as missing:
                    raise PreflightFailed(f"the library `{missing.name}` is missing", hint=EXTRA_HINT) from missing
                config = Config(retries={"max_attempts": 8, "mode": "adaptive"}, user_agent_extra="leptonctl")
                self._session = self._session or Session(region_name=self.region)
                self._clients[service] = self._session.client(service, config=config)
            return self._clients[service]

    def _called(self, call: Callable[[], Any], service: str, operation: str) -> Any:  # noqa: ANN401
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only where AWS is used
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - the same

        try:
            return call()
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise told(error, service, operation, self.region) from error
