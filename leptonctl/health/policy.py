"""The thresholds that count as healthy: data with a version and a source for each value, which a site may override."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leptonctl.health.data import read_data

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULTS = "policy.toml"
SITE_SOURCE = "the site file"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value and whose it is."""

    value: int
    source: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Every threshold by name, and the version of the data that it came from."""

    version: str
    thresholds: Mapping[str, Threshold]

    def __getitem__(self, name: str) -> int:
        """A threshold's value."""
        return self.thresholds[name].value

    def source(self, name: str) -> str:
        """Whose value it is."""
        return self.thresholds[name].source

    def overridden(self, values: Mapping[str, int]) -> Policy:
        """The policy with a site's own values, which then name the site file as their source. Raises KeyError."""
        own = {name: replace(self.thresholds[name], value=value, source=SITE_SOURCE) for name, value in values.items()}
        return replace(self, thresholds={**self.thresholds, **own})


def default_policy() -> Policy:
    """The policy that comes with leptonctl."""
    data = tomllib.loads(read_data(_DEFAULTS))
    version = data.pop("version")
    return Policy(version, {name: Threshold(one["value"], one["source"]) for name, one in data.items()})
