"""Which locations may change together."""

from leptonctl.planning.order import waves


def test_a_wave_holds_all_that_waits_for_nothing_else() -> None:
    needs: dict[str, tuple[str, ...]] = {
        "core": (),
        "regions/b": ("core",),
        "regions/a": ("core",),
        "edges/x": ("regions/a",),
    }
    assert waves(needs) == (("core",), ("regions/b", "regions/a"), ("edges/x",))


def test_what_is_left_out_counts_as_done() -> None:
    assert waves({"edges/x": ("regions/a",)}) == (("edges/x",),)
