"""Samples: each is there, named after its file, and teaches by comments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.hadoop.archive import DIGEST
from leptonctl.errors import UsageProblem
from leptonctl.sitefile.load import load_text
from leptonctl.sitefile.samples import SAMPLES, sample
from leptonctl.sitefile.software import SETTINGS


def test_every_site_file_in_templates_is_a_sample() -> None:
    templates = Path(__file__).parents[2] / "templates"
    assert {path.stem for path in templates.glob("*.yaml")} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_validates_without_an_environment_and_explains_itself(name: str) -> None:
    text = sample(name)
    assert load_text(text, file=f"{name}.yaml", environ={}).site.site
    assert text.startswith("# ")
    assert text.count("#") > 8


def test_the_ai_site_has_three_tiers_and_names_every_role() -> None:
    text = sample("ai-site")
    site = load_text(text, file="ai-site.yaml", environ={}).site
    assert {address.partition("/")[0] for address in site.locations()} == {"core", "regions", "edges"}
    assert [role for role in SETTINGS if not re.search(rf"\b{role}\b", text)] == []
    # What local hosts can have is in use, not only spoken of.
    used = {role for place in site.locations().values() for group in place.nodes.values() for role in group.roles}
    of_accelerators = {"gpu_driver", "gpu_container_toolkit", "gpu_health", "fpga"}
    assert set(SETTINGS) - used == {*of_accelerators, "kubernetes", "hardening"}


def test_the_ai_site_takes_hadoop_by_the_digest_of_the_example_unless_another_is_named() -> None:
    settings = load_text(sample("ai-site"), file="ai-site.yaml", environ={}).site.software.storage_hdfs
    assert settings is not None
    assert settings.archive_digest == DIGEST


def test_an_unknown_sample_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem, match=r"^there is no template 'dmo' \(did you mean 'demo'\?\)$"):
        sample("dmo")
