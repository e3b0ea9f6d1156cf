"""The lock of a location."""

import subprocess
import sys
from pathlib import Path

import pytest

from leptonctl.errors import Locked
from leptonctl.record.lock import hold

HOLDER = """
import sys
from pathlib import Path
from leptonctl.record.lock import hold
with hold(Path(sys.argv[1]), ["core"], run_id="run-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Locked) as caught, hold(tmp_path, ["regions/west", "core"], run_id="run-2"):
            pass
        assert caught.value.message.startswith("core is locked by run run-1 (user ")
        assert f"pid {holder.pid} on " in caught.value.message
        holder.kill()
    with hold(tmp_path, ["core"], run_id="run-3"):
        pass


def test_locations_are_locked_one_by_one(tmp_path: Path) -> None:
    with hold(tmp_path, ["edges/shop"], run_id="run-1"), hold(tmp_path, ["edges/mill"], run_id="run-2"):
        pass
