"""What one look at a host says."""

from datetime import UTC, datetime

import pytest

from leptonctl.planning.observed import Difference, HostLook, Reach, RoleLook, RoleState

NOW = datetime(2026, 11, 21, tzinfo=UTC)
STOPPED = Difference("monitoring_agent", "unit x", "unit x is stopped, should be running")
FINE, NEW = RoleLook(RoleState.IN_ORDER), RoleLook(RoleState.NEW)


def a_look(reach: Reach = Reach.OK, *, checks: tuple[Difference, ...] = (), **roles: RoleLook) -> HostLook:
    return HostLook("core/box-1", reach, NOW, roles, "no answer" if reach != Reach.OK else "", checks)


@pytest.mark.parametrize(
    ("look", "flaw"),
    [
        (a_look(base=FINE, monitoring_agent=FINE), None),
        (a_look(Reach.UNREACHABLE, base=FINE), "no answer"),
        (a_look(base=FINE, monitoring_agent=RoleLook(RoleState.DIFFERS, (STOPPED,))), STOPPED.message),
        (
            a_look(base=FINE, monitoring_agent=RoleLook(RoleState.SETTINGS_CHANGED)),
            "monitoring_agent: settings changed",
        ),
        (a_look(base=FINE, monitoring_agent=FINE, checks=(STOPPED,)), STOPPED.message),
        # Of roles that did not run now.
        (a_look(base=FINE, monitoring_server=NEW), None),
        (a_look(base=FINE, checks=(Difference("monitoring_server", "y", "no"),)), None),
    ],
)
def test_the_first_thing_that_does_not_hold_of_the_roles_that_ran(look: HostLook, flaw: str | None) -> None:
    assert look.flaw_in({"base", "monitoring_agent"}) == flaw
