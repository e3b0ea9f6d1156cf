"""The template `ai-site` as it stands, on this machine: three tiers, every role of storage, monitoring and the edge.

Grafana alone is left out: its repository cannot be reached from where the tests run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples.hadoop.archive import archive
from leptonctl.sitefile.samples import sample
from tests.e2e.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

TRAIN, BOXES = "core/train-1", ("edges/shop/box-1", "edges/shop/box-2")
GRAFANA = ("  dashboards:\n    admin_password: env:GRAFANA_PASSWORD\n", ", dashboards")


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("hadoop")
    made = archive(folder)
    text = sample("ai-site").partition("software:")[2]
    for part in GRAFANA:
        assert text.count(part) == 1
        text = text.replace(part, "")
    new = make_site("ai-site", f"software:{text}")
    with served(folder) as url_for:
        new.environ["HADOOP_ARCHIVE"] = url_for(made.path.name)
        done = new.up()
        assert done.exit_code == 0, done.stdout + done.stderr
        yield new


def test_it_comes_up_and_all_holds_but_what_a_container_cannot_have(site: Site) -> None:
    proof = site.run("verify")
    told = {(where, message.partition(": ")[0]) for where, message in proof.problems()}
    expected = {(box, "the machine's watchdog is armed") for box in BOXES}
    expected |= {(TRAIN, "homes is mounted")}
    assert (proof.exit_code, told) == (6, expected), proof.stdout


def test_a_second_run_changes_nothing(site: Site) -> None:
    done = site.up()
    told = (done.exit_code, done.result["data"]["message"])
    assert told == (0, "nothing to do: all is as the site file says"), done.stdout
    assert {change["action"] for change in done.result["changes"]} == {"keep"}
