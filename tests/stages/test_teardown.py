"""What `down` proves: what is gone, what is kept and what that stands on, and what should not be there any more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pytest

from leptonctl.errors import ExitCode
from leptonctl.planning.observed import ObservedResource
from leptonctl.session import Session, open_session
from leptonctl.stages.teardown import Removal, Removed, prove_gone

if TYPE_CHECKING:
    from pathlib import Path

    from leptonctl.platforms.base import Platform
    from leptonctl.result import Result

SITE = """
site: demo
owner: ops@example.com
core:
  platform: local
  nodes:
    box: {count: 1}
"""
CORE = Removal("core", "aws")
FILES = ObservedResource(
    "store", "core/scratch", "core", "fs-1", "available", {"type": "fsx-file-system"}, is_data=True, platform="aws"
)
NETWORK = ObservedResource(
    "network", "core vpc", "core", "vpc-1", "available", {"type": "vpc"}, platform="aws", stands_under="core/scratch"
)
GATEWAY = ObservedResource(
    "network", "core natgateway", "core", "nat-1", "deleting",
    {"type": "natgateway", "region": "eu-west-1"}, platform="aws",
)  # fmt: skip


@dataclass(frozen=True)
class FakePlatform:
    """Has what it is given, for ever; it can be asked nothing else."""

    there: tuple[ObservedResource, ...]

    def leftovers(self) -> tuple[ObservedResource, ...]:
        return self.there


@pytest.fixture
def session(tmp_path: Path) -> Session:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return open_session(path, environ={})


def proof(session: Session, *there: ObservedResource, delete_data: frozenset[str] = frozenset()) -> Result:
    asked = replace(session, _platforms={"aws": cast("Platform", FakePlatform(there))})
    return prove_gone(asked, (CORE,), Removed(), delete_data, unanswered={})


def test_what_a_kept_store_stands_on_is_kept_with_it_and_told(session: Session) -> None:
    result = proof(session, NETWORK, FILES)
    assert (result.exit_code, result.problems) == (ExitCode.DONE, ())
    assert [(one.action, one.address, one.reasons) for one in result.changes] == [
        ("keep", "core/scratch", ("kept; --delete-data core/scratch removes it; what it costs is not known",)),
        ("keep", "core vpc", ("kept with core/scratch, which stands on it; it costs nothing by itself",)),
    ]
    assert result.data["message"] == (
        "removed 0 resources; asked again (aws): only what is kept carries the mark of site demo: "
        "1 with data, 1 that data stands on"
    )


def test_what_no_kept_store_stands_on_is_still_there(session: Session) -> None:
    result = proof(session, NETWORK, FILES, GATEWAY)
    assert result.exit_code == ExitCode.PLATFORM_FAILED
    (problem,) = result.problems
    assert (problem.rule, problem.where) == ("still_there", "core natgateway")
    assert problem.message == "network nat-1 is still there (deleting); what it costs is not known"
    assert [one.address for one in result.changes if one.action == "keep"] == ["core/scratch", "core vpc"]


@pytest.mark.parametrize("name", ["core/scratch", "all"])
def test_a_store_that_was_named_keeps_nothing(session: Session, name: str) -> None:
    result = proof(session, NETWORK, FILES, delete_data=frozenset({name}))
    assert result.exit_code == ExitCode.PLATFORM_FAILED
    assert {problem.where for problem in result.problems} == {"core/scratch", "core vpc"}
    assert result.changes == ()


def test_the_location_of_a_store_is_not_its_name(session: Session) -> None:
    assert proof(session, FILES, delete_data=frozenset({"core"})).exit_code == ExitCode.DONE


def test_a_network_without_the_store_that_stood_on_it_is_still_there(session: Session) -> None:
    assert proof(session, NETWORK).exit_code == ExitCode.PLATFORM_FAILED


def test_nothing_left_is_told_as_such(session: Session) -> None:
    assert proof(session).data["message"] == (
        "removed 0 resources; asked again (aws): nothing carries the mark of site demo"
    )
