"""Data outlives its place in the site file: a store that is taken out, or whose host is, stays until it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import silent
from leptonctl.session import open_session
from tests.engine.sites import HERE, core_of, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.session import Session

pytestmark = [pytest.mark.engine, pytest.mark.matrix]
WITH_STORES = (HERE / "sites" / "thin.yaml").read_text()
WITHOUT = (
    WITH_STORES.replace("    buckets:\n      models: {nodes: [box]}\n", "")
    .replace("  storage:\n    data: {size_gib: 10, nodes: [box]}\n", "")
    .replace("count: 2", "count: 1")
)
STORES = {"core/data/box-1", "core/data/box-2", "core/models"}


def written(text: str, folder: Path) -> Session:
    path = folder / "site.yaml"
    path.write_text(text)
    return open_session(path, environ={}, state_dir=folder / "state")


@pytest.mark.usefixtures("engine", "aws")
def test_a_store_that_left_the_site_file_is_kept_and_goes_when_it_is_named(tmp_path: Path) -> None:
    before = written(WITH_STORES, tmp_path)
    made = platform_of(before).ensure(core_of(before), silent)
    ids = {one.address: one.id for one in made.resources if one.is_data}
    assert ids.keys() == STORES

    after = written(WITHOUT, tmp_path)
    platform, core = platform_of(after), core_of(after)
    left = platform.ensure(core, silent)
    assert {one.address: one.id for one in left.resources if one.is_data} == ids
    assert {one.address for one in left.resources if one.kind == "host"} == {"core/box-1"}
    # Nothing more is to be done, and the kept ones are told as what they are.
    told = {one.address: one.action for one in resource_changes(core, left) if one.is_data}
    assert set(told.values()) <= {Action.KEEP}
    assert {one.address for one in platform.preview(core) if one.action is not Action.KEEP} == set()

    platform.destroy("core", delete_data=frozenset(), report=silent)
    assert {one.address: one.id for one in platform.leftovers()} == ids
    platform.destroy("core", delete_data=frozenset({"all"}), report=silent)
    assert platform.leftovers() == ()
