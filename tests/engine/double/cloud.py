"""The cloud as the double sees it: boto3 clients of one region, and the forms in which both sides write things."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
# The real provider tries up to 25 times: tests that slow AWS down ask for as many, others soon hear of what is refused.
_CONFIG = Config(retries={"total_max_attempts": int(os.environ.get("AWS_MAX_ATTEMPTS", "4")), "mode": "standard"})
# Making a client reads the service's model from disk; two threads at once may trip over each other.
_MAKING = threading.Lock()


@dataclass
class Cloud:
    """Clients of one region. Where the cloud is, is said by AWS_ENDPOINT_URL, as for everybody."""

    region: str
    default_tags: Mapping[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)
    _others: dict[str, Cloud] = field(default_factory=dict)

    def at(self, region: str | None) -> Cloud:
        """The same account in another region, where a resource names one."""
        if region in {None, self.region}:
            return self
        return self._others.setdefault(str(region), Cloud(str(region), self.default_tags))

    def client(self, service: str) -> Any:
        """The client of a service, made once."""
        with _MAKING:
            if service not in self._clients:
                self._clients[service] = boto3.client(service, region_name=self.region, config=_CONFIG)
            return self._clients[service]

    def tags(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """The tags of a resource: its own over those of the provider."""
        return {**self.default_tags, **(inputs.get("tags") or {})}

    def tag_list(self, inputs: Mapping[str, Any]) -> list[dict[str, str]]:
        """The same in the form of most calls."""
        return [{"Key": key, "Value": value} for key, value in self.tags(inputs).items()]

    def specified(self, noun: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The same as EC2 takes them with the call that makes a thing; nothing where there are none."""
        tags = self.tag_list(inputs)
        return {"TagSpecifications": [{"ResourceType": noun, "Tags": tags}]} if tags else {}

    def own_tags(self, tags: list[dict[str, str]] | None) -> dict[str, str]:
        """The tags of a resource as the program would have written them: without those of the provider."""
        plain = {one["Key"]: one["Value"] for one in tags or [] if not one["Key"].startswith("aws:")}
        return {key: value for key, value in plain.items() if self.default_tags.get(key) != value}

    def arn(self, service: str, rest: str, *, region: str | None = None) -> str:
        """An ARN of the account that moto plays."""
        return f"arn:aws:{service}:{self.region if region is None else region}:{ACCOUNT}:{rest}"


def pascal(name: str) -> str:
    """`cidrBlock` as the API writes it: `CidrBlock`."""
    return name[:1].upper() + name[1:]


def camel(name: str) -> str:
    """`CidrBlock` as Pulumi writes it: `cidrBlock`."""
    return name[:1].lower() + name[1:]


def pascal_all(value: Any) -> Any:
    """A nested value with its keys as the API writes them."""
    if isinstance(value, dict):
        return {pascal(name): pascal_all(item) for name, item in value.items() if item is not None}
    return [pascal_all(item) for item in value] if isinstance(value, list) else value
