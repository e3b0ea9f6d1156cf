"""What holds for every test."""

import os
import signal
from pathlib import Path

import pytest

# What several test files assert by; without this a failure would not say what was there.
pytest.register_assert_rewrite("tests.hosts.tampering")

# A shell's background job ignores SIGINT, and so would every program that a test starts from there and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Moto reads its machine images once, when it is first imported, and any test of this process may be the first to do so.
os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).parent / "engine" / "images.json")
