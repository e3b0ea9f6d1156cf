"""One more package repository: a small signed one is built here and served on a real host, then broken in each way."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.box import Box, fresh_box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

MODULE = "leptonctl.host.repository"
SERVED = "/srv/repository"
URI = "http://127.0.0.1:8099"
SOURCE = "/etc/apt/sources.list.d/vendor.sources"
KEYRING = "/etc/apt/keyrings/vendor.asc"
PACKAGE = (
    "Package: vendor-tool\nVersion: {}\nArchitecture: all\nMaintainer: tests <tests@example.com>\nDescription: none\n"
)


def gpg(home: Path, *arguments: str, stdin: str = "") -> str:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def new_key(home: Path, name: str) -> tuple[str, str]:
    """The fingerprint of a new signing key, and its public part as text."""
    gpg(home, "--passphrase", "", "--quick-generate-key", f"{name} <{name}@example.com>", "rsa2048", "sign", "never")
    lines = gpg(home, "--with-colons", "--list-keys", f"{name}@example.com").splitlines()
    fingerprint = next(line.split(":")[9] for line in lines if line.startswith("fpr"))
    return fingerprint, gpg(home, "--armor", "--export", fingerprint)


@dataclass
class Vendor:
    """A vendor's repository on the host, and what a role would ask of it."""

    box: Box
    home: Path
    work: Path
    fingerprint: str
    key: str
    asked: dict[str, object] = field(default_factory=dict)

    def publish(self, version: str = "1.0", *, signed_by: str | None = None) -> None:
        """Build the repository anew: one package, its lists, and a signature (none where nobody signs)."""
        tree = self.work / "tree"
        (tree / "vendor-tool" / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "vendor-tool" / "DEBIAN" / "control").write_text(PACKAGE.format(version))
        out = self.work / f"out-{len(list(self.work.glob('out-*')))}"
        out.mkdir()
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        build = ["dpkg-deb", "--root-owner-group", "--build", str(tree / "vendor-tool"), str(out / "vendor-tool.deb")]
        subprocess.run(build, check=True, capture_output=True, env=environment)
        scan = ["dpkg-scanpackages", "--multiversion", "."]
        packages = subprocess.run(scan, cwd=out, check=True, capture_output=True, text=True, env=environment).stdout
        (out / "Packages").write_text(packages)
        digest = hashlib.sha256(packages.encode()).hexdigest()
        head = "Origin: vendor\nLabel: vendor\nDate: Sat, 21 Nov 2026 00:00:00 UTC\n"
        release = f"{head}SHA256:\n {digest} {len(packages)} Packages\n"
        (out / "Release").write_text(release)
        if signed_by:
            (out / "InRelease").write_text(gpg(self.home, "--local-user", signed_by, "--clearsign", stdin=release))
        (out / "key.asc").write_text(self.key)
        files = {path.name: base64.b64encode(path.read_bytes()).decode() for path in out.iterdir()}
        self.box.run(f"rm -rf {SERVED} && mkdir -p {SERVED}")
        for name, content in files.items():
            self.box.run(f"echo {content} | base64 --decode > {SERVED}/{name}")

    def set_up(self, *, is_checked: bool = False, **changed: object) -> str | None:
        """Ask for the repository; what stood in the way."""
        asked = {name: value for name, value in {**self.asked, **changed}.items() if value is not None}
        done = self.box.do(MODULE, asked, is_checked=is_checked)
        return done.failure.message if done.failure is not None else None

    def there(self) -> str:
        """Every source and key on the host, and the lists of this repository."""
        return self.box.run(
            f"find {SOURCE} {KEYRING} /var/lib/apt/lists -name '*vendor*' -o -name '127*' 2>/dev/null || :"
        )


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    folder = tmp_path_factory.mktemp("repository")
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    fingerprint, key = new_key(home, "vendor")
    with fresh_box(folder, "repository") as box:
        made = Vendor(box, home, folder, fingerprint, key)
        made.asked = {
            "name": "vendor",
            "uris": [URI],
            "suites": ["./"],
            "key_url": f"{URI}/key.asc",
            "fingerprint": " ".join(fingerprint[at : at + 4] for at in range(0, 40, 4)),
        }
        box.run("apt-get update -q && apt-get install -q --yes --no-install-recommends gpg")
        made.publish(signed_by=fingerprint)
        box.run(
            f"systemd-run --quiet --unit=served python3 -m http.server --bind 127.0.0.1 --directory {SERVED} 8099"
            " && until curl -sf http://127.0.0.1:8099/Release || python3 -c"
            " 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8099/Release\")'; do :; done"
        )
        yield made
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)


@pytest.fixture
def nothing(vendor: Vendor) -> Iterator[Vendor]:
    """No source of the vendor on the host, before and after."""
    assert vendor.there() == ""
    yield vendor
    vendor.publish(signed_by=vendor.fingerprint)
    vendor.box.do(MODULE, {"name": "vendor", "state": "absent"})
    vendor.box.run("rm -f /var/lib/apt/lists/127*")


def test_packages_come_from_it_once_its_key_is_the_pinned_one(nothing: Vendor) -> None:
    box = nothing.box
    assert nothing.set_up(is_checked=True) is None
    assert (nothing.there(), box.done.changed_count) == ("", 1)
    assert nothing.set_up() is None
    assert box.done.changed_count == 1
    assert box.run(f"cat {SOURCE}") == (
        "# Managed by leptonctl: the next run puts this file back.\n"
        f"Types: deb\nURIs: {URI}\nSuites: ./\nSigned-By: {KEYRING}\n"
    )
    assert box.run(f"stat -c '%a %U %G' {SOURCE} {KEYRING}") == "644 root root\n" * 2
    assert box.run("apt-cache policy vendor-tool | grep Candidate").strip() == "Candidate: 1.0"
    box.run("apt-get install --yes vendor-tool && apt-get remove --yes vendor-tool")
    # Again: nothing changes, also where nobody answers.
    assert (nothing.set_up(), box.done.changed_count) == (None, 0)
    box.run("systemctl kill --signal=STOP served")
    assert (nothing.set_up(), box.done.changed_count) == (None, 0)
    box.run("systemctl kill --signal=CONT served")
    # What somebody put over the file, or beside the key, is taken out again.
    box.run(f"echo 'Trusted: yes' >> {SOURCE}; chmod 600 {KEYRING}")
    assert (nothing.set_up(), box.done.changed_count) == (None, 1)
    assert "Trusted" not in box.run(f"cat {SOURCE}")
    assert box.run(f"stat -c %a {KEYRING}") == "644\n"
    nothing.box.do(MODULE, {"name": "vendor", "state": "absent"})
    assert box.run(f"ls {SOURCE} {KEYRING} 2>/dev/null || :") == ""


def test_a_key_that_is_not_the_pinned_one_is_refused(nothing: Vendor) -> None:
    other, _ = new_key(nothing.home, "other")
    assert nothing.set_up(fingerprint=other) == (
        f"repository vendor: the key at {URI}/key.asc has the fingerprint {nothing.fingerprint},"
        f" and {other} is pinned: nothing was changed"
    )
    assert nothing.there() == ""


def test_a_second_key_beside_the_pinned_one_is_refused(nothing: Vendor) -> None:
    second, _ = new_key(nothing.home, "second")
    both = gpg(nothing.home, "--armor", "--export", nothing.fingerprint, second)
    assert nothing.set_up(key=both, key_url=None) == (
        f"repository vendor: the key has the fingerprint {nothing.fingerprint} and {second},"
        f" and {nothing.fingerprint} is pinned: nothing was changed"
    )
    assert nothing.there() == ""


def test_a_repository_that_is_not_signed_is_refused(nothing: Vendor) -> None:
    nothing.publish(signed_by=None)
    assert nothing.set_up() == f"repository vendor: {URI} is not signed: nothing is taken from it"
    assert nothing.there() == ""


def test_a_repository_that_another_key_signed_is_refused(nothing: Vendor) -> None:
    stranger, _ = new_key(nothing.home, "stranger")
    nothing.publish(signed_by=stranger)
    message = nothing.set_up()
    assert message is not None
    assert message.startswith(f"repository vendor: {URI} is not signed by {nothing.fingerprint}: GPG error: ")
    assert message.endswith(f"NO_PUBKEY {stranger[-16:]}")
    assert nothing.there() == ""


def test_a_mirror_that_is_down_is_named_and_what_was_there_stays(nothing: Vendor) -> None:
    down = "http://127.0.0.1:8098"
    assert nothing.set_up(key_url=f"{down}/key.asc") == (
        f"repository vendor: its key cannot be fetched from {down}/key.asc: [Errno 111] Connection refused"
    )
    assert nothing.set_up(uris=[down], key=nothing.key, key_url=None) == (
        f"repository vendor: {down} cannot be read: Failed to fetch {down}/./InRelease  "
        "Could not connect to 127.0.0.1:8098 (127.0.0.1). - connect (111: Connection refused)"
    )
    assert nothing.there() == ""
    assert nothing.set_up() is None
    before = nothing.box.run(f"cat {SOURCE} {KEYRING} /var/lib/apt/lists/127*")
    assert nothing.set_up(uris=[down]) is not None
    assert nothing.box.run(f"cat {SOURCE} {KEYRING} /var/lib/apt/lists/127*") == before


def test_the_key_is_fetched_by_the_proxy_that_apt_is_set_to(nothing: Vendor) -> None:
    nothing.box.run("echo 'Acquire::http::Proxy \"http://127.0.0.1:8097\";' > /etc/apt/apt.conf.d/99proxy")
    try:
        assert nothing.set_up(key_url="http://vendor.example.com/key.asc") == (
            "repository vendor: its key cannot be fetched from http://vendor.example.com/key.asc:"
            " [Errno 111] Connection refused"
        )
    finally:
        nothing.box.run("rm /etc/apt/apt.conf.d/99proxy")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fingerprint": "12345678"}, "'12345678' is no fingerprint: 40 hexadecimal digits, or 64"),
        ({"uris": ["file:/srv"]}, "'file:/srv' is not a URL of http or https"),
        ({"components": ["main"]}, "a suite that ends in '/' has no components, any other has some"),
        (
            {"uris": [f"{URI}/\nTrusted: yes"]},
            f"'{URI}/\nTrusted: yes' in uris has a blank or a character that apt does not take",
        ),
    ],
)
def test_what_apt_would_misread_is_refused(nothing: Vendor, changed: dict[str, Any], message: str) -> None:
    assert nothing.set_up(**changed) == f"repository vendor: {message}".splitlines()[0]
