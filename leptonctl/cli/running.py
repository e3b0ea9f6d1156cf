"""Commands that look at the site or change it: plan, up, status, verify, down."""

from __future__ import annotations

from pathlib import Path

import click

from leptonctl.cli.group import approval, cli, finish, open_site
from leptonctl.cli.options import (
    exit_code_option,
    level_option,
    only_option,
    output_option,
    shared,
    site_argument,
    state_option,
    yes_option,
)


@cli.command()
@shared(site_argument, only_option)
@click.option(
    "--diff", "is_compared", is_flag=True, help="Look at platforms and hosts, and show what differs from them."
)
@click.option(
    "--preflight",
    "is_preflight",
    is_flag=True,
    help="Also ask what would stop `up`: credentials, machine types, quotas, permissions.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the plan here, for `up --plan`."
)
@click.option(
    "--delete-data",
    multiple=True,
    metavar="HOST:ROLE",
    help="Also delete the data of this role where it is taken off the host (or 'all'); without it data is kept.",
)
@shared(exit_code_option, output_option, state_option)
def plan(  # noqa: PLR0913 - one argument an option
    site: Path,
    *,
    only: tuple[str, ...],
    is_compared: bool,
    is_preflight: bool,
    out: Path | None,
    delete_data: tuple[str, ...],
    exit_code: bool,
    output: str,
    state_dir: Path | None,
) -> None:
    """Show what the site file asks for, in order; with --diff, what would change.

    \b
    1. Read and check the site file.
    2. With --diff: ask every platform and host what is there. Nothing is changed, anywhere.
    3. With --preflight: ask the platforms what would stop `up`, with numbers. Nothing is changed either.
    4. Print locations, resources, hosts and roles in the order in which `up` takes them, and in which batches.
    5. For locations on AWS, print what is known of their price, power and carbon, and name what is not.

    \b
    Examples:
      leptonctl plan site.yaml
      leptonctl plan site.yaml --diff --exit-code
      leptonctl plan site.yaml --preflight
      leptonctl plan site.yaml --diff --out plan.json && leptonctl up site.yaml --plan plan.json
    """
    from leptonctl import workflow

    session = open_site(site, state_dir=state_dir)
    ask = workflow.PlanRequest(
        only=only,
        is_compared=is_compared,
        is_preflight=is_preflight,
        out=out,
        is_exit_code=exit_code,
        delete_data=frozenset(delete_data),
    )
    finish(workflow.plan(session, ask), output)


@cli.command()
@shared(site_argument, only_option)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Do this plan, or refuse if it is stale.",
)
@click.option("--force", is_flag=True, help="Run every role, also where it is in order.")
@click.option("--roles", metavar="NAMES", help="Only these roles, separated by commas.")
@click.option(
    "--replace", multiple=True, metavar="ADDRESS", help="Allow this host to be made again (its root disk is lost)."
)
@click.option(
    "--delete-data",
    multiple=True,
    metavar="HOST:ROLE",
    help="Also delete the data of this role where it is taken off the host (or 'all'); without it data is kept.",
)
@click.option(
    "--stop-containers",
    multiple=True,
    metavar="ADDRESS",
    help="Allow the containers of this host to be stopped where its container runtime changes.",
)
@shared(yes_option, output_option, level_option, state_option)
def up(  # noqa: PLR0913 - one argument an option
    site: Path,
    *,
    only: tuple[str, ...],
    plan_file: Path | None,
    force: bool,
    roles: str | None,
    replace: tuple[str, ...],
    delete_data: tuple[str, ...],
    stop_containers: tuple[str, ...],
    yes: bool,
    output: str,
    log_level: str,
    state_dir: Path | None,
) -> None:
    """Make the site as its file says, changing only what differs. Safe to repeat and to interrupt.

    \b
    1. Read and check the site file; take the lock of every location.
    2. Look at platforms and hosts; show the plan; ask (unless --yes).
    3. Check tools, space and address ranges before anything is touched.
    4. Make machines, networks and volumes: core, then regions, then edges.
    5. Take off the roles that left the site file, then run those that differ, in the same order and batch by batch;
       stop where too many hosts fail. Data of a role that is taken off is kept unless it is named.
       Judge the accelerators of hosts that declare some; who does not pass has failed, and stays out of service.
    6. Look again and say what is so now.

    \b
    Examples:
      leptonctl up site.yaml
      leptonctl up site.yaml --yes --output json
      leptonctl up site.yaml --only edges/shop
    """
    from leptonctl import workflow

    session = open_site(site, state_dir=state_dir, level=log_level, output=output)
    ask = workflow.UpRequest(
        only=only,
        plan_file=plan_file,
        is_forced=force,
        roles=tuple(name.strip() for name in roles.split(",")) if roles else (),
        replace=frozenset(replace),
        delete_data=frozenset(delete_data),
        stop_containers=frozenset(stop_containers),
        approve=approval("up", yes=yes, want=session.desired),
    )
    finish(workflow.up(session, ask), output)


@cli.command()
@shared(site_argument, only_option, exit_code_option, output_option, state_option)
def status(site: Path, *, only: tuple[str, ...], exit_code: bool, output: str, state_dir: Path | None) -> None:
    """Show for every location and host: deployed? reachable? in sync? and how old each answer is.

    Looks only; changes nothing. On AWS it says of each thing in which of plan, state and cloud it is; properties of
    things are compared by `drift` and `plan --diff`.
    """
    from leptonctl import workflow

    finish(workflow.status(open_site(site, state_dir=state_dir), only=only, is_exit_code=exit_code), output)


@cli.command()
@shared(site_argument, only_option, output_option, state_option)
def verify(site: Path, *, only: tuple[str, ...], output: str, state_dir: Path | None) -> None:
    """Prove on the hosts, read-only, that all is as planned. Exits with 6 where it is not.

    Looks at files, packages, units and users, and tries the services: ports answer, a container starts, every target is
    scraped. Judges accelerators where some are declared.
    """
    from leptonctl import workflow

    finish(workflow.verify(open_site(site, state_dir=state_dir), only=only), output)


@cli.command()
@shared(site_argument)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--level",
    type=click.Choice(["quick", "full", "nccl"]),
    default="quick",
    help="quick reads; full also burns every GPU; nccl runs an all-reduce over each group.",
)
@click.option(
    "--limit", "limit_s", type=click.IntRange(30, 86_400), metavar="SECONDS", help="The most a load may take."
)
@shared(output_option, state_option)
def health(
    site: Path, *, addresses: tuple[str, ...], level: str, limit_s: int | None, output: str, state_dir: Path | None
) -> None:
    """Judge the accelerators of every host that declares some, or of the locations and hosts that are named.

    \b
    1. With --level full or nccl: put a load on GPUs that are not in use, and end it at its limit (full 3600 s, nccl
       900 s) or at Ctrl-C. full: DCGM's diagnostic, or a burn with PyTorch; nccl: nccl-tests' all_reduce_perf.
    2. Read on each host, in one round trip: nvidia-smi, the PCI bus, NVLink, the kernel log, Fabric Manager.
    3. Compare with what the site file declares, and with the policy (`leptonctl explain policy`).
    4. Print the verdict on each host and GPU: healthy, degraded, failed or unknown, with figures and what to do.

    Changes nothing. Exits with 6 where a host does not pass; what could not be read or run never passes.

    \b
    Examples:
      leptonctl health site.yaml
      leptonctl health site.yaml core/gpu-1 --output json
      leptonctl health site.yaml core/gpu-1 --level full --limit 1200
    """
    from leptonctl import checkup
    from leptonctl.health.level import Level

    session = open_site(site, state_dir=state_dir)
    finish(checkup.health(session, only=addresses, level=Level(level), limit_s=limit_s), output)


@cli.command()
@shared(site_argument, only_option)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    envvar="LEPTONCTL_OUTPUT",
    help="How the result is printed; markdown is for a merge request or a job page.",
)
@state_option
def drift(site: Path, *, only: tuple[str, ...], output: str, state_dir: Path | None) -> None:
    """Compare platforms and hosts with the site file. Exits with 6 where anything differs.

    Looks only; made for a timer in CI. `verify` also tries the services.

    \b
    Example:
      leptonctl drift site.yaml --output markdown >> "$GITHUB_STEP_SUMMARY"
    """
    from leptonctl import workflow

    finish(workflow.drift(open_site(site, state_dir=state_dir), only=only), output)


@cli.command()
@shared(site_argument, only_option)
@click.option(
    "--delete-data",
    multiple=True,
    metavar="ADDRESS",
    help="Also delete this store's volumes (LOCATION/STORE), or a role's on hosts that stay (HOST:ROLE), or 'all'.",
)
@shared(yes_option, output_option, level_option, state_option)
def down(  # noqa: PLR0913 - one argument an option
    site: Path,
    *,
    only: tuple[str, ...],
    delete_data: tuple[str, ...],
    yes: bool,
    output: str,
    log_level: str,
    state_dir: Path | None,
) -> None:
    """Remove the site in reverse order, then ask the platform what is left, and prove it.

    Works on a half-made site and without the run folder. Hosts of the platform ssh stay: roles are taken off them, but
    for `base`. Volumes and the data of roles are kept, and listed, unless they are named.

    \b
    Examples:
      leptonctl down site.yaml
      leptonctl down site.yaml --yes --delete-data core/datasets
    """
    from leptonctl import workflow

    session = open_site(site, state_dir=state_dir, level=log_level, output=output)
    finish(
        workflow.down(session, only=only, delete_data=frozenset(delete_data), approve=approval("down", yes=yes)),
        output,
    )
