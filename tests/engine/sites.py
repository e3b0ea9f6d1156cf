"""Sites of the AWS suite, opened as the commands open them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from leptonctl.platforms.aws import AwsPlatform
from leptonctl.session import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leptonctl.planning.desired import DesiredLocation
    from leptonctl.session import Session

HERE = Path(__file__).parent


def open_site(name: str, state_dir: Path, environ: Mapping[str, str] | None = None) -> Session:
    """The session of `sites/NAME.yaml`, with its state in `state_dir`."""
    return open_session(HERE / "sites" / f"{name}.yaml", environ=environ or {}, state_dir=state_dir)


def platform_of(session: Session) -> AwsPlatform:
    """The session's AWS platform."""
    found = session.platform("aws")
    assert isinstance(found, AwsPlatform)
    return found


def core_of(session: Session) -> DesiredLocation:
    """The core of the site."""
    return session.location("core")


def an_hour_passes(state_dir: Path) -> None:
    """Put back by an hour when anything below a site's state was written: as if the next run came that much later."""
    then = time.time() - 3600
    for path in state_dir.rglob("*"):
        os.utime(path, (then, then), follow_symlinks=False)
