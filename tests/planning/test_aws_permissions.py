from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.assets import asset
from leptonctl.planning.aws import location_args
from leptonctl.planning.aws_permissions import BY_TYPE, LOOK, actions_of, needed_actions, policy, whole_policy
from leptonctl.planning.aws_resources import planned_resources
from leptonctl.sitefile.load import load_site

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs

SITES = Path(__file__).parents[1]
FILES = [*sorted((SITES / "engine/sites").glob("*.yaml")), SITES / "sites/valid/all-aws.yaml"]


def locations_of(path: Path) -> list[LocationArgs]:
    site = load_site(path, environ={}).site
    return [args for address in site.locations() if (args := location_args(site, address)) is not None]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_type_that_a_site_makes_has_its_actions(path: Path) -> None:
    types = {one.type for args in locations_of(path) for one in planned_resources(args) if one.type.startswith("aws:")}
    assert types - BY_TYPE.keys() == set()
    assert set(needed_actions(locations_of(path))) > LOOK


def test_no_action_is_a_wildcard_and_each_stands_once() -> None:
    of_site, of_state = whole_policy()["Statement"][:-1], whole_policy()["Statement"][-1]
    actions = [action for statement in of_site for action in statement["Action"]]
    assert [one for one in actions + of_state["Action"] if not re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z0-9]+", one)] == []
    assert len(actions) == len(set(actions))
    assert sorted(actions) == list(actions_of(BY_TYPE))
    assert of_state["Sid"] == "State"


def test_a_site_needs_only_what_it_uses() -> None:
    thin = set(needed_actions(locations_of(SITES / "engine/sites/thin.yaml")))
    assert {"fsx:CreateFileSystem", "eks:CreateCluster", "ec2:CreateNatGateway"} & thin == set()
    assert {"ec2:RunInstances", "s3:CreateBucket", "ec2:CreateVpc"} <= thin


def test_a_role_is_handed_only_to_the_services_that_work_for_the_site() -> None:
    statement = next(one for one in policy(["iam:PassRole", "ec2:RunInstances"])["Statement"] if "Condition" in one)
    assert statement == {
        "Sid": "PassRole",
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "iam:PassedToService": ["ec2.amazonaws.com", "eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
            }
        },
    }


def test_the_policy_in_templates_is_made_from_the_table() -> None:
    """Where this fails, run `make docs`."""
    assert json.loads(asset("templates", "aws-permissions.json").read_text()) == whole_policy()
