"""Settings of the role that closes a host to all but what its site needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leptonctl.sitefile.base import Text
from leptonctl.sitefile.effects import rolling
from leptonctl.sitefile.software.fields import Settings


class Hardening(Settings):
    """SSH, firewall, audit log, kernel settings, and when a host may restart itself for updates."""

    firewall: Annotated[bool, rolling("the firewall is put in force, or taken away, without closing connections")] = (
        True
    )
    """Whether nftables drops all that no role of this site needs."""
    ssh_from: Annotated[
        tuple[Text, ...],
        Field(strict=False),
        rolling("new connections are judged anew; one that would cut off this run is refused"),
    ] = ()
    """Ranges that may come by SSH, as `192.0.2.0/24`; none means from anywhere."""
    operators: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Ranges from which people reach services that are for them, such as Prometheus; none means from nowhere."""
    translated_from: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Ranges that the site's own hosts come from where their addresses are translated on the way (NAT)."""
    audit: bool = True
    """Whether the audit log runs; in a container it is installed and cannot."""
    reboot_at: dict[Text, Text] = Field(default_factory=dict)
    """For each tier the time of day, as `03:30`, at which its hosts may restart for updates; a tier without never."""
