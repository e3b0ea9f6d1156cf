"""A provider that dies in the middle of a create, when the cloud has made the thing and nobody has heard of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PlatformFailed
from leptonctl.progress import silent
from tests.engine.double.provider import CRASH_VARIABLE
from tests.engine.sites import core_of, open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("engine", "aws", "swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    monkeypatch.setenv(CRASH_VARIABLE, "box-1")
    with pytest.raises(PlatformFailed) as caught:
        platform.ensure(core, silent)
    print(caught.value.message, caught.value.hint)
    for one in caught.value.problems:
        print(one.message)
    print(caught.value.__cause__)
    state = platform.stacks.states.read("core")
    print(json.dumps(state["deployment"].get("pending_operations"), indent=1))
    print([r["urn"].split("::")[-1] for r in state["deployment"]["resources"]])
    print(platform.stacks.states.locks("core"))
    assert 0
