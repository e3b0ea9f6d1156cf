#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Puts nftables rules in force so that a wrong one cannot shut anybody out, and tells whether they still are.

    firewall apply RANGES PORTS < RULES   in force for 90 s; RANGES may come by SSH on PORTS (none: from anywhere)
    firewall confirm                      they stay
    firewall rollback                     what was before is in force again
    firewall check FILE                   prints `in order` where the rules of FILE are in force, else what differs

`apply` is refused where the SSH session that it is run by would be cut off. Only the table `inet leptonctl` is changed.
"""

import difflib
import ipaddress
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NFT = "/usr/sbin/nft"
TABLE = ("inet", "leptonctl")
# Gone at a restart, as the rules are that were not confirmed.
BEFORE = Path("/run/leptonctl-firewall.before")
UNIT = "leptonctl-firewall-rollback"
CONFIRM_WITHIN_S = 90
# With which nft says a table that is there but empty, and one that is not.
NOTHING = "table inet leptonctl\ndelete table inet leptonctl\n"


class Refused(Exception):
    """What is in the way."""


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it says."""
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def table_now() -> str:
    """The rules that are in force, as nft writes them; nothing where there is no such table."""
    return run(NFT, "list", "table", *TABLE).stdout


def table_of(rules: str) -> str:
    """The rules as nft writes them, from a network of their own: so both sides are written the same way."""
    done = run("/usr/bin/unshare", "--net", "/usr/bin/python3", __file__, "written", stdin=rules)
    if done.returncode:
        raise Refused(f"nftables does not take these rules: {last_line(done.stderr)}")
    return done.stdout


def written(rules: str) -> int:
    """Load the rules and print them again. Only for a network that nobody uses."""
    done = run(NFT, "--file", "-", stdin=rules)
    sys.stderr.write(done.stderr)
    sys.stdout.write(table_now())
    return done.returncode


def last_line(text: str) -> str:
    """The first line of what nft says: the others show the place."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it said nothing"


def ssh_session() -> tuple[str, int] | None:
    """Where the SSH session comes from that this process belongs to, and the port that it came to."""
    pid = os.getpid()
    while pid > 1:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        for entry in environ:
            if entry.startswith(b"SSH_CONNECTION="):
                source, _, _, port = entry.decode().partition("=")[2].split()
                return source, int(port)
        pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    return None


def refuse_to_cut_off(ranges: list[str], ports: list[int]) -> None:
    """Raise Refused where the session that this runs by could not be opened again."""
    session = ssh_session()
    if session is None:
        return
    source, port = session
    if port not in ports:
        raise Refused(
            f"the firewall would cut off the SSH session that this run comes by: it came to port {port},"
            f" and {', '.join(map(str, ports))} would be open; nothing was changed"
        )
    address = ipaddress.ip_address(source)
    if ranges and not any(address in ipaddress.ip_network(text, strict=False) for text in ranges):
        raise Refused(
            f"the firewall would cut off the SSH session that this run comes by: {source} is not in"
            f" hardening.ssh_from ({', '.join(ranges)}); nothing was changed"
        )


def apply(ranges: list[str], ports: list[int], rules: str) -> str:
    """Put the rules in force for a while; what came of it."""
    refuse_to_cut_off(ranges, ports)
    before = table_now()
    if before == table_of(rules):
        return "in force already"
    if not BEFORE.exists():
        BEFORE.write_text(NOTHING + before, encoding="utf-8")
    run("/usr/bin/systemctl", "stop", f"{UNIT}.timer", f"{UNIT}.service")
    timer = run(
        "/usr/bin/systemd-run",
        f"--unit={UNIT}",
        f"--on-active={CONFIRM_WITHIN_S}",
        "--timer-property=AccuracySec=1s",
        "--collect",
        __file__,
        "rollback",
    )
    if timer.returncode:
        raise Refused(f"without a timer that takes the rules back they are not put in force: {last_line(timer.stderr)}")
    done = run(NFT, "--file", "-", stdin=rules)
    if done.returncode:
        confirm()
        raise Refused(f"nftables cannot be used here: {last_line(done.stderr)}")
    return f"applied: taken back in {CONFIRM_WITHIN_S} s unless confirmed"


def confirm() -> str:
    """Keep what is in force."""
    run("/usr/bin/systemctl", "stop", f"{UNIT}.timer", f"{UNIT}.service")
    is_waiting = BEFORE.exists()
    BEFORE.unlink(missing_ok=True)
    return "kept" if is_waiting else "nothing to confirm"


def rollback() -> str:
    """Put back what was in force before."""
    if not BEFORE.exists():
        return "nothing to take back"
    done = run(NFT, "--file", str(BEFORE))
    if done.returncode:
        raise Refused(f"what was before cannot be put back: {last_line(done.stderr)}")
    BEFORE.unlink()
    return "taken back"


def check(file: Path) -> str:
    """Whether the rules of the file are in force."""
    expected, found = table_of(file.read_text(encoding="utf-8")), table_now()
    if expected == found:
        return "in order"
    raise Refused("; ".join(differences(expected, found)))


def differences(expected: str, found: str) -> Iterator[str]:
    """Each rule that lacks or that is too much."""
    if not found:
        yield "no rule of leptonctl is in force"
        return
    for line in difflib.unified_diff(expected.splitlines(), found.splitlines(), n=0, lineterm=""):
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            yield f"{'too much' if line[0] == '+' else 'missing'}: {line[1:].strip()}"


def main(arguments: list[str]) -> int:
    """Do as asked; the exit status."""
    try:
        match arguments:
            case ["written"]:
                return written(sys.stdin.read())
            case ["apply", ranges, ports]:
                print(apply(listed(ranges), [int(port) for port in listed(ports)], sys.stdin.read()))
            case ["confirm"]:
                print(confirm())
            case ["rollback"]:
                print(rollback())
            case ["check", file]:
                print(check(Path(file)))
            case _:
                sys.exit("usage: firewall apply RANGES PORTS | confirm | rollback | check FILE")
    except (Refused, OSError) as error:
        print(error)
        return 1
    return 0


def listed(text: str) -> list[str]:
    """What stands between commas."""
    return [one for one in text.split(",") if one]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
