"""How the engine's state grows with the locations: a site of 10 AWS locations is made, then 90 more are added to it.

Each location is a stack with a state of its own, so twice the locations should be twice the state, and adding one
should not cost more when there are many. The exponent of the state's size over the number of locations is judged; how
long each `up` took is shown. Which engine it ran on is printed: the stand-in writes a state of the same shape.
"""

import subprocess
import sys
import tempfile
import time
from math import log
from pathlib import Path

from aws_site import REGION, engine, moto, variables
from harness import tool, verdict

GOAL = 1.10
FEW, MANY = 10, 100


def main() -> int:
    """Make, measure and judge."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.engine.disturbances import RaisedQuotas  # noqa: PLC0415 - found beside the benchmarks
    from tests.engine.proxy import Proxy  # noqa: PLC0415 - the same

    sizes: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as name, moto() as moto_url:
        folder, proxy = Path(name), Proxy(moto_url)
        # An account has room for five VPCs in a region until AWS is asked for more.
        proxy.add(RaisedQuotas(100))
        url = proxy.start()
        print(f"engine: {engine()}")
        for count in (FEW, MANY):
            (folder / "site.yaml").write_text(_site(count))
            began = time.monotonic()
            words = [str(folder / "site.yaml"), "--state-dir", str(folder / "state")]
            subprocess.run(
                [tool("leptonctl"), "up", "--yes", *words], check=True, env=variables(url, folder), capture_output=True
            )
            took = time.monotonic() - began
            stacks = list((folder / "state").rglob("stacks/*/*.json"))
            sizes[count] = sum(path.stat().st_size for path in stacks)
            print(f"{len(stacks)} locations: {sizes[count] / 1024:.0f} KiB of state, made in {took:.0f} s", flush=True)
        proxy.stop()
    return verdict(log(sizes[MANY] / sizes[FEW]) / log(MANY / FEW), GOAL)


def _site(count: int) -> str:
    """A core, a region, and edges without machines: nothing would answer behind their addresses."""
    aws = f"platform: aws, aws: {{region: {REGION}, internet: none}}"
    edges = "".join(
        f"  e{number}: {{{aws}, parent: west, network: {{cidr: 10.66.{number}.0/24}}}}\n" for number in range(count - 2)
    )
    return (
        "site: grow\nowner: ops@example.com\n"
        f"core: {{{aws}, network: {{cidr: 10.64.0.0/24}}}}\n"
        f"regions:\n  west: {{{aws}, network: {{cidr: 10.65.0.0/24}}}}\n"
        f"edges:\n{edges}"
    )


if __name__ == "__main__":
    sys.exit(main())
