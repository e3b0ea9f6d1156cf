"""The command group, and what every command begins and ends with: open the site file, ask, print the result."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from leptonctl import __version__
from leptonctl.errors import Interrupted, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leptonctl.planning.desired import Desired
    from leptonctl.planning.plan import Plan
    from leptonctl.result import Result
    from leptonctl.session import Session


class Ordered(click.Group):
    """A group whose help lists the commands in the order of the work, not of the alphabet."""

    order: tuple[str, ...] = (
        *("init", "validate", "schema", "explain", "permissions", "plan", "up", "publish"),
        *("status", "verify", "health", "drift", "down"),
        *("ssh", "inventory", "cluster-token", "runs", "state", "drill", "doctor", "version", "completion"),
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of the work."""
        del ctx
        return list(self.order)


@click.group(cls=Ordered, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="leptonctl")
def cli() -> None:
    """Build, prove and remove an AI site that one YAML file describes: core, regions and edges.

    \b
    leptonctl init > site.yaml          a commented sample
    leptonctl validate site.yaml        every mistake, with its line
    leptonctl plan site.yaml --diff     what would change
    leptonctl up site.yaml              make it so
    leptonctl status site.yaml          deployed? reachable? in sync?
    leptonctl verify site.yaml          prove it on the hosts
    leptonctl down site.yaml            remove it, and prove that nothing is left
    """


def open_site(site: Path, *, state_dir: Path | None = None, level: str = "normal", output: str = "text") -> Session:
    """Read and check the site file, and choose how progress is said."""
    from leptonctl.session import open_session
    from leptonctl.talk import talk

    return open_session(site, environ=os.environ, state_dir=state_dir, report=talk(level=level, output=output))


def approval(verb: str, *, yes: bool, want: Desired | None = None) -> Callable[[Plan], None]:
    """Give the question that is asked before anything changes; without a terminal nothing is ever asked.

    With `want`, what the locations of the plan cost is shown too.
    """

    def approve(plan: Plan) -> None:
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageProblem(
                f"`leptonctl {verb}` would change the site '{plan.site}' and there is no terminal to ask on",
                hint="pass --yes to go ahead without a question",
            )
        from leptonctl.catalog import estimate
        from leptonctl.render import plan_text
        from leptonctl.talk import settle

        settle()
        click.echo(plan_text(plan, estimate(want, plan) if want is not None else ()), err=True)
        if not click.confirm(f"Go ahead with `{verb}`?", err=True):
            raise Interrupted("stopped before anything was changed")

    return approve


def finish(result: Result, output: str) -> None:
    """Print the result and exit with its code."""
    from leptonctl.render import render
    from leptonctl.talk import settle

    settle()
    render(result, output)
    if result.exit_code:
        raise click.exceptions.Exit(result.exit_code)
