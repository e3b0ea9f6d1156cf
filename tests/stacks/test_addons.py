"""What is put into a cluster: valid for its version, closed, pinned, and from the registry that the site names."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pulumi_kubernetes", reason="needs the extra leptonctl[aws]")
pytest.importorskip("kubernetes_validate", reason="needs requirements/dev.txt: scripts/setup.sh")

import kubernetes_validate

from leptonctl.planning import aws_tags
from leptonctl.sitefile.kubernetes import KUBERNETES_VERSIONS
from stacks.components.addons import kubeconfig
from tests.stacks.samples import ROOT, ran_of_file, site_files

if TYPE_CHECKING:
    from tests.stacks.samples import Ran

WHOLE = ROOT / "tests/sites/valid/kubernetes.yaml"


def objects(ran: Ran) -> list[dict[str, Any]]:
    return [one.inputs for one in ran.engine.registered if one.type.startswith("kubernetes:")]


def of_kind(ran: Ran, kind: str) -> list[dict[str, Any]]:
    found = [one for one in objects(ran) if one["kind"] == kind]
    assert found, kind
    return found


@cache
def core() -> Ran:
    return ran_of_file(WHOLE)["core"]


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_every_object_is_valid_by_the_published_schemas_of_every_known_version(version: str) -> None:
    assert version in {kubernetes_validate.utils.major_minor(one) for one in kubernetes_validate.utils.all_versions()}
    for one in objects(core()):
        kubernetes_validate.validate(one, version, strict=True)


def test_every_object_of_every_sample_is_valid_in_the_version_of_its_cluster() -> None:
    files = [path for path in site_files() if "addons:" in path.read_text(encoding="utf-8")]
    checked = Counter[str]()
    for path in files:
        for ran in ran_of_file(path).values():
            for one in objects(ran):
                assert ran.args.cluster is not None
                kubernetes_validate.validate(one, ran.args.cluster.version, strict=True)
                checked[path.stem] += 1
    assert set(checked) == {path.stem for path in files}


def test_a_wrong_object_is_not_valid() -> None:
    wrong = {**of_kind(core(), "DaemonSet")[0], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.35", strict=True)


def test_every_namespace_enforces_a_standard_and_is_closed_but_for_name_lookups() -> None:
    found = {one["metadata"]["name"]: one["metadata"]["labels"] for one in of_kind(core(), "Namespace")}
    standard = "pod-security.kubernetes.io/enforce"
    assert {name: labels[standard] for name, labels in found.items()} == {
        "lepton-system": "privileged",
        "serving": "restricted",
        "training": "baseline",
    }
    policies = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"] for one in of_kind(core(), "NetworkPolicy")
    }
    assert set(policies) == {(name, policy) for name in found for policy in ("closed", "names")}
    for (_, name), spec in policies.items():
        assert spec["podSelector"] == {}
        if name == "closed":
            assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        else:
            assert {port["port"] for rule in spec["egress"] for port in rule["ports"]} == {53}
            assert "ingress" not in spec


def test_images_carry_a_version_and_come_from_the_registry_that_the_site_names() -> None:
    mirror = "registry.example.com:5000/mirror_of/makers"
    assert images(core()) == {
        f"{mirror}/nvidia/k8s-device-plugin:v0.17.4",
        f"{mirror}/metrics-server/metrics-server:v0.8.1",
    }
    inside = ran_of_file(WHOLE)["regions/inside"]
    assert images(inside) == {"123456789012.dkr.ecr.eu-west-1.amazonaws.com/metrics-server/metrics-server:v0.8.1"}, (
        "no machine with an accelerator, no device plug-in"
    )


def images(ran: Ran) -> set[str]:
    pods = [one["spec"]["template"]["spec"] for one in objects(ran) if one["kind"] in {"DaemonSet", "Deployment"}]
    return {container["image"] for pod in pods for container in pod["containers"]}


def test_no_container_may_become_more_than_it_is() -> None:
    for one in objects(core()):
        if one["kind"] in {"DaemonSet", "Deployment"}:
            for container in one["spec"]["template"]["spec"]["containers"]:
                assert container["securityContext"]["allowPrivilegeEscalation"] is False
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
                assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_device_plug_in_runs_where_the_accelerators_are_whatever_their_taints() -> None:
    pod = of_kind(core(), "DaemonSet")[0]["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"lepton.site/accelerator": "nvidia"}
    assert pod["tolerations"] == [{"operator": "Exists"}]
    cluster = core().args.cluster
    assert cluster is not None
    marked = {one.name for one in cluster.nodes if one.labels.get("lepton.site/accelerator") == "nvidia"}
    assert marked == {"gpu", "arm-gpu", "free-gpu"}


def test_volumes_that_pods_claim_are_encrypted_and_carry_the_marks_of_data() -> None:
    storage = of_kind(core(), "StorageClass")[0]
    assert storage["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    parameters = dict(storage["parameters"])
    assert (parameters.pop("type"), parameters.pop("encrypted")) == ("gp3", "true")
    marks = dict(value.split("=", 1) for value in parameters.values())
    assert marks[aws_tags.SITE] == "cluster"
    assert marks[aws_tags.LOCATION] == "core"
    assert marks[aws_tags.ROLE] == "volume"


def test_the_kubeconfig_holds_no_secret_and_asks_leptonctl_for_a_token() -> None:
    written = json.loads(kubeconfig(name="a_core", endpoint="https://a", certificate="Q0E=", region="eu-west-1"))
    (user,) = written["users"]
    assert set(user["user"]) == {"exec"}
    assert [user["user"]["exec"]["command"], *user["user"]["exec"]["args"]] == [
        *("leptonctl", "cluster-token", "--cluster", "a_core", "--region", "eu-west-1"),
    ]


def test_another_cluster_under_the_same_name_is_another_cluster() -> None:
    (provider,) = core().engine.providers
    assert provider.inputs["clusterIdentifier"] == "https://cluster-control.example.com"
    assert provider.inputs["upsertExistingObjects"] in {True, "true"}
    assert "deleteUnreachable" not in provider.inputs, "a cluster that does not answer is not a cluster that is gone"
