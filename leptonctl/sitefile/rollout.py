"""Rollout: how many hosts are changed at a time, when that ends early, and what holds where nothing is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Discriminator, Field, Tag

from leptonctl.sitefile.base import Frozen, Text
from leptonctl.sitefile.effects import OnEdit, no_effect

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERCENTAGE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")
# Percentages are kept in hundredths of a percent: 2.5% of 10,000 hosts is 250, without a float in between.
_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A number of hosts: `amount` itself, or where `is_percentage` so many hundredths of a percent of them."""

    amount: int
    is_percentage: bool = False

    def of(self, count: int) -> int:
        """How many of `count` hosts that is; a percentage is rounded up, so that 5% of ten hosts is one."""
        return -(-count * self.amount // _WHOLE) if self.is_percentage else self.amount

    @property
    def is_everything(self) -> bool:
        """Whether it is 100% or more, of however many hosts."""
        return self.is_percentage and self.amount >= _WHOLE

    def __str__(self) -> str:
        """The share as the site file has it."""
        if not self.is_percentage:
            return str(self.amount)
        whole, rest = divmod(self.amount, 100)
        return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%" if rest else f"{whole}%"


def read_share(value: int | str) -> Share | None:
    """A share as the site file has it, `3` or `20%`; None where the text is neither."""
    if isinstance(value, int):
        return Share(value)
    found = _PERCENTAGE.fullmatch(value)
    if found is None:
        return None
    amount = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    return Share(amount, is_percentage=True) if amount <= _WHOLE else None


def _number_or_text(value: object) -> str:
    return "number" if isinstance(value, (int, float)) else "text"


def _one_or_list(value: object) -> str:
    return "list" if isinstance(value, (list, tuple)) else _number_or_text(value)


# Told apart before they are checked, so that a wrong value is one problem and not one for each alternative.
_Count = Annotated[int, Field(ge=0, le=100_000), Tag("number")]
_Percentage = Annotated[Text, Tag("text")]
Hosts = Annotated[_Count | _Percentage, Discriminator(_number_or_text)]
"""A number of hosts, or a percentage of them as `20%`."""
Batch = Annotated[
    _Count | _Percentage | Annotated[tuple[Hosts, ...], Field(strict=False, min_length=1, max_length=100), Tag("list")],
    Discriminator(_one_or_list),
]


class Rollout(Frozen):
    """How a change reaches hosts: some first, then batch after batch, and not at all where too many fail.

    Set for the site or for a location; the deeper one holds, key by key. Locations of a tier with the same settings are
    one rollout: its batches go over the hosts of all of them. Percentages are of the hosts of that rollout, rounded up.
    """

    on_edit: ClassVar[tuple[OnEdit, ...]] = (no_effect("the next `up` goes by it"),)

    canary: Hosts | None = None
    """Hosts that are changed before all others; where one of them fails, no other is changed.

    Default: 0 in the core, 1 in regions and edges.
    """
    batch: Batch | None = None
    """Hosts that are changed together after that; in a list one entry a batch, the last for all that follow.

    Default: 100% in the core, 50% in regions, `[10%, 100%]` in edges.
    """
    max_failed: Hosts | None = None
    """Hosts that may fail; with one more the rollout stops, and what depends on its locations is not begun.

    Hosts that cannot be reached count, from the start. Default: 5%.
    """
    pause_s: Annotated[int | None, Field(ge=0, le=86_400)] = None
    """Seconds for which a batch is watched before the next one; its hosts are verified before and after. Default: 0."""


# By the first part of a location's address. A core is changed at once: what runs there runs on many hosts together,
# stops with the first of them, and should not meet two versions. Regions serve: half of them stay until the other half
# is proven. Edges are far from everybody who could mend them: one, then a tenth, then the rest.
DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "core": {"canary": 0, "batch": "100%", "max_failed": "5%", "pause_s": 0},
    "regions": {"canary": 1, "batch": "50%", "max_failed": "5%", "pause_s": 0},
    "edges": {"canary": 1, "batch": ["10%", "100%"], "max_failed": "5%", "pause_s": 0},
}


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """What holds for a location. `batches` are the sizes one after the other; the last holds for all that follow.

    `is_chosen` is whether the site file says anything about canary or batches.
    """

    canary: Share
    batches: tuple[Share, ...]
    max_failed: Share
    pause_s: int
    is_chosen: bool = True


def rollout_settings(values: Mapping[str, Any], *, is_chosen: bool) -> RolloutSettings:
    """The settings behind the plain values of all keys, as `settings.resolve_rollout` gives them for a checked site."""
    batch = values["batch"]
    return RolloutSettings(
        canary=_checked(values["canary"]),
        batches=tuple(map(_checked, batch if isinstance(batch, list) else [batch])),
        max_failed=_checked(values["max_failed"]),
        pause_s=values["pause_s"],
        is_chosen=is_chosen,
    )


def _checked(value: int | str) -> Share:
    share = read_share(value)
    if share is None:
        raise ValueError(value)
    return share


ALL_AT_ONCE = RolloutSettings(Share(0), (Share(_WHOLE, is_percentage=True),), Share(0), 0)
