"""The command that publishes the state of edge boxes."""

from __future__ import annotations

from pathlib import Path

import click

from leptonctl.cli.group import cli, finish, open_site
from leptonctl.cli.options import only_option, output_option, shared, site_argument, state_option


@cli.command()
@shared(site_argument, only_option)
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of the private ed25519 key whose public half the boxes know as `edge.signer`.",
)
@shared(output_option, state_option)
def publish(site: Path, *, only: tuple[str, ...], key: Path, output: str, state_dir: Path | None) -> None:
    """Publish the signed state of edge boxes at their regions, for boxes that push does not reach.

    \b
    1. Read and check the site file, and ask the platforms where the hosts are.
    2. Pack for each box what `up` would run there: its roles with their settings, playbooks, Ansible.
    3. Sign it with the key, and put it on the gateway of the box's region. The box itself is not asked.

    The agent on the box looks every `edge.pull_minutes`, refuses what is not signed, is another's or is older than what
    it had, and runs the roles on the box.

    \b
    Examples:
      leptonctl publish site.yaml --key ~/.ssh/publisher
      leptonctl publish site.yaml --only edges/shop --key ~/.ssh/publisher
    """
    from leptonctl import publishing

    finish(publishing.publish(open_site(site, state_dir=state_dir), only=only, key=key), output)
