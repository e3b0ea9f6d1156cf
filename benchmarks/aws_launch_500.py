"""500 equal machines on AWS: a scaling group through EC2's token buckets, seconds over what the buckets allow at best.

A proxy in front of moto has the buckets that AWS publishes for RunInstances: 1,000 machines and 2 more a second, 5
calls and 2 more a second (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html). The first is not
full: an account that has just started other machines has 400 left, so that 100 have to wait for it to refill, 50 s at
best. Timed from the first call that starts machines until a look of leptonctl finds all of them. That there are at most
five such calls is judged too. Which engine made them is printed: on the stand-in the figure says nothing about Pulumi.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from aws_site import engine, moto, variables
from harness import verdict
from leptonctl.platforms.aws import AwsPlatform
from leptonctl.progress import silent
from leptonctl.session import Session, open_session

GOAL = 1.15
CALLS_AT_MOST = 5
COUNT = 500
MACHINES_LEFT = 400
"""What the account's bucket of machines holds at first."""
LIMIT_S = 600
REGION = "eu-central-1"
SITE = f"""
site: launch
owner: ops@example.com
core:
  platform: aws
  aws: {{region: {REGION}, zones: [{REGION}a, {REGION}b], internet: none}}
  network: {{cidr: 10.64.0.0/20}}
  nodes:
    train:
      scaling: {{min: {COUNT}, max: {COUNT}}}
      machine: {{type: g6.xlarge}}
"""
_LAUNCHES = ("ec2:RunInstances", "ec2:CreateFleet", "autoscaling:CreateAutoScalingGroup",
             "autoscaling:UpdateAutoScalingGroup", "autoscaling:SetDesiredCapacity")  # fmt: skip


def main() -> int:
    """Make them, watch, and judge."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.engine.disturbances import MACHINES, RATES, Throttle  # noqa: PLC0415 - found beside the benchmarks
    from tests.engine.proxy import Proxy  # noqa: PLC0415 - the same
    from tests.engine.slow_start import SlowStart  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory() as name, moto() as url:
        folder, proxy = Path(name), Proxy(url)
        os.environ.update(variables(proxy.start(), folder))
        slow, throttle = SlowStart(url, left=MACHINES_LEFT), Throttle()
        proxy.add(throttle)
        proxy.add(slow)
        (folder / "site.yaml").write_text(SITE)
        session = open_session(folder / "site.yaml", environ={}, state_dir=folder / "state")
        began = time.monotonic()
        ended, looks = made_and_seen(session)
        first = slow.first_call_at or began
        launch_s, started_s = ended - first, (slow.all_started_at or ended) - first
        calls = {call: count for call, count in proxy.calls.items() if call in _LAUNCHES}
        proxy.stop()
    bound_s = (COUNT - MACHINES_LEFT) / MACHINES.refill_per_s
    one_each_s = (COUNT - RATES["RunInstances"].size) / RATES["RunInstances"].refill_per_s
    print(f"engine: {engine()}")
    print(
        f"{COUNT} machines started {started_s:.1f} s after the first launch call, all found {launch_s:.1f} s after it"
    )
    print(f"{looks} looks; {ended - began:.1f} s with the network and all else")
    print(f"at best {bound_s:.1f} s: {MACHINES_LEFT} at once, {MACHINES.refill_per_s} a second")
    print(f"a call for each machine would take {one_each_s:.1f} s at best")
    print(f"launch calls: {calls}, throttled {throttle.refused}")
    is_few = sum(calls.values()) <= CALLS_AT_MOST
    print(f"launch calls {sum(calls.values())} of at most {CALLS_AT_MOST}")
    return verdict(launch_s / bound_s, GOAL) or int(not is_few)


def made_and_seen(session: Session) -> tuple[float, int]:
    """Make the core and look until every machine is there; when that was, and how many looks it took."""
    platform = session.platform("aws")
    if not isinstance(platform, AwsPlatform):
        raise TypeError("the site is on AWS")
    found = platform.ensure(session.location("core"), silent)
    looks, limit = 1, time.monotonic() + LIMIT_S
    while len(found.endpoints) < COUNT:
        if time.monotonic() > limit:
            raise TimeoutError(f"{len(found.endpoints)} of {COUNT} machines after {LIMIT_S} s")
        time.sleep(1)
        seen, looks = platform.observe("core"), looks + 1
        found = seen or found
    return time.monotonic(), looks


if __name__ == "__main__":
    raise SystemExit(main())
