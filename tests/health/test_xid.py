"""The table of Xids is whole, and honest where its sources disagree."""

from __future__ import annotations

from leptonctl.health.verdict import Action, Verdict
from leptonctl.health.xid import table_version, xid, xids


def test_every_code_has_an_action_and_a_source() -> None:
    assert len(xids()) == 111
    assert all(one.source for one in xids().values())
    assert table_version() == "2026-11-21"


def test_what_is_an_applications_fault_takes_no_gpu_out() -> None:
    assert {one.verdict for one in xids().values() if one.is_application} == {Verdict.HEALTHY}


def test_a_code_that_nobody_knows_is_unknown_and_for_support() -> None:
    found = xid(5)
    assert (found.verdict, found.action, found.name) == (Verdict.UNKNOWN, Action.SUPPORT, None)


def test_where_sources_disagree_each_is_quoted_and_the_choice_is_said() -> None:
    found = xid(94)
    assert found.name == "contained memory error: only one application was hit"
    assert found.said == ("catalogue and NVSentinel: restart the application", "gpud: fatal, reboot the host")
    assert found.choice == (
        "restart the application: the error was contained; a pending remap asks for the reset by itself"
    )
    assert {one.code for one in xids().values() if one.said} == {32, 45, 63, 94, 108, 109, 121, 160, 162, 163}
    assert all(bool(one.said) == bool(one.choice) for one in xids().values())
