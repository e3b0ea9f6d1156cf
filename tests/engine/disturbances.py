"""What the proxy does to calls: refuse, lose, hold, hide, throttle, and tell somebody that one was made."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.engine.calls import Answer, Call, error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Disturbance:
    """One thing that happens to calls; by itself nothing."""

    def before(self, _call: Call) -> Answer | None:
        """An answer that the call gets without being made; None lets it pass."""
        return None

    def rewritten(self, _call: Call, body: bytes) -> bytes:
        """The body with which the call is made."""
        return body

    def after(self, _call: Call, answer: Answer) -> Answer | None:
        """The answer that the caller gets; None closes the connection instead."""
        return answer

    def end(self) -> None:
        """Let go of every call that is held."""


@dataclass
class _Times:
    """So many times, whichever thread comes first."""

    left: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        with self._lock:
            self.left -= 1
            return self.left >= 0


class Refusal(Disturbance):
    """The next calls of an action get an error and are not made."""

    def __init__(self, action: str, code: str, times: int = 1) -> None:
        self._action, self._code, self._times = action, code, _Times(times)

    def before(self, call: Call) -> Answer | None:
        return error(call, self._code) if call.action == self._action and self._times.take() else None


class NoCapacity(Disturbance):
    """Machines whose parameters `lacks` says yes to are not to be had."""

    def __init__(self, lacks: Callable[[Mapping[str, str]], bool]) -> None:
        self._lacks = lacks

    def before(self, call: Call) -> Answer | None:
        is_lacking = call.action == "RunInstances" and self._lacks(call.form)
        return error(call, "InsufficientInstanceCapacity") if is_lacking else None


class LostReply(Disturbance):
    """The next calls of an action are made, and the caller never hears of it."""

    def __init__(self, action: str, times: int = 1) -> None:
        self._action, self._times = action, _Times(times)

    def after(self, call: Call, answer: Answer) -> Answer | None:
        return None if call.action == self._action and self._times.take() else answer


class ExpiredCredentials(Disturbance):
    """From the first call of an action on every call is refused, whatever it asks, until `renew`."""

    def __init__(self, action: str) -> None:
        self._action = action
        self._is_expired, self._is_renewed = threading.Event(), threading.Event()

    def renew(self) -> None:
        """The operator has got new credentials."""
        self._is_renewed.set()

    def before(self, call: Call) -> Answer | None:
        if call.action == self._action:
            self._is_expired.set()
        if self._is_renewed.is_set() or not self._is_expired.is_set():
            return None
        return error(call, "RequestExpired" if call.protocol == "ec2" else "ExpiredToken", "Request has expired.")


class RaisedQuotas(Disturbance):
    """AWS has raised every quota of the account to so many times its default."""

    def __init__(self, times: int) -> None:
        self._times = times

    def after(self, call: Call, answer: Answer) -> Answer | None:
        if call.service != "servicequotas" or not answer.is_good:
            return answer
        told = json.loads(answer.body)
        if "Quota" in told:
            told["Quota"]["Value"] *= self._times
        return answer.with_body(json.dumps(told).encode())


class Gate(Disturbance):
    """Holds the Nth call of an action, before it is made or before it is answered, until it is released."""

    def __init__(
        self, action: str, *, number: int = 1, is_made: bool, fits: Callable[[Call], bool] = lambda _call: True
    ) -> None:
        self._action, self._is_made, self._times, self._fits = action, is_made, _Times(number), fits
        self.reached, self._released = threading.Event(), threading.Event()

    def release(self) -> None:
        """Let the call go on, and every later one pass."""
        self._released.set()

    end = release

    def before(self, call: Call) -> Answer | None:
        if not self._is_made:
            self._hold(call)
        return None

    def after(self, call: Call, answer: Answer) -> Answer | None:
        if self._is_made:
            self._hold(call)
        return answer

    def _hold(self, call: Call) -> None:
        if call.action != self._action or not self._fits(call) or self._released.is_set():
            return
        if self._times.take() and self._times.left == 0:
            self.reached.set()
            self._released.wait()


# What creates -> what lists, the list's items, and where an item says its id.
_LISTED = {
    "RunInstances": ("DescribeInstances", "instanceId"),
    "CreateVpc": ("DescribeVpcs", "vpcId"),
    "CreateVolume": ("DescribeVolumes", "volumeId"),
}


class LateToBeSeen(Disturbance):
    """What an action creates is missing from the next lists by filter; asked for by its id it is there at once."""

    def __init__(self, action: str, lists: int) -> None:
        self._action, self._lists = action, lists
        self._listing, self._tag = _LISTED[action]
        self._hidden: dict[str, int] = {}
        self._lock = threading.Lock()

    def after(self, call: Call, answer: Answer) -> Answer | None:
        if not answer.is_good:
            return answer
        with self._lock:
            if call.action == self._action:
                first = self._items(ET.fromstring(answer.body))  # noqa: S314 - moto's
                self._hidden |= dict.fromkeys(first, self._lists)
            if call.action == self._listing and any(name.startswith("Filter.") for name in call.form):
                return answer.with_body(self._without(answer.body))
        return answer

    def _items(self, root: ET.Element) -> list[str]:
        return [one.text or "" for one in root.iter() if one.tag.rpartition("}")[2] == self._tag]

    def _without(self, body: bytes) -> bytes:
        hidden = {made for made, left in self._hidden.items() if left > 0}
        root = ET.fromstring(body)  # noqa: S314 - moto's
        for parent in list(root.iter()):
            for item in list(parent):
                if any(one.tag.rpartition("}")[2] == self._tag and one.text in hidden for one in item):
                    parent.remove(item)
        self._hidden = {made: left - 1 for made, left in self._hidden.items()}
        ET.register_namespace("", root.tag[1:].partition("}")[0] if root.tag.startswith("{") else "")
        return ET.tostring(root)


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: how many tokens it holds, and how many come back a second."""

    size: float
    refill_per_s: float


# docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: each action has a bucket of its own in each region.
READING, CHANGING = Rate(100, 20), Rate(50, 5)
RATES: Mapping[str, Rate] = {
    "RunInstances": Rate(5, 2),
    "StartInstances": Rate(5, 2),
    "StopInstances": Rate(5, 2),
    "TerminateInstances": Rate(100, 5),
    "CreateVpcEndpoint": Rate(4, 0.3),
    "CreateVpcPeeringConnection": Rate(4, 0.3),
    "CreateTags": Rate(100, 10),
}
# RunInstances takes a token for each machine besides, from a bucket of resources.
MACHINES = Rate(1000, 2)


class Throttle(Disturbance):
    """EC2's token buckets. `refused` counts the calls that found theirs empty."""

    def __init__(
        self,
        rates: Mapping[str, Rate] = RATES,
        *,
        machines: Rate = MACHINES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates, self._machines, self._clock = rates, machines, clock
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()
        self.refused = 0

    def before(self, call: Call) -> Answer | None:
        if call.service != "ec2":
            return None
        rate = self._rates.get(call.action, READING if call.action.startswith("Describe") else CHANGING)
        with self._lock:
            is_let = self._take((call.region, call.action), rate, 1)
            if is_let and call.action == "RunInstances":
                wanted = int(call.form.get("MaxCount", "1"))
                is_let = self._take((call.region, "machines"), self._machines, wanted)
            if is_let:
                return None
            self.refused += 1
        return error(call, "RequestLimitExceeded", "Request limit exceeded.")

    def _take(self, bucket: tuple[str, str], rate: Rate, tokens: int) -> bool:
        now = self._clock()
        left, then = self._left.get(bucket, (rate.size, now))
        left = min(rate.size, left + (now - then) * rate.refill_per_s)
        is_let = left >= tokens
        self._left[bucket] = (left - tokens if is_let else left, now)
        return is_let


class Watcher(Disturbance):
    """Tells somebody of every call of some actions that was made, before the caller hears of it."""

    def __init__(self, tell: Callable[[Call, Answer], None], *actions: str) -> None:
        self._tell, self._actions = tell, frozenset(actions)

    def after(self, call: Call, answer: Answer) -> Answer | None:
        if call.action in self._actions and answer.is_good:
            self._tell(call, answer)
        return answer
