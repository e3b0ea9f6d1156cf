#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Makes the cluster's pools, file systems, failure domains and settings what the site file says, on its first monitor.

What is wanted is in /etc/leptonctl/ceph.json. Prints `changed: ...` for each thing that it did, and `kept: ...` for
each pool that nobody asks for any more: it goes only where it is named.
With `--check` it changes nothing and prints `as asked`, or what is not.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WANTED = Path("/etc/leptonctl/ceph.json")
SERVES_S = 120
# What Ceph makes for itself.
CEPHS_OWN = {".mgr", "device_health_metrics"}
ROOT = "default"
BUCKETS = {"host": "host", "location": "datacenter"}


class Failed(Exception):
    """Something that could not be done, with what was said."""


def run(*arguments: str) -> str:
    """What the cluster answers to its administrator."""
    argv = ["ceph", "--connect-timeout", "30", *arguments]
    done = subprocess.run(argv, text=True, capture_output=True, check=False, timeout=300)
    if done.returncode != 0:
        last = " ".join((done.stderr or done.stdout).split())[-400:]
        raise Failed(f"ceph {' '.join(arguments[:4])}: exit {done.returncode}: {last or 'it said nothing'}")
    return done.stdout


def read(*arguments: str) -> Any:  # noqa: ANN401 - JSON
    """The same, as data."""
    return json.loads(run(*arguments, "--format", "json"))


class Cluster:
    """What is there, asked once; and every change by name, made or only told."""

    def __init__(self, *, is_told: bool) -> None:
        self.is_told = is_told
        self.changes: list[str] = []
        self.pools = {pool["pool_name"]: pool for pool in read("osd", "pool", "ls", "detail")}
        self.rules = {rule["rule_name"]: rule["rule_id"] for rule in read("osd", "crush", "rule", "dump")}
        self.profiles = set(read("osd", "erasure-code-profile", "ls"))
        self.systems = {system["name"] for system in read("fs", "ls")}
        self.buckets = {node["name"] for node in read("osd", "crush", "dump")["buckets"]}

    def change(self, what: str, *commands: tuple[str, ...]) -> None:
        """Make a change, or only tell it."""
        self.changes.append(what)
        if not self.is_told:
            for command in commands:
                run(*command)
            print(f"changed: {what}")


def set_options(cluster: Cluster, options: dict[str, dict[str, str]]) -> None:
    """Settings that the cluster keeps for its daemons."""
    there = {(one["section"], one["name"]): one["value"] for one in read("config", "dump")}
    for section, values in options.items():
        for name, value in values.items():
            if there.get((section, name)) != value:
                cluster.change(f"{name} of {section} is {value}", ("config", "set", section, name, value))


def switch_modules_on(cluster: Cluster, names: list[str]) -> None:
    """Modules of the manager."""
    there = read("mgr", "module", "ls")
    on = {*there["enabled_modules"], *there["always_on_modules"]}
    for name in names:
        if name not in on:
            cluster.change(f"the module {name} is on", ("mgr", "module", "enable", name))


def make_locations(cluster: Cluster, locations: list[str]) -> None:
    """A failure domain for each location of the cluster."""
    for name in locations:
        if name not in cluster.buckets:
            cluster.change(
                f"{name} is a failure domain",
                ("osd", "crush", "add-bucket", name, "datacenter"),
                ("osd", "crush", "move", name, f"root={ROOT}"),
            )


def rule_of(cluster: Cluster, pool: dict) -> str:
    """The name of the rule that spreads a pool as asked; made where it is not there."""
    name = f"{pool['name']}.{pool['failure_domain']}"
    root = ROOT if pool["failure_domain"] == "location" else pool["place"]
    bucket = BUCKETS[pool["failure_domain"]]
    if pool["erasure"] is None:
        if name not in cluster.rules:
            cluster.change(f"the rule {name}", ("osd", "crush", "rule", "create-replicated", name, root, bucket))
        return name
    if name not in cluster.profiles:
        pieces = (f"k={pool['erasure']['data']}", f"m={pool['erasure']['parity']}")
        spread = (f"crush-root={root}", f"crush-failure-domain={bucket}")
        cluster.change(f"the profile {name}", ("osd", "erasure-code-profile", "set", name, *pieces, *spread))
    if name not in cluster.rules:
        cluster.change(f"the rule {name}", ("osd", "crush", "rule", "create-erasure", name, name))
    return name


def make_pool(cluster: Cluster, pool: dict) -> None:
    """A pool, with how it is spread, its copies, and what it is for."""
    name, rule = pool["name"], rule_of(cluster, pool)
    there = cluster.pools.get(name)
    count = str(pool["placement_groups"] or 32)
    if there is None:
        kind = ("replicated", rule) if pool["erasure"] is None else ("erasure", rule, rule)
        commands = [("osd", "pool", "create", name, count, count, *kind)]
        commands.append(("osd", "pool", "application", "enable", name, pool["application"]))
        if pool["has_overwrites"]:
            commands.append(("osd", "pool", "set", name, "allow_ec_overwrites", "true"))
        cluster.change(f"the pool {name}", *commands)
        there = {}
    values = {"size": None if pool["erasure"] else pool["size"], "min_size": pool["min_size"]}
    for key, value in values.items():
        if value is not None and there.get(key) != value:
            cluster.change(f"{key} of {name} is {value}", ("osd", "pool", "set", name, key, str(value)))
    scaling = "off" if pool["placement_groups"] else "on"
    if there.get("pg_autoscale_mode") != scaling:
        cluster.change(
            f"placement groups of {name}: autoscaler {scaling}",
            ("osd", "pool", "set", name, "pg_autoscale_mode", scaling),
        )
    if pool["placement_groups"] and there.get("pg_num_target", 0) != pool["placement_groups"]:
        cluster.change(f"placement groups of {name} are {count}", ("osd", "pool", "set", name, "pg_num", count))
    if there and there["crush_rule"] != cluster.rules.get(rule):
        cluster.change(f"{name} is spread by {rule}", ("osd", "pool", "set", name, "crush_rule", rule))


def make_system(cluster: Cluster, pool: dict) -> None:
    """A file system on its two pools. The data pool may be in pieces: that is what `--force` is for."""
    name = pool["name"]
    if pool["is_file_system"] and name not in cluster.systems:
        cluster.change(f"the file system {name}", ("fs", "new", name, f"{name}.meta", name, "--force"))


def drop_named(cluster: Cluster, wanted: dict) -> list[str]:
    """Delete the pools that are named and that nobody asks for; the others that nobody asks for are kept and told."""
    asked = {pool["name"] for pool in wanted["pools"]}
    kept = []
    for name in sorted(set(cluster.pools) - asked - CEPHS_OWN):
        store = name.removesuffix(".meta")
        if store in asked:
            continue
        if f"pool {store}" not in wanted["delete"]:
            kept.append(
                f"the pool {name} is not in the site file: kept until 'pool {store}' is named in storage_ceph.delete"
            )
            continue
        commands = [("config", "set", "mon", "mon_allow_pool_delete", "true")]
        if store in cluster.systems:
            commands += [("fs", "fail", store), ("fs", "rm", store, "--yes-i-really-mean-it")]
            cluster.systems.discard(store)
        commands += [("osd", "pool", "rm", name, name, "--yes-i-really-really-mean-it")]
        commands += [("config", "rm", "mon", "mon_allow_pool_delete")]
        cluster.change(f"the pool {name} is deleted, as named", *commands)
    return kept


def ensure(wanted: dict, *, is_told: bool) -> tuple[list[str], list[str]]:
    """What was changed (or, told only, would be), and which pools are kept."""
    cluster = Cluster(is_told=is_told)
    set_options(cluster, wanted["options"])
    switch_modules_on(cluster, ["prometheus"])
    make_locations(cluster, wanted["places"])
    for pool in wanted["pools"]:
        make_pool(cluster, pool)
    for pool in wanted["pools"]:
        make_system(cluster, pool)
    return cluster.changes, drop_named(cluster, wanted)


def wait_for_manager() -> None:
    """Ask until a manager serves: its modules are not known before."""
    end = time.monotonic() + SERVES_S
    while not read("mgr", "dump")["available"]:
        if time.monotonic() > end:
            raise Failed(f"no manager served within {SERVES_S} s")
        time.sleep(1)


if __name__ == "__main__":
    ASKED = json.loads(WANTED.read_text())
    try:
        if sys.argv[1:] == ["--check"]:
            lacking, left = ensure(ASKED, is_told=True)
            print("; ".join([*(f"not there: {one}" for one in lacking), *left]) or "as asked")
        else:
            wait_for_manager()
            for one in ensure(ASKED, is_told=False)[1]:
                print(f"kept: {one}")
    except (Failed, subprocess.TimeoutExpired) as failure:
        sys.exit(str(failure))
