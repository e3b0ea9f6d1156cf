"""The passes behind the YAML: variables, shape, rules. Data in, a checked Site out, or all that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from leptonctl.sitefile.environment import Expanded, expand
from leptonctl.sitefile.model import Site
from leptonctl.sitefile.problems import invalid
from leptonctl.sitefile.rules import check
from leptonctl.sitefile.scalars import read_scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from leptonctl.sitefile.findings import Finding, Path
    from leptonctl.sitefile.places import Composed
    from leptonctl.sitefile.source import Source

# Errors that an expanded value may have only because a variable is always text.
_WANTS_SCALAR = frozenset({"int_type", "float_type", "bool_type", "literal_error"})


def checked_site(source: Source, composed: Composed, environ: Mapping[str, str]) -> Site:
    """The site in a file's data. Raises InvalidSite with all problems, those of the YAML too."""
    expanded = expand(composed.data, source.text, environ)
    site, errors = _validated(expanded)
    if site is not None and not composed.flaws and not expanded.findings:
        findings = check(site)
        if not findings:
            return site
    else:
        findings = _findings(errors, composed, expanded, source)
    raise invalid(source, composed.flaws, findings)


def _validated(expanded: Expanded) -> tuple[Site | None, list[ErrorDetails]]:
    """The site or pydantic's errors. A variable's text is read as a number or truth value where one is wanted."""
    try:
        return Site.model_validate(expanded.data), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    from leptonctl.sitefile.locate import locate  # noqa: PLC0415 - only where something is wrong
    from leptonctl.sitefile.shape import value_at  # noqa: PLC0415

    paths = {locate(error).path for error in errors if error["type"] in _WANTS_SCALAR} & expanded.whole
    if not paths:
        return None, errors
    for path in paths:
        container = cast("Any", value_at(expanded.data, path[:-1]))
        container[path[-1]] = read_scalar(container[path[-1]])
    expanded.whole -= paths
    return _validated(expanded)


def _findings(errors: Sequence[ErrorDetails], composed: Composed, expanded: Expanded, source: Source) -> list[Finding]:
    """What is wrong with the variables, the shape, and, in the locations that are clean so far, the rules."""
    from leptonctl.sitefile.partial import partial_site  # noqa: PLC0415 - only where something is wrong
    from leptonctl.sitefile.shape import shape_findings  # noqa: PLC0415

    ruined = composed.ruined | {finding.path for finding in expanded.findings}
    shape = [
        finding
        for finding in shape_findings(errors, expanded, source)
        if not _is_below(finding.path, ruined)
        and not (finding.rule == "missing-key" and finding.path in composed.merged)
    ]
    found = [*expanded.findings, *shape]
    partial = partial_site(expanded.data, {finding.path for finding in found} | ruined | composed.merged)
    if partial is None:
        return found
    return found + [finding for finding in check(partial.site) if partial.is_clean(finding)]


def _is_below(path: Path, above: set[Path]) -> bool:
    return bool(above) and any(path[:length] in above for length in range(len(path) + 1))
