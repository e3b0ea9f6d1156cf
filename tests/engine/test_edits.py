"""What a key declares that changing it does is what the engine then does: one preview an edit, against moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import ExitCode, Refused
from leptonctl.planning.diff import diff
from leptonctl.planning.observed import Observed
from leptonctl.planning.plan import Action
from leptonctl.planning.resources import resource_changes
from leptonctl.progress import silent
from leptonctl.session import open_session
from leptonctl.stages.protection import refuse_forbidden
from tests.engine.sites import HERE, core_of, platform_of

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.session import Session
    from tests.engine.proxy import Proxy

pytestmark = [pytest.mark.engine, pytest.mark.matrix, pytest.mark.usefixtures("engine")]
TEXT = (HERE / "sites" / "thin.yaml").read_text()
HOSTS = ("core/box-1", "core/box-2")
VOLUMES = ("core/data/box-1", "core/data/box-2")

# The edit, and what happens to hosts, volumes and stores; an edit of the network leaves all of them as they are.
EDITS: tuple[tuple[str, str, dict[str, Action]], ...] = (
    ("{type: m5.large}", "{type: m5.xlarge}", dict.fromkeys(HOSTS, Action.UPDATE)),
    ("public: true", "public: true, image: {id: ami-0123456789abcdef0}", dict.fromkeys(HOSTS, Action.REPLACE)),
    ("public: true", "public: true, reservation: cr-0123456789abcdef0", {}),
    ("{type: m5.large}", "{type: m5.large, disk_gib: 60}", dict.fromkeys(HOSTS, Action.UPDATE)),
    ("count: 2", "count: 3", {"core/box-3": Action.CREATE, "core/data/box-3": Action.CREATE}),
    ("size_gib: 10", "size_gib: 20", dict.fromkeys(VOLUMES, Action.UPDATE)),
    ("models: {nodes: [box]}", "models: {nodes: [box], old_versions_days: 90}", {"core/models": Action.UPDATE}),
    ("owner: tests@", "owner: others@", dict.fromkeys((*HOSTS, *VOLUMES, "core/models"), Action.UPDATE)),
    ("internet: none", "internet: nat", {}),
    ("internet: none", "internet: none\n    flow_log_days: 90", {}),
    ("internet: none", "internet: none\n    ssh_from: [203.0.113.0/24]", {}),
    ("internet: none", "internet: none\n    endpoints: [ssm]", {}),
    ("eu-central-1b]", "eu-central-1b, eu-central-1c]", {}),
)
FORBIDDEN = (
    ("size_gib: 10", "size_gib: 5"),
    ("10.20.0.0/20", "10.21.0.0/20"),
    ("[eu-central-1a, eu-central-1b]", "[eu-central-1b, eu-central-1a]"),
    ("aws: {public: true}", "aws: {public: true, placement: spread}"),
    ("aws: {public: true}", "aws: {public: true, capacity: spot}"),
    ("aws: {public: true}", "aws: {public: false}"),
)


def edited(folder: Path, old: str, new: str) -> Session:
    assert TEXT.count(old) == 1, old
    path = folder / "site.yaml"
    path.write_text(TEXT.replace(old, new))
    return open_session(path, environ={}, state_dir=folder)


def told(core: DesiredLocation, session: Session) -> dict[str, Action]:
    """What the plan says of hosts, volumes and stores that do not stay as they are."""
    changes = resource_changes(core, platform_of(session).observe("core"))
    return {one.address: one.action for one in changes if one.action is not Action.KEEP and one.kind != "network"}


def done(core: DesiredLocation, session: Session) -> dict[str, Action]:
    """What the engine would do to them."""
    kinds = {"host", "volume", "store"}
    changes = platform_of(session).preview(core)
    return {one.address: one.action for one in changes if one.action is not Action.KEEP and one.kind in kinds}


def test_the_engine_does_to_hosts_and_data_what_the_plan_says_of_an_edit(aws: str, tmp_path: Path) -> None:
    made = edited(tmp_path, "site: thin", "site: thin")
    platform_of(made).ensure(core_of(made), silent)
    wrong = []
    for old, new, wanted in EDITS:
        session = edited(tmp_path, old, new)
        core = core_of(session)
        plan_says, engine_does = told(core, session), done(core, session)
        # The owner is in the tags of everything; the plan says it once, of the network. The volumes of a host that is
        # made again are attached to the new one.
        attached = dict.fromkeys(VOLUMES, Action.UPDATE) if Action.REPLACE in wanted.values() else {}
        if not (plan_says == wanted or old.startswith("owner")) or engine_does != wanted | attached:
            wrong.append((new, plan_says, engine_does))
    assert wrong == []
    assert aws


def test_a_forbidden_edit_is_refused_before_anything_is_touched(aws_proxy: Proxy, tmp_path: Path) -> None:
    made = edited(tmp_path, "site: thin", "site: thin")
    platform_of(made).ensure(core_of(made), silent)
    aws_proxy.forget()
    for old, new in FORBIDDEN:
        session = edited(tmp_path, old, new)
        observed = Observed({"core": platform_of(session).observe("core")})
        with pytest.raises(Refused) as caught:
            refuse_forbidden(diff(session.desired, observed))
        assert caught.value.exit_code == ExitCode.REFUSED
        assert [one.where for one in caught.value.problems] == ["core"], new
        assert "; instead: " in caught.value.problems[0].message
    assert aws_proxy.changing == {}
