"""Who may become root: read from files of a folder of the test's own."""

from pathlib import Path

import pytest

from leptonctl.hosts.remote import roots
from leptonctl.hosts.remote.complete import complete
from leptonctl.hosts.remote.facts import Entry

MAY = ["ana", "root"]


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sudoers.d"
    folder.mkdir()
    monkeypatch.setattr(roots, "SUDOERS", str(tmp_path / "sudoers"))
    monkeypatch.setattr(roots, "SUDOERS_FOLDER", str(folder))
    monkeypatch.setattr(roots, "GROUP", "no-such-group")
    return folder


def entry() -> Entry:
    return {"kind": "roots", "name": "sudo", "may": list(MAY), "listed": list(MAY)}


def told(found: Entry) -> list[str]:
    return [one["message"] for one in roots.strangers(found, [])]


def test_files_that_name_only_those_who_may_are_expected(sudo: Path) -> None:
    (sudo / "README").write_text("# nothing\n\n")
    (sudo / "90-cloud").write_text("# made at the first start\nana ALL=(ALL) \\\n  NOPASSWD:ALL\n")
    (sudo / "eve.bak").write_text("eve ALL=(ALL) ALL\n")
    wanted = entry()
    complete(wanted, None, {}, is_first=False)
    assert told(wanted) == []


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("eve ALL=(ALL) ALL\n", "eve"),
        ("%people ALL=(ALL) ALL\n", "%people"),
        ("Defaults !authenticate\n", "Defaults"),
        ("#include /etc/other\n", "#include"),
        ("#1234 ALL=(ALL) ALL\n", "#1234"),
    ],
)
def test_a_file_that_lets_others_in_is_told_with_what_to_do(sudo: Path, text: str, who: str) -> None:
    wanted = entry()
    complete(wanted, None, {}, is_first=False)
    (sudo / "more").write_text(text)
    what_to_do = "take it out, or list them under software.base.users with sudo: true"
    assert told(wanted) == [f"{sudo}/more changes who may become root ({who}): {what_to_do}"]


def test_what_was_there_before_the_first_run_is_accepted_as_it_was_and_nothing_later_is(sudo: Path) -> None:
    (sudo / "admins").write_text("%admins ALL=(ALL) ALL\n")
    first = entry()
    complete(first, None, {}, is_first=True)
    assert told(first) == []
    (sudo / "later").write_text("eve ALL=(ALL) ALL\n")
    second = entry()
    assert complete(second, first, {}, is_first=False) == []
    assert [message.partition(" ")[0] for message in told(second)] == [f"{sudo}/later"]
    (sudo / "admins").write_text("%admins ALL=(ALL) NOPASSWD: ALL\n")
    assert [message.partition(" ")[0] for message in told(second)] == [f"{sudo}/admins", f"{sudo}/later"]


def test_a_lost_manifest_does_not_accept_what_came_since(sudo: Path) -> None:
    (sudo / "later").write_text("eve ALL=(ALL) ALL\n")
    wanted = entry()
    complete(wanted, None, {}, is_first=False)
    assert len(told(wanted)) == 1
