"""A provider that dies in the middle of a create, when the cloud has made the thing and nobody has heard of it.

The engine takes such a thing for not made, and would make it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import ExitCode, PlatformFailed
from leptonctl.planning.plan import Action
from leptonctl.platforms.pulumi_pending import pending_operations
from leptonctl.progress import Progress, silent
from tests.engine.disturbances import LateToBeSeen
from tests.engine.double.provider import CRASH_VARIABLE
from tests.engine.machines import EACH_ONCE, is_as_planned, machines
from tests.engine.sites import an_hour_passes, core_of, open_site, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.proxy import Proxy

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("engine", "swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def crash_at(name: str, folder: Path, patch: pytest.MonkeyPatch) -> PlatformFailed:
    """What `ensure` of the core ends with when the provider dies at this resource."""
    session = open_site("thin", folder)
    patch.setenv(CRASH_VARIABLE, name)
    with pytest.raises(PlatformFailed) as caught:
        platform_of(session).ensure(core_of(session), silent)
    patch.delenv(CRASH_VARIABLE)
    return caught.value


@pytest.mark.parametrize("name", ["box-1", "network-vpc", "data.box-1"])
def test_what_a_dead_provider_made_is_told_and_the_next_run_adopts_it(
    aws_proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    failed = crash_at(name, tmp_path, monkeypatch)
    assert failed.exit_code == ExitCode.PLATFORM_FAILED
    session = open_site("thin", tmp_path)
    platform, core = platform_of(session), core_of(session)
    state = platform.stacks.states
    # A subnet and what ties it to its routes have one name.
    unfinished = sorted({one.name for one in pending_operations(state.read("core") or {})})
    # Whatever was asked of it at that moment got no answer either.
    assert name in unfinished
    assert failed.message == (
        f"core: the engine's plug-in for AWS died while it was making {', '.join(unfinished)}, and nobody knows yet "
        "how that ended"
    )
    assert failed.hint == (
        "run `leptonctl up` again: whatever it made is looked for on AWS by its mark and taken over, nothing is made "
        "twice"
    )
    assert sorted({problem.message.partition(": ")[0] for problem in failed.problems}) == unfinished
    assert state.locks("core") == ()

    # How it waits at once for what AWS does not list yet is shown below.
    aws_proxy.forget()
    an_hour_passes(session.state_dir)
    told: list[Progress] = []
    assert is_as_planned(session, platform.ensure(core, told.append))
    adopted = [one.message for one in told if one.message.endswith("was found and is adopted")]
    assert any(line.startswith(f"creating {name} was interrupted: ") for line in adopted)
    assert machines() == EACH_ONCE
    assert aws_proxy.calls["ec2:CreateVpc"] == 0
    assert {change.action for change in platform.preview(core)} == {Action.KEEP}


# It may wait five minutes for what was asked for at the same moment and was never made.
@pytest.mark.matrix
def test_what_aws_does_not_list_yet_is_looked_for_again_and_not_made_twice(
    aws_proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_proxy.add(LateToBeSeen("RunInstances", lists=3))
    crash_at("box-1", tmp_path, monkeypatch)
    session = open_site("thin", tmp_path)
    told: list[Progress] = []
    assert is_as_planned(session, platform_of(session).ensure(core_of(session), told.append))
    assert machines() == EACH_ONCE
    assert any(one.message.startswith("AWS may not list yet what the last run made: looks again") for one in told)
