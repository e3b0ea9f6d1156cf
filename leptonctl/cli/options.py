"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

site_argument = click.argument("site", type=click.Path(path_type=Path), default="site.yaml", envvar="LEPTONCTL_SITE")
output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="LEPTONCTL_OUTPUT",
    help="How the result is printed on stdout.",
)
state_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LEPTONCTL_STATE_DIR",
    help="Folder for runs, keys and locks.  [default: .leptonctl beside the site file]",
)
only_option = click.option("--only", multiple=True, metavar="ADDRESS", help="Only this location or host (repeatable).")
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask before changing anything.")
level_option = click.option(
    "--log-level",
    type=click.Choice(["quiet", "normal", "verbose"]),
    default="normal",
    envvar="LEPTONCTL_LOG_LEVEL",
    help="How much is said on stderr while it works.",
)
exit_code_option = click.option("--exit-code", is_flag=True, help="Exit with 6 where something differs.")


def shared(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Put several options on a command, in the order in which its help shows them."""

    def put(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return put
