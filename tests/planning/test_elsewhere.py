from __future__ import annotations

import pytest

from leptonctl.planning.desired import desired
from leptonctl.planning.diff import diff
from leptonctl.planning.elsewhere import elsewhere
from leptonctl.planning.observed import Elsewhere, Observed, ObservedResource
from leptonctl.planning.plan import Action
from leptonctl.sitefile.model import Site

WANT = desired(
    Site.model_validate(
        {
            "site": "demo",
            "owner": "ops",
            "core": {"platform": "local", "nodes": {"box": {"count": 1}}},
            "regions": {"west": {"platform": "local", "nodes": {"serve": {"count": 1}}}},
        }
    )
)
HOST = ObservedResource("host", "core/box-1", "core", "i-1", "running", platform="aws")
NETWORK = ObservedResource("network", "core", "core", "vpc-1", "available", {"type": "vpc"}, platform="aws")
DATA = ObservedResource("volume", "core/data/box-1", "core", "vol-1", "available", is_data=True, platform="aws")
BELOW = ObservedResource("network", "core vpc", "core", "vpc-2", "there", platform="aws", stands_under="core/files")


def found(
    *strays: ObservedResource,
    unanswered: dict[str, dict[str, str]] | None = None,
    configured: dict[str, list[str]] | None = None,
) -> tuple[Elsewhere, ...]:
    return elsewhere(WANT.locations, strays=strays, unanswered=unanswered or {}, configured=configured or {})  # type: ignore[arg-type]


def test_a_location_with_machines_on_another_platform_is_elsewhere() -> None:
    assert found(HOST, NETWORK, HOST) == (Elsewhere("core", "aws", "2 hosts, 1 vpc of it on aws"),)


def test_what_is_on_its_own_platform_is_not() -> None:
    own = ObservedResource("host", "core/old", "core", "c", "running", platform="local")
    other = ObservedResource("host", "edges/shop/box-1", "edges/shop", "c", "running", platform="aws")
    assert found(own, other) == ()


def test_kept_data_and_what_it_stands_on_are_in_nobody_s_way() -> None:
    assert found(DATA, BELOW) == ()


def test_what_could_not_be_asked_is_not_taken_for_gone() -> None:
    reasons = {"core": "AWS denied it", "regions/north": "AWS denied it"}
    assert found(unanswered={"aws": reasons, "local": {"regions/west": "podman failed"}}) == (
        Elsewhere("core", "aws", "what is left of it on aws could not be asked: AWS denied it"),
    )


@pytest.mark.parametrize(("hosts", "text"), [(["a"], "1 existing host"), (["a", "b"], "2 existing hosts")])
def test_existing_hosts_that_were_configured_are_remembered(hosts: list[str], text: str) -> None:
    assert found(configured={"core": [], "regions/west": hosts}) == (
        Elsewhere("regions/west", "ssh", f"{text} configured for it"),
    )


def test_nothing_is_planned_for_it_but_the_refusal_and_data_is_told_as_kept() -> None:
    plan = diff(WANT, Observed(elsewhere=found(HOST, NETWORK)), strays=(HOST, NETWORK, DATA))
    (refused,) = plan.locations[0].changes
    assert (refused.action, refused.address) == (Action.FORBIDDEN, "core")
    assert refused.reasons == (
        (
            "1 host, 1 vpc of it on aws; "
            "platform aws -> local: machines do not move from one platform to another; "
            "instead: `leptonctl down --only LOCATION` with the old file, then `leptonctl up` with the new one"
        ),
    )
    assert {change.action for change in plan.locations[1].changes} == {Action.UNKNOWN}
    assert [(change.action, change.address) for change in plan.removed] == [(Action.KEEP, "core/data/box-1")]
