from __future__ import annotations

from datetime import UTC, datetime

from leptonctl.planning.observed import Difference, HostLook, Observed, Reach, RoleLook, RoleState
from leptonctl.summaries import difference_problems

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def observed(role: RoleLook) -> Observed:
    return Observed(looks={"core/control-1": HostLook("core/control-1", Reach.OK, NOW, {"monitoring_server": role})})


def told(role: RoleLook, *waiting: str) -> list[str]:
    return [problem.message for problem in difference_problems(observed(role), waiting=waiting)]


def test_that_a_host_is_missing_is_not_told_of_its_monitoring_server_too() -> None:
    look = RoleLook(RoleState.SETTINGS_CHANGED, changed_settings=("targets",))
    assert told(look, "core/box-1") == []
    assert told(look) == ["settings changed in the site file since the role ran: targets"]


def test_whatever_else_differs_on_a_monitoring_server_is_told_all_the_same() -> None:
    more = RoleLook(RoleState.SETTINGS_CHANGED, changed_settings=("retention_days", "targets"))
    assert told(more, "core/box-1") == ["settings changed in the site file since the role ran: retention_days, targets"]
    broken = RoleLook(
        RoleState.SETTINGS_CHANGED,
        (Difference("monitoring_server", "prometheus", "unit prometheus is stopped, should be running"),),
        changed_settings=("targets",),
    )
    assert told(broken, "core/box-1") == ["unit prometheus is stopped, should be running"]
