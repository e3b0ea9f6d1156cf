"""Commands that rehearse faults: drill xid, drill end."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads the annotations

import click

from leptonctl.cli.group import cli, finish, open_site
from leptonctl.cli.options import output_option, shared, site_argument, state_option

host_option = click.option("--host", "address", required=True, metavar="ADDRESS", help="The host, as `core/gpu-1`.")


@cli.group(context_settings={"help_option_names": ["-h", "--help"]})
def drill() -> None:
    """Rehearse a fault on one host, and see who reacts.

    \b
    leptonctl drill xid 79 --host core/gpu-1 site.yaml     a GPU that fell off the bus
    leptonctl drill end --host core/gpu-1 site.yaml        take away what a killed drill left
    """


@drill.command()
@click.argument("code", type=click.IntRange(1, 999))
@host_option
@click.option("--really", "is_really", is_flag=True, help="Also on a host that is not of the platform local.")
@shared(site_argument, output_option, state_option)
def xid(code: int, site: Path, *, address: str, is_really: bool, output: str, state_dir: Path | None) -> None:
    """Lay the error CODE of the NVIDIA driver on a host, show what it leads to, and take it away again.

    \b
    1. Judge the host as it is.
    2. Lay the error in a folder of its own on the host, which readers read beside the kernel's log.
    3. Show what readers, policy, gate and rollout make of it.
    4. Take it away, also after Ctrl-C, and judge the host again.

    Nothing is written to the kernel's log, and nothing is reset or drained. While the fault lies there the host does
    not pass, whoever asks. One that was left by a killed drill is named by `leptonctl health`.

    \b
    Example:
      leptonctl drill xid 79 --host core/gpu-1 site.yaml
    """
    from leptonctl import drills

    session = open_site(site, state_dir=state_dir)
    finish(drills.drill_xid(session, code=code, address=address, is_really=is_really), output)


@drill.command()
@host_option
@shared(site_argument, output_option, state_option)
def end(site: Path, *, address: str, output: str, state_dir: Path | None) -> None:
    """Take away the fault of a drill that was killed before it could."""
    from leptonctl import drills

    finish(drills.drill_end(open_site(site, state_dir=state_dir), address=address), output)
