"""What becomes of roles that left the site file."""

import pytest

from leptonctl.planning.removal import Fate, GoneRole, gone_roles, is_any_removed

HOST = "core/box-1"
SAMPLES = ("/var/lib/prometheus/metrics2", "/var/lib/prometheus/alertmanager")


def test_a_role_that_needs_others_goes_before_them_and_strangers_come_last() -> None:
    names = ("base", "monitoring_agent", "monitoring_server", "another")
    assert [role.name for role in gone_roles(HOST, names)] == [
        "monitoring_server",
        "monitoring_agent",
        "base",
        "another",
    ]


def test_data_is_kept_until_its_role_on_that_host_or_all_data_is_named() -> None:
    kept = (GoneRole("monitoring_server", Fate.TO_REMOVE, kept=SAMPLES),)
    deleted = (GoneRole("monitoring_server", Fate.TO_REMOVE, deleted=SAMPLES),)
    assert gone_roles(HOST, ["monitoring_server"]) == kept
    assert gone_roles(HOST, ["monitoring_server"], {"core/box-2:monitoring_server", HOST}) == kept
    assert gone_roles(HOST, ["monitoring_server"], {f"{HOST}:monitoring_server"}) == deleted
    assert gone_roles(HOST, ["monitoring_server"], {"all"}) == deleted


@pytest.mark.parametrize(
    ("name", "named", "reasons"),
    [
        pytest.param(
            "monitoring_server",
            (),
            (
                "not in the site file any more: `up` takes it off the host",
                f"keeps {', '.join(SAMPLES)} (--delete-data core/box-1:monitoring_server deletes it)",
            ),
            id="with data",
        ),
        pytest.param(
            "monitoring_server",
            {"all"},
            (
                "not in the site file any more: `up` takes it off the host",
                "deletes /var/lib/prometheus/metrics2, /var/lib/prometheus/alertmanager, as named",
            ),
            id="with data that is named",
        ),
        pytest.param(
            "monitoring_agent",
            (),
            ("not in the site file any more: `up` takes it off the host",),
            id="without data",
        ),
        pytest.param("base", {"all"}, ("not in the site file any more: what it did stays on the host",), id="of all"),
        pytest.param("another", (), ("this leptonctl does not know the role: it is left as it is",), id="not known"),
    ],
)
def test_what_happens_is_said_in_the_operators_words(name: str, named: set[str], reasons: tuple[str, ...]) -> None:
    (role,) = gone_roles(HOST, [name], named)
    assert role.reasons(HOST) == reasons
    assert role.is_removed == is_any_removed([name])
