"""Work over locations: in order of dependence, several at once."""

import threading

import pytest

from leptonctl.stages.schedule import in_order

NEEDS: dict[str, tuple[str, ...]] = {
    "core": (),
    "west": ("core",),
    "east": ("core",),
    "shop": ("west",),
    "mill": ("east",),
}


def test_each_comes_once_and_after_all_that_it_depends_on() -> None:
    done: list[str] = []
    in_order(NEEDS, done.extend, slots=3)
    assert sorted(done) == sorted(NEEDS)
    assert all(done.index(need) < done.index(name) for name, needs in NEEDS.items() for need in needs)


def test_a_location_does_not_wait_for_one_that_it_does_not_depend_on() -> None:
    shop_began = threading.Event()

    def act(batch: tuple[str, ...]) -> None:
        if "east" in batch:
            assert shop_began.wait(10), "the shop waited for the east"
        if "shop" in batch:
            shop_began.set()

    in_order(NEEDS, act, slots=2)


def test_many_that_are_ready_together_are_dealt_out_over_the_slots() -> None:
    batches: list[tuple[str, ...]] = []
    in_order({str(number): () for number in range(10)}, batches.append, slots=3)
    assert sorted(len(batch) for batch in batches) == [3, 3, 4]


def test_an_exception_is_raised_and_nothing_more_is_begun() -> None:
    done: list[str] = []

    def act(batch: tuple[str, ...]) -> None:
        done.extend(batch)
        if "core" in batch:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        in_order(NEEDS, act, slots=2)
    assert done == ["core"]
