"""How quickly drift is seen over 500 AWS resources: `leptonctl drift` against `terraform plan` of the same kinds.

Both have made as many on a moto of their own, nothing has changed since, and both read every resource from AWS. There
are no machines among them: nothing would answer behind their addresses. Which engine leptonctl ran on is printed: on
the stand-in of the tests the figure says nothing about Pulumi. Wall time is judged.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import terraform_peer
from aws_site import REGION, engine, moto, variables, write_site
from harness import interleaved, tool, verdict

GOAL = 0.50
RESOURCES = 500


def main() -> int:
    """Make both, then measure and judge."""
    with tempfile.TemporaryDirectory() as name, moto() as url, moto() as peer_url:
        folder = Path(name)
        (folder / "peer").mkdir()
        counts = write_site(folder, RESOURCES, with_hosts=False)
        environ = {**variables(url, folder), **terraform_peer.ENVIRONMENT}
        words = [str(folder / "site.yaml"), "--state-dir", str(folder / "state")]
        subprocess.run(
            [tool("leptonctl"), "up", "--yes", *words], check=True, env=environ, capture_output=True, text=True
        )
        commands = {"leptonctl drift": [tool("leptonctl"), "drift", *words]}
        if terraform_peer.is_installed():
            commands["terraform plan"] = terraform_peer.write(folder / "peer", counts, region=REGION, url=peer_url)
            terraform_peer.apply(folder / "peer")
        print(f"{counts.total()} resources of {len(counts)} types, all made; engine: {engine()}")
        measured = interleaved(commands, env=environ)
    peer_s = measured["terraform plan"].wall_s if "terraform plan" in measured else _recorded()
    return verdict(measured["leptonctl drift"].wall_s / peer_s, GOAL)


def _recorded() -> float:
    seconds = terraform_peer.RECORDED_NO_CHANGE_S
    print(f"no terraform here; recorded: {seconds} s for 105 resources ({terraform_peer.RECORDED_WITH})")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
