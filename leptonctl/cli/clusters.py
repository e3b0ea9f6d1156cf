"""Commands for clusters: a token for a cluster's API, which Kubernetes clients ask for by themselves."""

from __future__ import annotations

import click

from leptonctl.cli.group import cli


@cli.command("cluster-token")
@click.option("--cluster", required=True, metavar="NAME", help="The cluster's name, as AWS has it.")
@click.option("--region", required=True, help="The AWS region that it is in.")
def cluster_token(cluster: str, region: str) -> None:
    """Print a token for the API of a cluster on AWS, good for 14 minutes.

    It is the credential plug-in that the kubeconfig of leptonctl names, and does for any kubeconfig what
    `aws eks get-token` does. It is signed here, with the credentials that AWS tools find; nothing is sent.

    \b
    Examples:
      leptonctl cluster-token --cluster vision_core --region eu-central-1
    """
    import json

    from leptonctl.platforms.aws_token import cluster_token as made

    click.echo(json.dumps(made(cluster, region).as_credential()))
