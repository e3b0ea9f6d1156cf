"""What must hold where the role `base` ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.hosts.checks.kinds import Check, Command, Package, Unit
from leptonctl.hosts.checks.settings import setting

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings

KERNEL_SETTINGS = "/usr/local/lib/leptonctl/kernel_settings"
KERNEL_SETTINGS_FILE = "/etc/sysctl.d/60-leptonctl.conf"


def base(settings: Settings) -> tuple[Check, ...]:
    """Kernel settings are in force, the locale is there, and updates come by themselves where asked for."""
    kernel = Command(
        "kernel settings are in force",
        (KERNEL_SETTINGS, "--check"),
        expect="in order",
        covers=(KERNEL_SETTINGS,),
        is_quick=True,
        rests_on=(KERNEL_SETTINGS, KERNEL_SETTINGS_FILE),
    )
    locale = Command(
        "the locale is there",
        ("locale", "--all-locales"),
        expect=_name_in_the_archive(setting("base", settings, "locale")),
        covers=("locale-gen",),
        is_quick=True,
        rests_on=("package locales",),
    )
    if not setting("base", settings, "security_updates"):
        return (kernel, locale)
    return (
        kernel,
        locale,
        Package("unattended-upgrades"),
        Unit("apt-daily.timer"),
        Unit("apt-daily-upgrade.timer"),
    )


def _name_in_the_archive(locale: str) -> str:
    """The name as `locale --all-locales` prints it: `en_US.UTF-8` is `en_US.utf8` there."""
    language, dot, codeset = locale.partition(".")
    return language + dot + codeset.replace("-", "").lower()
