from __future__ import annotations

from pathlib import Path

from leptonctl.platforms import labels
from leptonctl.platforms.base import Context
from leptonctl.platforms.labels import common_labels, is_ours, location_and_host, object_name


def test_two_sites_never_come_to_the_same_name() -> None:
    assert object_name("a", "regions/x", "core") == "lepton-a.regions-x.core"
    assert object_name("a-regions-x", "core") == "lepton-a-regions-x.core"


def test_location_and_host_are_read_back_from_a_name() -> None:
    for location in ("core", "regions/us-west", "edges/shop"):
        assert location_and_host(object_name("a-b", location, "box-1")) == (location, "box-1")


def test_an_owner_in_free_text_has_no_mark_that_podman_reads_as_csv() -> None:
    context = Context("demo", 'Ops, "night" shift <ops@example.com>', Path(), Path())
    assert common_labels(context, "core")[labels.OWNER] == "Ops%2C %22night%22 shift %3Cops@example.com%3E"


def test_only_what_has_all_marks_of_the_site_and_location_is_ours() -> None:
    mine = common_labels(Context("demo", "me", Path(), Path()), "core")
    assert is_ours(mine, "demo")
    assert is_ours(mine, "demo", "core")
    assert not is_ours(mine, "demo", "edges/shop")
    assert not is_ours(mine, "demo2")
    assert not is_ours({labels.SITE: "demo"}, "demo")
