"""Sites for the tests of this folder; what they leave is removed."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.local_site import Site


@pytest.fixture(scope="module")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Site]]:
    """Give a function that writes a site file; whatever the sites left is removed at the end."""
    made: list[Site] = []

    def make(name: str, text: str) -> Site:
        unique = f"{name}-{os.getpid()}"
        folder = tmp_path_factory.mktemp(name)
        file = folder / "site.yaml"
        file.write_text(f"site: {unique}\nowner: tests@example.com\n{text}")
        made.append(Site(unique, file))
        return made[-1]

    yield make
    for site in made:  # all of them, before any is judged
        site.run("down", "--yes", "--delete-data", "all")
    assert [site.objects() for site in made] == [[] for _ in made]
