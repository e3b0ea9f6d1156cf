"""A scaling group whose machines come only as fast as EC2's bucket of machines refills, as AWS would start them.

It does not do: groups that are made larger later, or machines that others start from the same bucket.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3

from tests.engine.disturbances import MACHINES, Disturbance

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.calls import Call
    from tests.engine.disturbances import Rate

_STEP_S = 0.2


@dataclass
class SlowStart(Disturbance):
    """`url` is moto's. `left` is what the bucket holds at first.

    The times are of `clock`: of the first call that makes a group, and of the last machine of one.
    """

    url: str
    left: float
    rate: Rate = MACHINES
    clock: Callable[[], float] = time.monotonic
    first_call_at: float | None = None
    all_started_at: float | None = None
    _since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def rewritten(self, call: Call, body: bytes) -> bytes:
        """A group is made at once, with as many machines as there are tokens for; the others come later."""
        if call.action != "CreateAutoScalingGroup":
            return body
        self.first_call_at = self.first_call_at or self.clock()
        wanted = int(call.form.get("DesiredCapacity") or call.form["MinSize"])
        there = self._take(wanted)
        group, region = call.form["AutoScalingGroupName"], call.region
        threading.Thread(target=self._grow, args=(group, region, there, wanted), daemon=True).start()
        return urlencode({**call.form, "DesiredCapacity": there}).encode()

    def _grow(self, group: str, region: str, there: int, wanted: int) -> None:
        client: Any = boto3.client("autoscaling", region_name=region, endpoint_url=self.url)
        # The call that makes the group is only just on its way.
        while not client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]:
            time.sleep(_STEP_S)
        while there < wanted:
            time.sleep(_STEP_S)
            if more := self._take(wanted - there):
                there += more
                client.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=there)
        self.all_started_at = self.clock()

    def _take(self, count: int) -> int:
        """Take as many tokens as there are, at most so many, and give how many it was."""
        with self._lock:
            now = self.clock()
            self.left = min(self.rate.size, self.left + (now - self._since) * self.rate.refill_per_s)
            self._since = now
            taken = min(count, int(self.left))
            self.left -= taken
            return taken
