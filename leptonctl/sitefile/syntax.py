"""What the YAML parser says, in the operator's words."""

from __future__ import annotations

from leptonctl.sitefile.findings import Flaw

# What libyaml reports, and what it nearly always means. What is not here is passed on as it is.
_MEANINGS: dict[str, tuple[str, str | None]] = {
    "mapping values are not allowed in this context": (
        "a colon where no key can be",
        "check the indentation of this line and the one above, and put text with ': ' in quotes",
    ),
    "could not find expected ':'": ("a key without a colon", "write KEY: VALUE, and check the indentation"),
    "did not find expected key": ("this is not indented like the lines above", "line it up with its neighbours"),
    "did not find expected '-' indicator": (
        "this is not indented like the lines above",
        "start each item of the list with '-' in the same column",
    ),
    "block sequence entries are not allowed in this context": (
        "a list item where none can be",
        "start the list on a line of its own, or put text that is only '-' in quotes",
    ),
    "did not find expected ',' or ']'": ("a list that is opened with '[' is not closed", "close it with ']'"),
    "did not find expected ',' or '}'": ("a mapping that is opened with '{' is not closed", "close it with '}'"),
    "did not find expected node content": ("a value is missing", None),
    "did not find expected <document start>": ("text behind the end of the document", "remove it"),
    "found unknown escape character": (
        "an escape that YAML does not have",
        "write \\\\ for a backslash, or use single quotes",
    ),
}
_STARTS = {
    "\t": ("a tab is used for indentation", "indent with spaces"),
    "@": ("a value cannot start with '@'", "put it in quotes"),
    "`": ("a value cannot start with '`'", "put it in quotes"),
    "%": ("a value cannot start with '%'", "put it in quotes"),
}


def syntax_flaw(problem: str, place: tuple[int, int], context: tuple[int, int], lines: list[str]) -> Flaw:
    """The flaw for a parser's report at `place`, met while it read what starts at `context` (line and column from 1).

    `lines` is the text, to see which character it was.
    """
    line, column = place
    if problem == "found unexpected end of stream":
        return Flaw("syntax", "a quote is opened and not closed", "close it", *context)
    if problem == "found character that cannot start any token":
        source = lines[line - 1] if line <= len(lines) else ""
        found = source[column - 1 : column]
        meaning = _STARTS.get(found, (f"'{found}' cannot start a value", "put it in quotes"))
        return Flaw("syntax", *meaning, line, column)
    message, hint = _MEANINGS.get(problem, (f"this is not YAML: {problem}", None))
    if message.endswith("not closed") and "${" in lines[context[0] - 1]:
        # The brace of an unquoted variable ends the mapping around it.
        return Flaw("syntax", "a variable without quotes inside { } or [ ]", 'write "${NAME}"', *context)
    if message.endswith("not closed") or problem == "could not find expected ':'":
        return Flaw("syntax", message, hint, *context)
    # libyaml names the end of the text as the line behind the last one, which nobody can look at.
    while line > 1 and (line > len(lines) or not lines[line - 1].strip()):
        line, column = line - 1, 1
    return Flaw("syntax", message, hint, line, column)
