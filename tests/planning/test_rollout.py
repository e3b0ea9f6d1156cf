"""In which batches hosts are changed, and what ends a rollout."""

import pytest

from leptonctl.planning.desired import DesiredHost, DesiredLocation, Tier
from leptonctl.planning.rollout import RolledOut, batch_sizes, roll_over, together, why_stop
from leptonctl.sitefile.model import Machine
from leptonctl.sitefile.rollout import DEFAULTS, RolloutSettings, rollout_settings


def settings(**values: object) -> RolloutSettings:
    return rollout_settings({"canary": 0, "batch": "100%", "max_failed": 0, "pause_s": 0} | values, is_chosen=True)


def a_location(address: str, count: int, rollout: RolloutSettings) -> DesiredLocation:
    tier: Tier = "core" if address == "core" else "region" if address.startswith("regions/") else "edge"
    names = [f"box-{number}" for number in range(1, count + 1)]
    hosts = tuple(DesiredHost(f"{address}/{name}", name, "box", Machine(), ()) for name in names)
    return DesiredLocation(address, tier, "local", (), None, hosts, (), rollout=rollout)


def addresses(*locations: DesiredLocation) -> list[str]:
    return [host.address for location in locations for host in location.hosts]


@pytest.mark.parametrize(
    ("count", "of", "values", "sizes"),
    [
        (10, 10, {}, (10,)),
        (10, 10, {"canary": 1, "batch": "20%"}, (1, 2, 2, 2, 2, 1)),
        (10, 10, {"canary": 1, "batch": ["20%", "100%"]}, (1, 2, 7)),
        (10, 10, {"canary": "25%", "batch": 4}, (3, 4, 3)),
        (10, 10, {"canary": 20}, (10,)),
        (10, 10, {"batch": [1, 2]}, (1, 2, 2, 2, 2, 1)),
        (3, 10, {"canary": 1, "batch": "20%"}, (1, 2)),
        (3, 1000, {"canary": 1, "batch": "0.1%"}, (1, 1, 1)),
        (1, 1, {"canary": 1}, (1,)),
        (0, 10, {"canary": 1}, ()),
    ],
)
def test_hosts_are_cut_into_batches(count: int, of: int, values: dict[str, object], sizes: tuple[int, ...]) -> None:
    assert batch_sizes(count, of=of, settings=settings(**values)) == sizes


@pytest.mark.parametrize(
    ("tier", "count", "sizes"),
    [
        ("core", 12, (12,)),
        ("regions", 2, (1, 1)),
        ("regions", 9, (1, 5, 3)),
        ("edges", 1, (1,)),
        ("edges", 2, (1, 1)),
        ("edges", 400, (1, 40, 359)),
    ],
)
def test_each_tier_has_its_own_default(tier: str, count: int, sizes: tuple[int, ...]) -> None:
    assert batch_sizes(count, of=count, settings=rollout_settings(DEFAULTS[tier], is_chosen=False)) == sizes


@pytest.mark.parametrize("canary", [0, 1, 3, "10%", "99%"])
@pytest.mark.parametrize("batch", [1, 7, "1%", "33.33%", [1, 5, "50%"], ["10%", "100%"]])
def test_every_host_comes_once_in_the_order_of_the_site_and_no_batch_is_empty(
    canary: int | str, batch: int | str | list[int | str]
) -> None:
    rollout = settings(canary=canary, batch=batch)
    for count in range(1, 60):
        first, second = a_location("edges/a", count, rollout), a_location("edges/b", count // 3, rollout)
        wanted = [address for number, address in enumerate(addresses(first, second)) if number % 4 != 1]
        found = roll_over((first, second), changing=set(wanted), barred=())
        assert [address for one in found.batches for address in one] == wanted
        assert all(found.batches)
        assert found.sizes[:1] == (found.canary_count,) or not found.canary_count
        assert found.host_count == len(addresses(first, second))


def test_a_rollout_goes_over_the_locations_of_a_tier_that_have_the_same_settings() -> None:
    slow, quick = settings(batch=1), settings()
    core, west = a_location("core", 1, quick), a_location("regions/west", 1, quick)
    shop, mill, plant = (a_location(f"edges/{name}", 1, how) for name, how in (("a", quick), ("b", slow), ("c", quick)))
    assert together((core, west, shop, mill, plant)) == ((core,), (west,), (shop, plant), (mill,))


def test_edges_of_one_box_each_are_changed_one_then_a_tenth_then_the_rest() -> None:
    how = rollout_settings(DEFAULTS["edges"], is_chosen=False)
    edges = [a_location(f"edges/e{number:02}", 1, how) for number in range(40)]
    found = roll_over(edges, changing=set(addresses(*edges)), barred=())
    assert found.sizes == (1, 4, 35)
    assert found.batches[0] == ("edges/e00/box-1",)
    assert found.name == "40 edges, edges/e00 to edges/e39"


def test_a_host_that_cannot_be_asked_is_no_canary_and_in_no_batch() -> None:
    core = a_location("core", 4, settings(canary=1, batch=2, max_failed=1))
    found = roll_over((core,), changing={"core/box-2", "core/box-3", "core/box-4"}, barred={"core/box-1"})
    assert found.batches == (("core/box-2",), ("core/box-3", "core/box-4"))
    assert found.barred == ("core/box-1",)
    assert why_stop(found, ()) is None


TEN = a_location("core", 10, settings(batch="20%", max_failed="20%"))


def failing(*numbers: int) -> set[str]:
    return {f"core/box-{number}" for number in numbers}


@pytest.mark.parametrize(
    ("max_failed", "barred", "failed", "reason"),
    [
        (0, (), (), None),
        (0, (), (1,), "1 of 10 hosts failed, at most 0 may"),
        ("5%", (), (1,), None),
        ("5%", (), (1, 2), "2 of 10 hosts failed, at most 1 may"),
        ("20%", (9, 10), (), None),
        ("20%", (9, 10), (3,), "3 of 10 hosts failed (2 of them could not be asked), at most 2 may"),
        (1, (9, 10), (), "2 of 10 hosts failed (2 of them could not be asked), at most 1 may"),
        (9, (), tuple(range(1, 10)), None),
    ],
)
def test_hosts_that_failed_and_that_cannot_be_asked_count_against_the_threshold(
    max_failed: int | str, barred: tuple[int, ...], failed: tuple[int, ...], reason: str | None
) -> None:
    core = a_location("core", 10, settings(batch="20%", max_failed=max_failed))
    out = failing(*barred)
    found = roll_over((core,), changing=set(addresses(core)) - out, barred=out)
    assert why_stop(found, failing(*failed)) == reason


def test_a_canary_that_fails_ends_it_whatever_the_threshold_but_only_where_it_protects_others() -> None:
    core = a_location("core", 10, settings(canary=2, batch=4, max_failed=9))
    found = roll_over((core,), changing=set(addresses(core)), barred=())
    assert why_stop(found, failing(2)) == "the canary core/box-2 failed"
    assert why_stop(found, failing(3)) is None
    alone = roll_over((core,), changing=failing(5), barred=())
    assert alone.canary_count == 1
    assert why_stop(alone, failing(5)) is None


def test_percentages_are_of_all_hosts_so_that_going_on_later_has_the_same_numbers() -> None:
    at_first = roll_over((TEN,), changing=set(addresses(TEN)), barred=())
    later = roll_over((TEN,), changing=failing(7, 8, 9), barred=())
    assert (at_first.sizes, at_first.max_failed) == ((2, 2, 2, 2, 2), 2)
    assert (later.sizes, later.max_failed) == ((2, 1), 2)


def test_what_was_not_begun_and_where_others_wait() -> None:
    west, east = (a_location(f"regions/{name}", 2, settings(batch=2)) for name in ("west", "east"))
    rollout = roll_over((west, east), changing=set(addresses(west, east)), barred=())
    done = RolledOut(rollout, begun=1, failed=("regions/west/box-2",), stopped="1 of 4 hosts failed, at most 0 may")
    assert done.not_begun == ("regions/east/box-1", "regions/east/box-2")
    assert done.unfinished == ("regions/west", "regions/east")
    in_the_end = RolledOut(rollout, begun=2, failed=("regions/east/box-2",), stopped="1 of 4 hosts failed")
    assert (in_the_end.not_begun, in_the_end.unfinished) == ((), ("regions/east",))
    assert RolledOut(rollout, begun=2, failed=("regions/east/box-2",), stopped=None).unfinished == ()


def test_hosts_that_no_role_ever_ran_on_go_at_once_unless_the_site_file_says_otherwise() -> None:
    by_default = a_location("edges/shop", 10, rollout_settings(DEFAULTS["edges"], is_chosen=False))
    chosen = a_location("edges/shop", 10, rollout_settings(DEFAULTS["edges"], is_chosen=True))
    everyone = set(addresses(by_default))

    def sizes(place: DesiredLocation, fresh: set[str]) -> tuple[int, ...]:
        found = roll_over((place,), changing=everyone, barred=(), fresh=fresh)
        return (found.canary_count, *found.sizes)

    assert sizes(by_default, everyone) == (0, 10)
    assert sizes(by_default, everyone - {"edges/shop/box-10"}) == (1, 1, 1, 8)
    assert sizes(chosen, everyone) == (1, 1, 1, 8)
