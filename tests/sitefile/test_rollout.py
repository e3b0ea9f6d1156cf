"""Shares of hosts, and which rollout settings hold where."""

import pytest

from leptonctl.sitefile.model import Site
from leptonctl.sitefile.rollout import DEFAULTS, Share, read_share, rollout_settings
from leptonctl.sitefile.settings import Resolved, resolve_rollout


@pytest.mark.parametrize(
    ("value", "count", "hosts"),
    [(3, 10, 3), (3, 2, 3), ("20%", 10, 2), ("5%", 10, 1), ("0%", 10, 0), ("2.5%", 10_000, 250), ("33.33%", 3, 1)],
)
def test_a_share_is_a_number_or_a_percentage_rounded_up(value: int | str, count: int, hosts: int) -> None:
    share = read_share(value)
    assert share is not None
    assert share.of(count) == hosts
    assert str(share) == str(value)


def test_a_percentage_of_many_hosts_is_exact() -> None:
    assert all(Share(1000, is_percentage=True).of(count) == -(-count // 10) for count in range(5000))


@pytest.mark.parametrize("text", ["", "20", "20 %", "-5%", "101%", "100.01%", "1.125%", "%", "a half", "1e1%"])
def test_what_is_neither_is_no_share(text: str) -> None:
    assert read_share(text) is None


@pytest.mark.parametrize("tier", DEFAULTS)
def test_the_defaults_can_be_read(tier: str) -> None:
    assert rollout_settings(DEFAULTS[tier], is_chosen=False).max_failed == Share(500, is_percentage=True)


def test_a_location_holds_over_the_site_and_the_site_over_the_tier_key_by_key() -> None:
    site = Site.model_validate(
        {
            "site": "demo",
            "owner": "ops",
            "rollout": {"canary": 2, "pause_s": 60},
            "core": {"platform": "local"},
            "regions": {"west": {"platform": "local", "rollout": {"canary": 3, "batch": [1, "100%"], "pause_s": None}}},
        }
    )
    assert resolve_rollout(site, "core") == {
        "canary": Resolved(2, ("rollout", "canary")),
        "batch": Resolved("100%", None),
        "max_failed": Resolved("5%", None),
        "pause_s": Resolved(60, ("rollout", "pause_s")),
    }
    assert resolve_rollout(site, "regions/west") == {
        "canary": Resolved(3, ("regions", "west", "rollout", "canary")),
        "batch": Resolved([1, "100%"], ("regions", "west", "rollout", "batch")),
        "max_failed": Resolved("5%", None),
        "pause_s": Resolved(60, ("rollout", "pause_s")),
    }
