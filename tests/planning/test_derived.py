"""What follows from the whole site: who scrapes whom."""

import pytest

from leptonctl.planning.derived import scrape_targets
from leptonctl.planning.desired import desired
from leptonctl.sitefile.model import Site

SITE = {
    "site": "demo",
    "owner": "ops",
    "core": {"platform": "local", "nodes": {"box": {"count": 1, "roles": ["base", "monitoring_agent"]}}},
}


@pytest.mark.parametrize(
    ("hostname", "endpoint"),
    [
        ("10.1.2.3", "10.1.2.3:9100"),
        ("box-1.example.com", "box-1.example.com:9100"),
        ("2001:db8::7", "[2001:db8::7]:9100"),
    ],
)
def test_a_target_is_a_host_and_a_port_that_prometheus_can_tell_apart(hostname: str, endpoint: str) -> None:
    (target,) = scrape_targets(desired(Site.model_validate(SITE)), {"core/box-1": hostname})
    assert target == {"host": "core/box-1", "location": "core", "tier": "core", "endpoint": endpoint}
