from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, get_args
from urllib.parse import quote_plus

import pytest

from leptonctl.errors import PreflightFailed
from leptonctl.hosts.secrets import (
    HIDDEN,
    Redactor,
    resolve,
    secret_places,
    secret_refs,
    secret_values,
    with_secrets,
)
from leptonctl.hosts.target import Target
from leptonctl.planning.desired import DesiredRole
from leptonctl.planning.observed import Endpoint
from leptonctl.sitefile.environment import EACH
from leptonctl.sitefile.software import RoleName

if TYPE_CHECKING:
    from pathlib import Path

ROLE = DesiredRole(
    "monitoring_server",
    {"port": 9090, "webhook_url": "env:HOOK", "mail": {"to": "ops@example.com", "password": "file:mail.txt"}},
)


def test_secret_settings_are_found_from_the_model() -> None:
    found = {role: secret_places(role) for role in get_args(RoleName) if secret_places(role)}
    assert found["monitoring_server"] == (("webhook_url",), ("mail", "password"))
    assert found["container_runtime"] == (("registry_logins", EACH, "password"),)


def test_secrets_in_a_mapping_are_found_under_the_key_that_they_stand_under() -> None:
    logins = {"ghcr.io": {"username": "ci", "password": "env:GHCR"}, "quay.io": {"username": "ci", "password": "env:Q"}}
    role = DesiredRole("container_runtime", {"registry_logins": logins})
    assert secret_refs([role]) == {
        "env:GHCR": "container_runtime.registry_logins.ghcr.io.password",
        "env:Q": "container_runtime.registry_logins.quay.io.password",
    }
    assert secret_values(role, {"env:Q": "one"}) == {"registry_logins.quay.io.password": "one"}
    (resolved,) = with_secrets(
        Target("core/a", "a", "core", "core", Endpoint("10.0.0.1"), (role,)), {"env:GHCR": "two", "env:Q": "one"}
    ).roles
    assert resolved.settings["registry_logins"] == {
        "ghcr.io": {"username": "ci", "password": "two"},
        "quay.io": {"username": "ci", "password": "one"},
    }


def test_references_are_listed_once_with_the_setting_that_has_them() -> None:
    unset = DesiredRole("monitoring_server", {"webhook_url": None, "mail": None})
    assert secret_refs([ROLE, ROLE, unset, DesiredRole("base", {})]) == {
        "env:HOOK": "monitoring_server.webhook_url",
        "file:mail.txt": "monitoring_server.mail.password",
    }


def test_the_values_of_a_role_are_those_that_are_known() -> None:
    assert secret_values(ROLE, {"env:HOOK": "one", "env:OTHER": "two"}) == {"webhook_url": "one"}
    assert secret_values(ROLE, {"file:mail.txt": "three"}) == {"mail.password": "three"}
    assert secret_values(ROLE, {}) == {}


def test_each_kind_of_reference_is_resolved_and_one_newline_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text("from the file\n\n")
    refs = {"env:HOOK": "a", "file:mail.txt": "b", "exec:printf '%s\\n' '$(id) ; \"two\" words'": "c"}
    assert resolve(refs, site_dir=tmp_path, environ={"HOOK": "from the environment", "PATH": "/usr/bin:/bin"}) == {
        "env:HOOK": "from the environment",
        "file:mail.txt": "from the file\n",
        "exec:printf '%s\\n' '$(id) ; \"two\" words'": '$(id) ; "two" words',
    }


def test_all_that_cannot_be_resolved_is_told_at_once_without_any_value(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    refs = {
        "env:NONE": "a",
        "file:none": "b",
        "file:empty": "c",
        "exec:sh -c 'echo not-to-be-shown; exit 3'": "d",
        "exec:no-such-program --token not-to-be-shown": "e",
        "exec:echo 'unbalanced": "f",
        "env:GOOD": "g",
    }
    with pytest.raises(PreflightFailed) as raised:
        resolve(refs, site_dir=tmp_path, environ={"GOOD": "value", "PATH": "/usr/bin:/bin"})
    assert [problem.message for problem in raised.value.problems] == [
        "a: env:NONE: it is not set",
        "b: file:none: No such file or directory",
        "c: file:empty: it is empty",
        "d: exec:sh ...: it exits 3",
        "e: exec:no-such-program ...: No such file or directory",
        "f: exec:echo ...: it cannot be read as a command: No closing quotation",
    ]
    assert all(problem.hint for problem in raised.value.problems)
    assert "not-to-be-shown" not in str(raised.value)


def test_only_the_copy_for_ansible_has_the_values() -> None:
    target = Target("core/a", "a", "core", "core", Endpoint("10.0.0.1"), (ROLE,))
    resolved = with_secrets(target, {"env:HOOK": "https://x/y", "file:mail.txt": "pw"})
    assert resolved.roles[0].settings == {
        "port": 9090,
        "webhook_url": "https://x/y",
        "mail": {"to": "ops@example.com", "password": "pw"},
    }
    assert target.roles == (ROLE,)


SECRET = "https://hooks.example.com/T0/b?x=ä \"quoted\" 'y' \\ & more"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps({"inner": json.dumps({"a": SECRET})}),
        json.dumps(SECRET, ensure_ascii=False),
        quote_plus(SECRET),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"user2:" + SECRET.encode() + b"!").decode(),
    ],
)
def test_a_secret_is_hidden_in_each_way_that_it_is_written(written: str) -> None:
    hidden = Redactor.of([SECRET])("before " + written + " after")
    assert HIDDEN in hidden
    assert "hooks.example.com" not in hidden
    assert (hidden.startswith("before "), hidden.endswith(" after")) == (True, True)


def test_secrets_are_hidden_in_every_text_of_a_value() -> None:
    redact = Redactor.of(["hunter2hunter2"])
    assert redact.value({"a": ["x hunter2hunter2", 1, None], "hunter2hunter2": {"b": True}}) == {
        "a": [f"x {HIDDEN}", 1, None],
        HIDDEN: {"b": True},
    }


def test_a_longer_secret_is_hidden_before_a_shorter_one_inside_it() -> None:
    assert Redactor.of(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{HIDDEN} {HIDDEN}"


def test_without_secrets_nothing_is_hidden() -> None:
    assert Redactor.of([])("text") == "text"
