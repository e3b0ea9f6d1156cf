"""Commands around the site: ssh, inventory, runs, doctor, version, completion."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from leptonctl import __version__
from leptonctl.cli.group import cli, finish, open_site
from leptonctl.cli.options import only_option, output_option, shared, site_argument, state_option
from leptonctl.errors import UsageProblem


@cli.command(context_settings={"ignore_unknown_options": True})
@shared(site_argument, state_option)
@click.argument("address")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(site: Path, address: str, command: tuple[str, ...], state_dir: Path | None) -> None:
    """Log in to a host, or run COMMAND there, with the site's key and the host key checked.

    \b
    Examples:
      leptonctl ssh site.yaml core/control-1
      leptonctl ssh site.yaml edges/shop/box-1 -- systemctl --failed
    """
    from leptonctl import questions

    sys.exit(questions.ssh(open_site(site, state_dir=state_dir), address, command))


@cli.command()
@shared(site_argument, only_option, state_option)
def inventory(site: Path, *, only: tuple[str, ...], state_dir: Path | None) -> None:
    """Print the Ansible inventory (JSON) of the hosts that are there, for your own playbooks."""
    import json

    from leptonctl import workflow

    click.echo(json.dumps(workflow.inventory(open_site(site, state_dir=state_dir), only=only), indent=2))


@cli.command()
@shared(site_argument, output_option, state_option)
def runs(site: Path, output: str, state_dir: Path | None) -> None:
    """List the runs of a site, newest first, with their folders."""
    from leptonctl import workflow

    finish(workflow.runs(open_site(site, state_dir=state_dir)), output)


@cli.command()
@click.option(
    "--install-engine",
    is_flag=True,
    help="First get the Pulumi engine that locations on aws need, into leptonctl's own folder.",
)
@click.argument("site", type=click.Path(path_type=Path), required=False)
@click.argument("address", required=False)
@shared(output_option, state_option)
def doctor(
    site: Path | None, address: str | None, output: str, *, install_engine: bool, state_dir: Path | None
) -> None:
    """Check this machine, or the host ADDRESS of the site SITE.

    This machine: tools, versions, space, and what would stop `up`. Exits with 9 where something would. Without
    internet, --install-engine says which file to put where, and exits with 9.

    A host: what accelerators it has, what is installed for them, what is healthy, and what to do. Reads only. Exits
    with 6 where something is not as it has to be.

    \b
    Examples:
      leptonctl doctor
      leptonctl doctor site.yaml core/gpu-1
    """
    from leptonctl import questions

    if site is not None:
        if address is None:
            raise UsageProblem(
                "which host? `leptonctl doctor SITE ADDRESS`", hint="`leptonctl plan` lists every address"
            )
        from leptonctl import host_doctor

        finish(host_doctor.examine_host(open_site(site, state_dir=state_dir), address), output)
        return
    finish(questions.examine(with_engine=install_engine), output)


@cli.command()
@output_option
def version(output: str) -> None:
    """Print leptonctl's version, and with --output json the versions that it works with."""
    if output == "text":
        click.echo(__version__)
        return
    from leptonctl import questions

    finish(questions.version(), output)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Example:
      leptonctl completion bash > /etc/bash_completion.d/leptonctl
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:  # click.Choice lets only known shells through
        raise UsageProblem(f"no completion for '{shell}'")
    click.echo(found(cli, {}, "leptonctl", "_LEPTONCTL_COMPLETE").source())
