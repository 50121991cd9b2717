# SPDX-License-Identifier: Apache-2.0
"""Syntax errors in YAML: what is wrong, and what can be read nevertheless.

A parser stops at the first error.  In a policy file, each line that is not
indented begins a rule, so rules can be examined one by one.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from console_api.policy import scan

# Limits of what is examined after an error.
_MAX_LENGTH = 512 * 1024
_MAX_FAULTS = 20

# The beginning of a rule; other lines continue it.
_BEGINNING = re.compile(r"^(?=[^\s#\-.{}\[\],&*!|>%@`?])", re.MULTILINE)

_NAME = re.compile(r"([\"'])(?P<quoted>.*?)\1\s*:|(?P<plain>\S+?):(?:\s|$)")

_QUOTE = "Write the check in quotation marks."

# What the messages of parsers mean: a part of the message, what is wrong, and
# the remedy.
_MEANINGS = (
    (
        "cannot start any token",
        'a check that begins with "{}" needs quotation marks',
        _QUOTE,
    ),
    (
        "undefined alias",
        "a text that begins with * needs quotation marks",
        _QUOTE,
    ),
    (
        "flow sequence",
        'a list is not closed: "]" is missing',
        'Add "]", or write the check as one text in quotation marks.',
    ),
    (
        "flow mapping",
        'a mapping is not closed: "}}" is missing',
        'Add "}", or write each rule in a line of its own.',
    ),
    (
        "escape character",
        'there is a backslash ("\\") in double quotation marks',
        "Remove it, or write single quotation marks around the check.",
    ),
    (
        "quoted scalar",
        "a quotation mark is not closed",
        "Add the closing quotation mark.",
    ),
    (
        "mapping values are not allowed",
        'there is another ": ", or a line is indented that begins a rule',
        "Write the check in quotation marks, and each rule at the start of a "
        "line.",
    ),
    (
        "expected a single document",
        'there is more than one document: a line consists of "---"',
        "Remove the line.",
    ),
    (
        "did not find expected node content",
        "a list or mapping is not closed, or begins with a comma",
        "Write the check as one text in quotation marks.",
    ),
    (
        "document start",
        'there is no ": " between name and check, or the indentation differs',
        'Write a rule as "NAME": "CHECK", at the start of a line.',
    ),
    (
        "block mapping",
        "there is something after the check, such as a comma or a second "
        "quotation mark",
        "Remove it. Write quotation marks inside a check twice or not at all.",
    ),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A syntax error, with the name of the rule that contains it."""

    line: int
    column: int | None
    problem: str
    remedy: str
    name: str | None


def describe(text: str, error: yaml.YAMLError, found: scan.Scan) -> Fault:
    """Return where an error of a parser is and what it means.

    :param found: the scan of the text, as far as it got
    """
    line, column, problem = scan.describe(text, error, found)
    # YAML knows more line breaks.
    content = "".join(text.split("\n")[line - 1 : line])
    before, after = content[: (column or 1) - 1], content[(column or 1) - 1 :]
    if "block mapping" in problem and before and before.isspace():
        name = _name(after) or found.last_name
        return Fault(
            line,
            column,
            "this line begins a rule and is indented",
            "Begin each rule at the start of a line.",
            name,
        )
    if after.startswith("\t"):
        remedy = "Replace the tab by spaces."
        return Fault(line, column, problem, remedy, found.last_name)
    for words, meaning, remedy in _MEANINGS:
        if words in problem:
            meant = meaning.format(after[:1])
            name = None if "single document" in words else found.last_name
            return Fault(line, column, meant, remedy, name)
    return Fault(line, column, problem, "Correct this line.", found.last_name)


def salvage(text: str) -> tuple[list[Fault], str]:
    """Return the faults of the rules of a text, and the text without them.

    The lines keep their numbers.  If no rule by itself is faulty, there are no
    faults and no text.
    """
    if len(text) > _MAX_LENGTH:
        return [], ""
    faults: list[Fault] = []
    kept: list[str] = []
    for line, part in _split(text):
        fault = _examine(part)
        if fault is None:
            kept.append(part)
            continue
        faults.append(dataclasses.replace(fault, line=line + fault.line))
        kept.append("\n" * part.count("\n"))
        if len(faults) == _MAX_FAULTS:
            return faults, ""
    return faults, "".join(kept) if faults else ""


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Iterate over the rules: number of lines before, and text."""
    starts = [found.start() for found in _BEGINNING.finditer(text)]
    line = 0
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _examine(part: str) -> Fault | None:
    """Return what is wrong with a rule by itself."""
    found = scan.Scan()
    try:
        found.run(part)
        node = yaml.compose(part, Loader=scan.LOADER)
    except yaml.YAMLError as error:
        if "undefined alias" in str(error):
            # It may be defined by another rule.
            return None
        fault = describe(part, error, found)
        if fault.name is None and fault.line == 1:
            return dataclasses.replace(fault, name=_name(part))
        return fault
    if node is None or isinstance(node, yaml.MappingNode):
        return None
    return Fault(
        1,
        1,
        'there is no ": " between name and check',
        'Write a rule as "NAME": "CHECK".',
        _name(part),
    )


def _name(part: str) -> str | None:
    found = _NAME.match(part)
    return (found["quoted"] or found["plain"]) if found else None
