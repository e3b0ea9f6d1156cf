"""Variables: only in values, never in secrets, and read as numbers only where a number is wanted."""

from __future__ import annotations

import pytest

from leptonctl.sitefile.environment import EACH, expand, is_secret, secret_fields

ENVIRON = {"A": "one", "EMPTY": "", "NESTED": "${A}", "BRACE": "a}b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${NOT_SET:-}", ""),
        ("${NOT_SET:-a b:c-d}", "a b:c-d"),
        ("${A:-default}", "one"),
        ("$A $ {A} $$", "$A $ {A} $$"),
        ("$${A}", "${A}"),
        ("$${A} ${A}", "${A} one"),
        ("${NESTED}", "${A}"),
        ("${BRACE}", "a}b"),
    ],
)
def test_a_variable_is_replaced_once(text: str, expected: str) -> None:
    expanded = expand({"a": [text]}, text, ENVIRON)
    assert expanded.data == {"a": [expected]}
    assert expanded.findings == []


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A:b}", "${A", "${A:-${A}}", "${a b}", "x ${ A }"])
def test_what_is_not_a_variable_is_a_problem(text: str) -> None:
    expanded = expand({"a": text}, text, ENVIRON)
    assert [finding.rule for finding in expanded.findings] == ["variable-syntax"]
    assert expanded.paths == {("a",)}


def test_every_unset_variable_is_named() -> None:
    expanded = expand({"a": "${X} ${Y}", "b": "${Z}"}, "${", ENVIRON)
    assert [finding.message for finding in expanded.findings] == [
        "the variable X is not set",
        "the variable Y is not set",
        "the variable Z is not set",
    ]


def test_only_a_value_that_is_one_variable_may_become_a_number() -> None:
    expanded = expand({"a": "${A}", "b": "${A}x", "c": "$${A}", "d": "one"}, "${", ENVIRON)
    assert expanded.whole == {("a",)}


def test_a_file_without_variables_is_not_walked() -> None:
    data = {"a": "${A}"}
    assert expand(data, "a: no variable here", ENVIRON).data == {"a": "${A}"}


def test_the_secret_settings_are_known() -> None:
    assert secret_fields() == {
        ("monitoring_server", "webhook_url"),
        ("monitoring_server", "mail", "password"),
        ("dashboards", "admin_password"),
        ("container_runtime", "registry_logins", EACH, "password"),
        ("storage_object", "users", EACH, "key"),
    }


def test_a_secret_in_a_mapping_is_known_by_its_place() -> None:
    assert is_secret(("core", "nodes", "store", "software", "storage_object", "users", "trainer", "key"))
    assert not is_secret(("software", "storage_object", "users", "trainer", "admin"))
    assert not is_secret(("software", "storage_object", "users", "key"))


def test_a_secret_is_known_by_its_path_wherever_software_is_set() -> None:
    assert is_secret(("software", "monitoring_server", "webhook_url"))
    assert is_secret(("core", "nodes", "software", "software", "monitoring_server", "mail", "password"))
    assert not is_secret(("software", "monitoring_server", "port"))
    assert not is_secret(("core", "webhook_url"))
