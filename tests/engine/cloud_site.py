"""A site on AWS whose machines are real hosts, worked on by `leptonctl` as a user runs it: engine, proxy and all."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.e2e.local_site import Answer, Site
from tests.engine.conftest import account_on, engine_on_path
from tests.engine.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.engine.cloud_hosts import CloudHosts


@dataclass
class CloudSite:
    """A site, the hosts behind its cloud, and what the cloud was asked: since `forget`, and in all."""

    site: Site
    hosts: CloudHosts
    proxy: Proxy
    _before: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        """Count calls from nothing, but for `asked_in_all`."""
        self._before += self.proxy.calls
        self.proxy.forget()

    def asked_in_all(self) -> Counter[str]:
        """Every call since the beginning, by action."""
        return self._before + self.proxy.calls

    def created(self, up: Answer) -> dict[str, set[str]]:
        """What an `up` has created, by location: Pulumi's types and names, as its run folder has them."""
        found: dict[str, set[str]] = {}
        events = (self.site.file.parent / up.result["run"] / "events.jsonl").read_text().splitlines()
        for event in map(json.loads, events):
            name, created, _ = event["message"].partition(" created in")
            if created:
                found.setdefault(event["address"], set()).add(name)
        return found


@contextmanager
def cloud_site(hosts: CloudHosts, folder: Path, text: Callable[[Iterator[str]], str]) -> Iterator[CloudSite]:
    """The site of these hosts, in an account of its own. `text` gives the site file from ranges that are free here."""
    name, moto_url = hosts.name, hosts.moto_url
    proxy = Proxy(moto_url)
    hosts.stand_in(proxy)
    file = folder / "site.yaml"
    file.write_text(text(hosts.ranges))
    with pytest.MonkeyPatch.context() as patch:
        account_on(moto_url, patch, folder)
        engine_on_path(patch, folder)
        patch.setenv("AWS_ENDPOINT_URL", proxy.start())
        patch.setattr("moto.ec2.models.elastic_network_interfaces.random_public_ip", hosts.public_address)
        try:
            yield CloudSite(Site(name, file), hosts, proxy)
        finally:
            proxy.stop()
            hosts.remove()
