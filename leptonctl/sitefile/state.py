"""Where the states of a site's stacks are kept, and how the secrets in them are sealed: the `state` section."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from leptonctl.sitefile.base import Frozen, SecretRef, Text
from leptonctl.sitefile.effects import OnEdit, forbidden, no_effect

# Without dots: those break TLS to the bucket's own name.
_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)/?")
KMS_KEY = re.compile(
    r"alias/[A-Za-z0-9/_-]+|(mrk-)?[0-9a-f-]{32,36}"
    r"|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+"
)
ACCOUNT = re.compile(r"[0-9]{12}")


class State(Frozen):
    """Where the states of the stacks are kept, and how the secrets in them are sealed (aws).

    Without it they are files beside the site file, for one operator. In a bucket, made by `leptonctl state init`, a
    team and a pipeline share them.
    """

    on_edit: ClassVar[tuple[OnEdit, ...]] = (
        forbidden(
            "the secrets in the states stay sealed as they were", instead="seal them anew first, see docs/state.md"
        ),
    )

    url: Annotated[
        Text | None, forbidden("the states would not be found", instead="copy them first, see docs/state.md")
    ] = None
    """The bucket, as `s3://BUCKET` or `s3://BUCKET/PREFIX`. Several sites may share one."""
    region: Annotated[Text | None, no_effect("it says where the bucket is")] = None
    """AWS region of the bucket and of the key."""
    account: Annotated[Text | None, no_effect("it is checked at every call")] = None
    """Account that the bucket belongs to, as its number. Default: that of the credentials."""
    passphrase: SecretRef | None = None
    """What the secrets in the states are sealed with. Default for files: one that is made beside them."""
    kms_key: Text | None = None
    """KMS key that the bucket and the secrets in the states are sealed with: its id, `alias/NAME`, or its ARN."""

    @property
    def bucket(self) -> str | None:
        """The bucket's name; None for files."""
        found = _URL.fullmatch(self.url or "")
        return found["bucket"] if found else None

    @property
    def prefix(self) -> str:
        """What every key in the bucket begins with: "" or `PREFIX/`."""
        found = _URL.fullmatch(self.url or "")
        path = found["prefix"].strip("/") if found else ""
        return f"{path}/" if path else ""
