"""How quickly 500 AWS resources are planned: `leptonctl plan` against `terraform plan` of as many of the same kinds.

Nothing exists yet, so neither has anything to compare with. `leptonctl plan` asks nobody; `plan --diff`, which also
asks AWS (moto, on loopback) what is there, is measured and shown. Wall time is judged, and peak memory against its own
goal: the largest single process on either side, for terraform its provider. Without terraform the recorded figures of
1,005 resources are the peer, and the site has as many.
"""

import sys
import tempfile
from pathlib import Path

import terraform_peer
from aws_site import REGION, moto, variables, write_site
from harness import Measured, interleaved, tool, verdict

GOAL = 0.20
MEMORY_GOAL = 0.30
RESOURCES = 500


def main() -> int:
    """Measure and judge."""
    with tempfile.TemporaryDirectory() as name, moto() as url:
        folder = Path(name)
        has_peer = terraform_peer.is_installed()
        resources = RESOURCES if has_peer else terraform_peer.RECORDED_RESOURCES
        counts = write_site(folder, resources, with_hosts=True)
        site, state = str(folder / "site.yaml"), str(folder / "state")
        commands = {
            "leptonctl plan": [tool("leptonctl"), "plan", site, "--state-dir", state],
            "leptonctl plan --diff": [tool("leptonctl"), "plan", site, "--diff", "--state-dir", state],
        }
        if has_peer:
            (folder / "peer").mkdir()
            commands["terraform plan"] = terraform_peer.write(folder / "peer", counts, region=REGION, url=url)
        environ = {**variables(url, folder), **terraform_peer.ENVIRONMENT}
        print(f"{counts.total()} resources of {len(counts)} types, none of them made yet:")
        measured = interleaved(commands, env=environ)
    ours = measured["leptonctl plan"]
    peer = measured.get("terraform plan") or _recorded()
    memory_ratio = ours.peak_mib / peer.peak_mib
    shown = measured["leptonctl plan --diff"].wall_s / peer.wall_s
    print(f"with --diff {shown:.2f} of the peer's time (shown, not judged)")
    print(f"memory ratio {memory_ratio:.2f} goal {MEMORY_GOAL:.2f}")
    return verdict(ours.wall_s / peer.wall_s, GOAL) or int(memory_ratio > MEMORY_GOAL)


def _recorded() -> Measured:
    wall_s, peak_mib = terraform_peer.RECORDED_PLAN_S, terraform_peer.RECORDED_PLAN_MIB
    print(f"no terraform here; recorded: {wall_s} s, {peak_mib:.0f} MiB ({terraform_peer.RECORDED_WITH})")
    return Measured(wall_s, wall_s, peak_mib, wall_s, wall_s, 1)


if __name__ == "__main__":
    sys.exit(main())
