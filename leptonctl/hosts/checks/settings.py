"""The settings that a check rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.sitefile.software import SETTINGS

if TYPE_CHECKING:
    from leptonctl.planning.desired import Settings
    from leptonctl.sitefile.software import RoleName


def setting(role: RoleName, settings: Settings, key: str) -> Any:  # noqa: ANN401 - as many types as there are settings
    """The value that holds: what was set, else the model's default. Settings were checked when the site was read."""
    return settings[key] if key in settings else SETTINGS[role].model_fields[key].get_default()
