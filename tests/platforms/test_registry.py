from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.base import Context
from leptonctl.platforms.registry import PLATFORMS, make_platform

if TYPE_CHECKING:
    from leptonctl.platforms.base import Platform

CONTEXT = Context("demo", "me", Path(), Path())


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_every_platform_of_the_registry_can_be_made(name: str) -> None:
    made: Platform = make_platform(name, CONTEXT)  # type: ignore[arg-type]
    assert callable(made.ensure)


def test_a_platform_of_a_later_version_is_refused() -> None:
    with pytest.raises(PreflightFailed) as caught:
        make_platform("gcp", CONTEXT)  # type: ignore[arg-type]
    assert caught.value.message == "platform 'gcp' is not in this version"
    assert caught.value.hint == "this version has aws, local, ssh"


def test_the_registry_imports_no_platform_before_it_is_used() -> None:
    program = (
        "import sys, leptonctl.platforms.registry; sys.exit(any(m.startswith('leptonctl.platforms.local') or "
        "m in {'asyncssh', 'boto3', 'pulumi', 'leptonctl.platforms.aws', 'leptonctl.platforms.ssh'} "
        "for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
