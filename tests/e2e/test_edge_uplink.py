"""An edge box whose uplink is cut for a while: its alert fires and resolves, and its metrics have no gap afterwards.

Real hosts, one a tier: the box sends to its region's server, which sends on to the core's. The uplink is cut by taking
the box's route away; nothing else of it changes.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

CORE, GATE, BOX = "core/control-1", "regions/west/gate-1", "edges/shop/box-1"
INTERVAL_S = 5
CUT_S = 60
TEXT = f"""\
software:
  monitoring_server: {{scrape_interval_s: {INTERVAL_S}, host_down_after_s: 20}}
  edge: {{scrape_interval_s: {INTERVAL_S}, watchdog_s: 0}}
core:
  platform: local
  nodes:
    control: {{count: 1, roles: [base, monitoring_agent, monitoring_server]}}
regions:
  west:
    platform: local
    nodes:
      gate: {{count: 1, roles: [base, monitoring_agent, monitoring_server]}}
edges:
  shop:
    platform: local
    parent: west
    nodes:
      box: {{count: 1, roles: [base, monitoring_agent, edge]}}
"""


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    made = make_site("uplink", TEXT)
    done = made.up()
    assert done.exit_code == 0, done.stdout + done.stderr
    return made


def ask(site: Site, query: str) -> list[dict[str, Any]]:
    """What the core's server gives for a query."""
    url = f"http://127.0.0.1:9090/api/v1/query?{urlencode({'query': query})}"
    program = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    found: list[dict[str, Any]] = json.loads(site.on(CORE, "python3", "-c", program, url))["data"]["result"]
    return found


def wait_for(condition: Callable[[], bool], *, limit_s: float, what: str) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"after {limit_s} s: not {what}"
        time.sleep(1)


def is_firing(site: Site) -> bool:
    query = f'ALERTS{{alertname="HostSilent", alertstate="firing", host="{BOX}"}}'
    return bool(ask(site, query))


def is_known_to_alertmanager(site: Site) -> bool:
    said = site.on(CORE, "amtool", "--alertmanager.url=http://127.0.0.1:9093", "alert", "query", f"host={BOX}")
    return "HostSilent" in said


def times(site: Site, window_s: int) -> list[float]:
    """When the box was scraped in the last so many seconds, as the core knows it."""
    series = ask(site, f'up{{job="hosts", host="{BOX}"}}[{window_s}s]')
    assert len(series) == 1, series
    return [float(at) for at, _ in series[0]["values"]]


def test_all_holds_and_every_host_is_heard_of_at_the_core(site: Site) -> None:
    proof = site.run("verify")
    assert (proof.exit_code, proof.problems()) == (0, [])
    there = {one["metric"]["host"] for one in ask(site, 'up{job="hosts"} == 1')}
    assert there == {CORE, GATE, BOX}


def test_a_box_whose_uplink_was_cut_delivers_its_metrics_without_a_gap_and_its_alert_fires_and_resolves(
    site: Site,
) -> None:
    wait_for(lambda: bool(ask(site, f'up{{host="{BOX}", job="hosts"}}')), limit_s=60, what="heard of")
    route = site.on(BOX, "ip", "route", "show", "default").split()
    began = time.monotonic()
    last_heard = times(site, 60)[-1]
    site.on(BOX, "ip", "route", "del", "default")
    wait_for(lambda: is_firing(site), limit_s=120, what="missed")
    wait_for(lambda: is_known_to_alertmanager(site), limit_s=60, what="known to Alertmanager")
    # The cut is as long as it is said to be, however soon the alert came.
    wait_for(lambda: time.monotonic() - began > CUT_S, limit_s=CUT_S + 5, what="cut long enough")
    assert times(site, 300)[-1] - last_heard < CUT_S / 2
    site.on(BOX, "ip", "route", "add", *route)
    # A try to send may hang in a connection that is no more.
    wait_for(lambda: not is_firing(site), limit_s=180, what="heard of again")
    wait_for(lambda: times(site, 300)[-1] - last_heard > CUT_S, limit_s=180, what="caught up")
    wait_for(lambda: not is_known_to_alertmanager(site), limit_s=400, what="resolved at Alertmanager")
    found = [at for at in times(site, 900) if at >= last_heard - CUT_S]
    gaps = [after - before for before, after in pairwise(found)]
    # A busy machine scrapes late now and then; a minute that was lost would show.
    assert max(gaps) < CUT_S / 3, sorted(gaps)[-3:]
