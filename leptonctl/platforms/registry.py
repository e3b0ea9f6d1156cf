"""Which platform a name in the site file means; each is imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from leptonctl.errors import PreflightFailed

if TYPE_CHECKING:
    from leptonctl.platforms.base import Context, Platform
    from leptonctl.sitefile.model import PlatformName

PLATFORMS: dict[str, str] = {
    "aws": "leptonctl.platforms.aws:AwsPlatform",
    "local": "leptonctl.platforms.local:LocalPlatform",
    "ssh": "leptonctl.platforms.ssh:SshPlatform",
}


def make_platform(name: PlatformName, context: Context) -> Platform:
    """The platform of that name. Raises `PreflightFailed` for one that this version does not have."""
    place = PLATFORMS.get(name)
    if place is None:
        known = ", ".join(PLATFORMS)
        raise PreflightFailed(f"platform '{name}' is not in this version", hint=f"this version has {known}")
    module, _, class_name = place.partition(":")
    return cast("Platform", getattr(import_module(module), class_name)(context))


def remembered(context: Context) -> tuple[PlatformName, ...]:
    """The platforms that may have something of the site that its file no longer names.

    `local` can always be asked by its labels; `aws` where there are states of stacks.
    """
    states = context.state_dir / "pulumi" / ".pulumi" / "stacks" / context.site
    has_states = context.state.bucket is not None or any(states.glob("*.json"))
    return ("local", "aws") if has_states else ("local",)
