"""Commands about the site file itself: init, validate, schema, explain."""

from __future__ import annotations

import os
from pathlib import Path

import click

from leptonctl.cli.group import cli, finish, open_site
from leptonctl.cli.options import output_option, site_argument
from leptonctl.errors import UsageProblem


@cli.command()
@click.option(
    "--template",
    type=click.Choice(["demo", "local", "aws", "bare-metal"]),
    default="demo",
    show_default=True,
    help="Which sample.",
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
def init(template: str, file: Path | None) -> None:
    """Write a commented sample site file to FILE, or to stdout.

    An existing file is never overwritten.

    \b
    Examples:
      leptonctl init site.yaml
      leptonctl init --template bare-metal > site.yaml
    """
    from leptonctl.sitefile.samples import sample

    text = sample(template)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise UsageProblem(
            f"{file} exists and is not overwritten", hint="name another file, or move this one away"
        ) from None
    except OSError as error:
        raise UsageProblem(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {file}; next: leptonctl validate {file}", err=True)


@cli.command()
@site_argument
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    envvar="LEPTONCTL_OUTPUT",
    help="How the result is printed; sarif is for code review tools.",
)
def validate(site: Path, output: str) -> None:
    """Check a site file, offline, and show all its mistakes at once.

    Needs no network, no account, no Pulumi and no Ansible. Exits with 3 where the file is not valid.

    \b
    Examples:
      leptonctl validate site.yaml
      leptonctl validate site.yaml --output sarif > findings.sarif
    """
    from leptonctl import questions

    finish(questions.validate(site, environ=os.environ), output)


@cli.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of the site file, for editors and CI."""
    import json

    from leptonctl.sitefile.schema import site_schema

    click.echo(json.dumps(site_schema(), indent=2))


@cli.command()
@site_argument
@click.argument("address", required=False)
@output_option
def explain(site: Path, address: str | None, output: str) -> None:
    """Show every value that holds for a location or host, and the line that it comes from.

    In place of SITE: `xid` with an error code of the NVIDIA driver tells what is known of it and where the sources
    disagree; `policy` lists the thresholds of the health check, each with its source.

    With the path of a key instead of an address: what the key is, and what changing it does to the running site.

    \b
    Examples:
      leptonctl explain site.yaml edges/shop
      leptonctl explain site.yaml core.nodes.train.machine.type
      leptonctl explain site.yaml edges/shop/box-1 --output json
      leptonctl explain xid 94
      leptonctl explain policy
    """
    if str(site) == "policy":
        from leptonctl import checkup

        finish(checkup.explain_policy(), output)
    elif address is None:
        raise UsageProblem("explain what?", hint="name a location or a host, as `leptonctl explain site.yaml core`")
    elif str(site) == "xid":
        from leptonctl import checkup

        if not address.isdecimal():
            raise UsageProblem(f"'{address}' is not an Xid", hint="it is a number, as in `leptonctl explain xid 94`")
        finish(checkup.explain_xid(int(address)), output)
    else:
        from leptonctl import questions

        finish(questions.explain(open_site(site), address), output)


@cli.command()
@click.argument("site", type=click.Path(path_type=Path, dir_okay=False), required=False)
def permissions(site: Path | None) -> None:
    """Print the AWS policy (JSON) that allows what a site needs; without SITE, what any site may need.

    \b
    Example:
      leptonctl permissions site.yaml > policy.json
    """
    import json

    from leptonctl import questions

    click.echo(json.dumps(questions.permissions(open_site(site) if site is not None else None), indent=2))
