"""How quickly the command starts: `leptonctl --help` against `ansible --version`, wall time."""

from harness import interleaved, tool, verdict

GOAL = 0.40


def main() -> int:
    """Measure and judge."""
    measured = interleaved(
        {
            "leptonctl --help": [tool("leptonctl"), "--help"],
            "ansible --version": [tool("ansible"), "--version"],
        },
        runs=11,
    )
    return verdict(measured["leptonctl --help"].wall_s / measured["ansible --version"].wall_s, GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
