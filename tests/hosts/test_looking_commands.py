"""Which commands of a role only look."""

import pytest

from leptonctl.hosts.looking_commands import Declared, digest_of_program, only_looks

PROGRAM = "print('seen')\n"
DECLARED = Declared(covered=frozenset({"/opt/own", "locale-gen"}), looks=frozenset({digest_of_program(PROGRAM)}))


@pytest.mark.parametrize(
    "argv",
    [
        ["systemctl", "show", "--property=X"],
        ["systemctl", "--quiet", "is-active", "x"],
        ["/usr/bin/systemctl", "list-units"],
        ["find", "/etc", "-name", "x"],
        ["dpkg-query", "--show"],
        ["dpkg", "--verify", "x"],
        ["visudo", "-cf", "/etc/sudoers"],
        ["/opt/own", "--apply"],
        ["locale-gen"],
    ],
)
def test_a_command_that_looks_or_is_covered_ensures_nothing(argv: list[str]) -> None:
    assert only_looks(argv, None, DECLARED)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["systemctl"],
        ["systemctl", "restart", "show"],
        ["systemctl", "--now", "mask", "x"],
        ["systemctl", "daemon-reload"],
        ["find", "/etc", "-delete"],
        ["find", "/etc", "-exec", "rm", "{}", ";"],
        ["dpkg", "--install", "x.deb"],
        ["visudo"],
        ["python3", "/root/x.py"],
        ["python3", "-c", "pass"],
        ["own"],
        ["sh", "-c", "systemctl show"],
    ],
)
def test_every_other_command_is_not_trusted(argv: list[str]) -> None:
    assert not only_looks(argv, None, DECLARED)


def test_python_is_trusted_only_with_a_program_that_the_role_declares() -> None:
    assert only_looks(["/usr/bin/python3", "-"], PROGRAM, DECLARED)
    assert only_looks(["python3", "-"], PROGRAM.rstrip(), DECLARED)
    assert not only_looks(["python3", "-"], PROGRAM + "import os; os.remove('/x')", DECLARED)
    assert not only_looks(["python3", "-"], PROGRAM, Declared())
    assert not only_looks(["python3", "-"], None, DECLARED)
