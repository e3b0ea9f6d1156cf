"""The tags of a resource, from the location that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leptonctl.planning import aws_tags as tag
from leptonctl.planning.aws_tags import tag_value

if TYPE_CHECKING:
    from leptonctl.planning.aws_types import LocationArgs, ResourceRole


def tags_of(
    location: LocationArgs, role: ResourceRole, name: str, *, address: str | None = None, **more: str
) -> dict[str, str]:
    """What every taggable resource carries. `address` is the site's own for it, by default the location's.

    `more` are `group`, `host`, `store`, `host_key` and `zone` where they hold.
    """
    keys = {"group": tag.GROUP, "host": tag.HOST, "store": tag.STORE, "host_key": tag.HOST_KEY, "zone": tag.ZONE}
    found = {
        tag.NAME: f"{location.site}.{location.location.replace('/', '-')}.{name}",
        tag.SITE: location.site,
        tag.LOCATION: location.location,
        tag.OWNER: tag_value(location.owner),
        tag.MANAGED: "leptonctl",
        tag.ADDRESS: address or location.location,
        tag.ROLE: role,
    }
    return found | {keys[key]: value for key, value in more.items()}
