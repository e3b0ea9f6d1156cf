"""The recordings of the real engine in tests/data/pulumi are as it does it: each situation is made anew and compared.

With LEPTONCTL_RECORD=1 they are written instead. Only the real engine can show this.
"""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.automation.events import EngineEvent

from leptonctl.errors import LeptonError
from leptonctl.platforms.pulumi_events import Steps
from leptonctl.progress import silent
from tests.engine.double.provider import CRASH_VARIABLE, SLOW_VARIABLE
from tests.engine.sites import core_of, open_site, platform_of
from tests.engine.test_kills import SLOW, Attempt, instances, wait_for

if TYPE_CHECKING:
    from leptonctl.platforms.aws import AwsPlatform

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("real_engine", "aws", "swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FOLDER = Path(__file__).parents[1] / "data" / "pulumi"
KEPT = frozenset({"thin-core", "default_7_51_1", "network-vpc", "box-1", "box-2"})
"""The resources that a recording has."""
_EVENTS = ("diagnosticEvent", "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent", "summaryEvent", "cancelEvent")
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+[\w.+-]*")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the engine tells, as it comes through the SDK's door."""
    found: list[dict[str, Any]] = []
    read = EngineEvent.from_json

    def keep(data: dict[str, Any]) -> EngineEvent:
        found.append(data)
        return read(data)

    monkeypatch.setattr(EngineEvent, "from_json", keep)
    return found


def test_a_killed_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_site("thin", tmp_path)
    platform = platform_of(session)
    states = platform.stacks.states
    monkeypatch.setenv(SLOW_VARIABLE, SLOW)
    attempt = Attempt(platform, core_of(session))
    wait_for(lambda: len(instances()) == 2)
    owner = states.locks("core")[0]
    os.kill(owner.pid, signal.SIGKILL)
    error = attempt.end()
    lock = json.loads(states.store.read(owner.key) or b"")
    compare("killed", printed=printed_of(error), state=states.read("core"), lock=lock)


def test_an_engine_that_is_asked_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    session = open_site("thin", tmp_path)
    platform = platform_of(session)
    monkeypatch.setenv(SLOW_VARIABLE, SLOW)
    attempt = Attempt(platform, core_of(session))
    wait_for(lambda: len(instances()) == 2)
    platform.interrupt()
    error = attempt.end()
    compare("interrupted", printed=printed_of(error), events=events, state=platform.stacks.states.read("core"))


def test_a_provider_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]) -> None:
    session = open_site("thin", tmp_path)
    platform = platform_of(session)
    monkeypatch.setenv(CRASH_VARIABLE, "box-1")
    error = Attempt(platform, core_of(session)).end()
    state = platform.stacks.states.read("core")
    assert state is not None
    # Ours; the engine itself forgets them.
    del state["deployment"]["pending_operations"]
    compare("crashed", printed=printed_of(error), events=events, state=state)


def test_a_stack_that_is_locked(tmp_path: Path) -> None:
    session = open_site("thin", tmp_path)
    platform: AwsPlatform = platform_of(session)
    told = {"pid": os.getpid(), "username": "ops", "hostname": "runner-7", "timestamp": datetime.now(UTC).isoformat()}
    with platform.stacks.to_change("core", "eu-central-1") as stack:
        stack.open(lambda: None)
        platform.stacks.states.store.write(".pulumi/locks/organization/thin/core/1.json", json.dumps(told).encode())
        with pytest.raises(LeptonError) as caught:
            stack.refresh(Steps("core", silent))
    compare("locked", printed=printed_of(caught.value))


def printed_of(error: LeptonError | None) -> str:
    assert error is not None
    return str(error.__cause__)


def compare(name: str, **now: Any) -> None:
    """Hold the recording against what the engine did now: the same words and fields, whatever the ids and times."""
    found = scrubbed({key: trimmed(key, value) for key, value in now.items()})
    path = FOLDER / f"{name}.json"
    if os.environ.get("LEPTONCTL_RECORD"):
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    recorded = json.loads(path.read_text())
    assert {key: shape(value) for key, value in found.items()} == {key: shape(value) for key, value in recorded.items()}


def trimmed(key: str, value: Any) -> Any:
    """What tests read of it."""
    if key == "printed":
        return re.sub(r"(?s)Updating \(core\).*?(?=Diagnostics:)", "", value)
    if key == "events":
        kept = [{kind: one[kind] for kind in _EVENTS if kind in one} for one in value]
        return [one for one in kept if one and _name_of(one) in KEPT | {""}]
    if key == "state":
        deployment = value["deployment"]
        resources = [one for one in deployment["resources"] if one["urn"].rpartition("::")[2] in KEPT]
        return {**value, "deployment": {**deployment, "resources": resources}}
    return value


def _name_of(event: dict[str, Any]) -> str:
    content = next(iter(event.values()))
    urn: str = (content.get("metadata") or content).get("urn") or ""
    return urn.rpartition("::")[2]


def scrubbed(value: Any) -> Any:
    """The same without what is of this machine or secret."""
    if isinstance(value, dict):
        fixed = {"hostname": "runner-7", "username": "ops", "pid": 4711, "ciphertext": "scrubbed", "salt": "scrubbed"}
        return {name: fixed[name] if name in fixed else scrubbed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    if isinstance(value, str) and not value.startswith("ssh-"):
        text = _PATH.sub(lambda found: f"/path/{found[0].rpartition('/')[2]}", value)
        return re.sub(r"pid \d+", "pid 4711", re.sub(r"\b\w+@[\w.-]+ \(", "ops@runner-7 (", text))
    return value


def shape(value: Any) -> Any:
    """Names, kinds and words without ids, times, numbers, and the order in which things came."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    if isinstance(value, str):
        return re.sub(r"box-[12]|[0-9a-f]{6,}|\d[\d.:TZ+-]*|AAAA\S+", "*", value)
    return type(value).__name__
