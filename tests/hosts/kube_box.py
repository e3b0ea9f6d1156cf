"""One host that is all of a cluster of FAKE Kubernetes (fake_kubernetes): what its role is told, and its source.

What is shown with it is how the role takes packages, files, units and holds; nothing about kubeadm, kubelet or the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning.derived import roles_by_host
from leptonctl.planning.desired import Desired, DesiredHost, DesiredLocation
from leptonctl.sitefile.model import Machine
from tests.e2e import fake_kubernetes
from tests.hosts.box import ADDRESS, role
from tests.playbooks.fake_vendor import FakePackage

if TYPE_CHECKING:
    from tests.playbooks.fake_vendor import FakeVendor

FIRST, SECOND = "1.31.4", "1.32.2"
AT = "/kubernetes"


def settings(version: str) -> dict[str, Any]:
    """What leptonctl tells the role on the one host of a control plane."""
    own = role("kubernetes", version=version, control_plane=True)
    host = DesiredHost(ADDRESS, "box-1", "box", Machine(), (own,))
    location = DesiredLocation("core", "core", "local", (), None, (host,), ())
    (told,) = roles_by_host(Desired("matrix", "tests", (location,)), {ADDRESS: "127.0.0.1"})[ADDRESS]
    return dict(told.settings)


def changed() -> dict[str, Any]:
    """What the next minor version changes of what the role is told."""
    before, after = settings(FIRST), settings(SECOND)
    return {key: value for key, value in after.items() if value != before[key]}


def publish(vendor: FakeVendor) -> None:
    """Let the fake maker have the packages, one source for each minor version, as the real one does."""
    for version in (FIRST, SECOND):
        at = f"{AT}/v{version.rpartition('.')[0]}/deb"
        found = (FakePackage(name, f"{version}-1.1", files) for name, files in fake_kubernetes.packages(version))
        vendor.publish(at, f"{at}/Release.key", *found)
