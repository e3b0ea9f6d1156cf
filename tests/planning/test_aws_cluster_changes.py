"""What has to change in a cluster: read from what AWS says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from leptonctl.planning.aws_cluster import cluster_args
from leptonctl.planning.aws_cluster_changes import cluster_changes
from leptonctl.planning.observed import ObservedResource
from leptonctl.planning.plan import Action
from leptonctl.sitefile.kubernetes import Addons, ClusterNodes, Kubernetes

if TYPE_CHECKING:
    from leptonctl.planning.aws_cluster_types import ClusterArgs


def wanted() -> ClusterArgs:
    kubernetes = Kubernetes(
        version="1.34",
        admins=("arn:aws:iam::123456789012:role/ops",),
        api_from=("203.0.113.0/24",),
        nodes={"system": ClusterNodes(type="m7i.large"), "gpu": ClusterNodes(type="g6.xlarge", desired=2, max=4)},
        addons=Addons(),
    )
    found = cluster_args("demo", "core", kubernetes)
    assert found is not None
    return found


def there(**changed: object) -> ObservedResource:
    nodes = {
        "system": {"type": "m7i.large", "desired": 1, "min": 0, "max": 1},
        "gpu": {"type": "g6.xlarge", "desired": 2, "min": 0, "max": 4},
    }
    properties = {"version": "1.34", "api_from": ("203.0.113.0/24",), "nodes": nodes}
    return ObservedResource("cluster", "core", "core", "demo_core", "active", {**properties, **changed})


def changes(cluster: ClusterArgs | None, found: ObservedResource | None) -> list[tuple[Action, tuple[str, ...]]]:
    return [(one.action, one.reasons) for one in cluster_changes("core", cluster, found)]


def test_a_location_without_a_cluster_has_no_change_of_one() -> None:
    assert changes(None, None) == []


def test_a_cluster_that_is_not_there_is_made_and_the_reason_says_of_what() -> None:
    reason = "version 1.34 with 1 m7i.large (system), 2 g6.xlarge (gpu), and add-ons"
    assert changes(wanted(), None) == [(Action.CREATE, (reason,))]


def test_a_cluster_as_it_should_be_is_kept() -> None:
    assert changes(wanted(), there()) == [(Action.KEEP, ())]


def test_a_cluster_that_left_the_file_goes() -> None:
    assert changes(None, there()) == [(Action.DELETE, ("no longer in the site file",))]


def test_every_difference_is_named() -> None:
    nodes = {
        "gpu": {"type": "g5.xlarge", "desired": 3, "min": 1, "max": 8},
        "old": {"type": "m7i.large", "desired": 1, "min": 0, "max": 1},
    }
    found = replace(there(version="1.33", api_from=("0.0.0.0/0",), nodes=nodes), status="failed")
    assert changes(wanted(), found) == [
        (
            Action.UPDATE,
            (
                "failed -> active",
                "version 1.33 -> 1.34",
                "its API is open to 0.0.0.0/0 -> 203.0.113.0/24",
                "group system is made: 1 m7i.large",
                "group gpu: type g5.xlarge -> g6.xlarge",
                "group gpu: desired 3 -> 2",
                "group gpu: min 1 -> 0",
                "group gpu: max 8 -> 4",
                "group old goes: no longer in the site file",
            ),
        )
    ]


def test_what_was_not_said_is_not_compared() -> None:
    bare = ObservedResource("cluster", "core", "core", "demo_core", "active")
    assert changes(wanted(), bare) == [(Action.KEEP, ())]


def test_a_public_end_that_somebody_opened_is_a_difference() -> None:
    closed = replace(wanted(), api_from=())
    assert changes(closed, there()) == [
        (Action.UPDATE, ("its API is open to 203.0.113.0/24 -> nobody outside",)),
    ]
