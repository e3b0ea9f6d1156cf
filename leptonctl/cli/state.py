"""Commands about the states of a site on AWS: state init, show, unlock."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - click reads the annotations

import click

from leptonctl.cli.group import cli, finish, open_site
from leptonctl.cli.options import output_option, shared, site_argument, state_option, yes_option
from leptonctl.errors import Interrupted, UsageProblem


@cli.group(context_settings={"help_option_names": ["-h", "--help"]})
def state() -> None:
    """Make, show and unlock what the engine knows of a site on AWS.

    \b
    leptonctl state init site.yaml          make the bucket that the site file names
    leptonctl state show site.yaml          where the states are, their age, who holds them
    leptonctl state unlock site.yaml core   take away the lock of a run that is gone
    """


@state.command()
@shared(site_argument, output_option, state_option)
def init(site: Path, output: str, state_dir: Path | None) -> None:
    """Make the bucket that `state.url` of the site file names, and say exactly what was done.

    \b
    1. Refuse (exit 7) a bucket of another account, in another region, or open to the public.
    2. Make it where it is not there.
    3. Public access blocked, versions on, encrypted (with `state.kms_key`), TLS only, old versions go after 90 days,
       tagged. Policies, rules and tags of others stay.

    Safe to repeat: what is so already is left alone.
    """
    from leptonctl import states

    finish(states.init(open_site(site, state_dir=state_dir)), output)


@state.command()
@shared(site_argument, output_option, state_option)
def show(site: Path, output: str, state_dir: Path | None) -> None:
    """Show where the states are, and for each stack: age, size, what seals it, locks, unfinished operations, copies.

    Looks only, and needs no engine.
    """
    from leptonctl import states

    finish(states.show(open_site(site, state_dir=state_dir)), output)


@state.command()
@site_argument
@click.argument("location")
@shared(yes_option, output_option, state_option)
def unlock(site: Path, location: str, *, yes: bool, output: str, state_dir: Path | None) -> None:
    """Take away the engine's lock on LOCATION, which a killed run has left.

    Locks of this machine's own dead processes go by themselves at the next `up`. This is for those of other machines:
    be sure that the run is gone, or two will change the same things. What it had begun is found by the next `up`.

    \b
    Example:
      leptonctl state unlock site.yaml regions/west
    """
    from leptonctl import states

    def approve(owners: tuple[str, ...]) -> None:
        if yes:
            return
        question = f"Take away the lock of {'; '.join(owners)}?"
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageProblem(
                f"{location} is locked by {'; '.join(owners)}, and there is no terminal to ask on",
                hint="pass --yes where that process is surely gone",
            )
        if not click.confirm(question, err=True):
            raise Interrupted("stopped before anything was changed")

    finish(states.unlock(open_site(site, state_dir=state_dir), location, approve), output)
