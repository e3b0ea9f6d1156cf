"""Samples: each is there, named after its file, and teaches by comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from leptonctl.errors import UsageProblem
from leptonctl.sitefile.load import load_text
from leptonctl.sitefile.samples import SAMPLES, sample


def test_every_site_file_in_templates_is_a_sample() -> None:
    templates = Path(__file__).parents[2] / "templates"
    assert {path.stem for path in templates.glob("*.yaml")} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_validates_without_an_environment_and_explains_itself(name: str) -> None:
    text = sample(name)
    assert load_text(text, file=f"{name}.yaml", environ={}).site.site
    assert text.startswith("# ")
    assert text.count("#") > 8


def test_an_unknown_sample_is_a_usage_problem() -> None:
    with pytest.raises(UsageProblem, match=r"^there is no template 'dmo' \(did you mean 'demo'\?\)$"):
        sample("dmo")
