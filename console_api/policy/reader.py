# SPDX-License-Identifier: Apache-2.0
"""Read the rules of a policy file, with the line of each.

The nodes of the YAML document are examined instead of the objects that PyYAML
makes of them: those have no lines, hide duplicate names, and turn unquoted
values such as ``off`` into objects for which oslo.policy lets everyone pass.
"""

import codecs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from console_api.policy import scan
from console_api.policy.findings import Finding, Level, shorten

# Maximum number of checks in a file, aliases expanded.
_MAX_CHECKS = 100_000


_TAG = "tag:yaml.org,2002:"
_TEXT = f"{_TAG}str"

_CHECK = 'Write a check as text, such as "role:admin", or "!" for no one.'

# What the value of a rule is, if it is not text, by its tag.
_KINDS = {
    f"{_TAG}null": "has no value (null)",
    f"{_TAG}bool": "is a boolean (true or false), not a check",
    f"{_TAG}int": "is a number (int), not a check",
    f"{_TAG}float": "is a number, not a check",
    f"{_TAG}seq": "is a list that is not a check",
    f"{_TAG}map": "is a mapping, not a check",
}


#: A check as text, or in oslo.policy's older syntax: a list of alternatives,
#: each a list of checks that all have to pass.
CheckValue = str | list[list[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy file."""

    path: Path
    line: int
    column: int
    name: str
    value: CheckValue


@dataclass(frozen=True, slots=True)
class Document:
    """What a policy file contains."""

    path: Path
    rules: list[Rule] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class _NotACheckError(Exception):
    """A node is not a check; the message says what it is."""


def is_blank(data: bytes) -> bool:
    """Return whether a file has no content, not even a comment."""
    return not data.removeprefix(codecs.BOM_UTF8).strip()


def read(path: Path, data: bytes) -> Document:
    """Return the rules of a policy file and what is wrong with it."""
    try:
        # YAML allows a byte order mark.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _broken(
            path,
            "This line is not encoded in UTF-8.",
            "Save the file in the encoding UTF-8.",
            line=data.count(b"\n", 0, error.start) + 1,
        )
    if is_blank(data):
        return Document(
            path,
            findings=[
                Finding(
                    path=path,
                    level=Level.WARNING,
                    message="The policy file is empty.",
                    remedy="Restore its rules, or write a comment into it.",
                )
            ],
        )
    found = scan.Scan()
    try:
        found.run(text)
        node = yaml.compose(text, Loader=scan.LOADER)
    except yaml.YAMLError as error:
        return _syntax_error(path, text, error, found)
    if node is None:
        return Document(path)
    if node.tag != f"{_TAG}map" or not isinstance(node, yaml.MappingNode):
        return _broken(
            path,
            "The file does not consist of rules.",
            'Write one rule per line, as "NAME": "CHECK".',
            line=node.start_mark.line + 1,
        )
    document = Document(path)
    _read_rules(document, node, _Values(found.tags))
    if node.flow_style:
        document.findings.append(
            Finding(
                path=path,
                level=Level.WARNING,
                message="The file is JSON, which is deprecated.",
                remedy="Convert it with oslopolicy-convert-json-to-yaml.",
            )
        )
    return document


class _Values:
    """Reads the values of rules."""

    def __init__(self, tags: dict[tuple[int, int], str]) -> None:
        self._tags = tags
        self._count = 0

    def read(self, node: yaml.Node) -> CheckValue:
        """Return the check that is the value of a rule.

        :raises _NotACheckError: it is something else
        """
        mark = node.start_mark
        tag = self._tags.get((mark.line, mark.column), _TEXT)
        if tag != _TEXT:
            raise _NotACheckError(
                f"has the YAML tag {shorten(tag)}, because there are no "
                "quotation marks around the check"
            )
        if _is_text(node):
            self._add(1)
            text: str = node.value
            return text
        if not _is_list(node):
            raise _NotACheckError(_KINDS.get(node.tag, "is not text"))
        return [self._read_alternative(item) for item in _items(node)]

    def _read_alternative(self, node: yaml.Node) -> list[str]:
        nodes = _items(node) if _is_list(node) else [node]
        if not all(map(_is_text, nodes)):
            raise _NotACheckError("is a list, but not one of checks as text")
        self._add(len(nodes))
        return [item.value for item in nodes]

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > _MAX_CHECKS:
            raise _NotACheckError("makes the file too large")


def _items(node: yaml.SequenceNode) -> list[yaml.Node]:
    if not node.value:
        raise _NotACheckError("is or contains an empty list")
    items: list[yaml.Node] = node.value
    return items


def _is_text(node: yaml.Node) -> bool:
    # Only quotation marks make an empty text that is meant.
    return (
        isinstance(node, yaml.ScalarNode)
        and node.tag == _TEXT
        and bool(node.value or node.style in {"'", '"'})
    )


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq"


def _read_rules(
    document: Document, node: yaml.MappingNode, values: _Values
) -> None:
    lines: dict[str, int] = {}
    for key, value in node.value:
        line, column = scan.position(key.start_mark)
        name = key.value

        def report(
            message: str,
            remedy: str,
            rule: str | None = name,
            line: int = line,
            column: int = column,
        ) -> None:
            document.findings.append(
                Finding(
                    path=document.path,
                    level=Level.BROKEN,
                    line=line,
                    column=column,
                    rule=rule,
                    message=message,
                    remedy=remedy,
                )
            )

        if not _is_text(key):
            report(
                "The name of a rule is not text.",
                "Write it in quotation marks.",
                rule=None,
            )
            continue
        if name in lines:
            report(
                "The rule is defined twice in this file, first in line "
                f"{lines[name]}.",
                "Remove one of the two.",
            )
        lines.setdefault(name, line)
        try:
            check = values.read(value)
        except _NotACheckError as error:
            report(f"The rule {error}.", _CHECK)
        else:
            document.rules.append(
                Rule(document.path, line, column, name, check)
            )


def _syntax_error(
    path: Path, text: str, error: yaml.YAMLError, found: scan.Scan
) -> Document:
    line, column, problem = scan.describe(text, error, found)
    return _broken(
        path,
        f"The file is not valid YAML: {problem:.200}.",
        "Correct this line.",
        line=line,
        column=column,
        rule=found.last_name,
    )


def _broken(path: Path, message: str, remedy: str, **place: Any) -> Document:
    finding = Finding(
        path=path, level=Level.BROKEN, message=message, remedy=remedy, **place
    )
    return Document(path, findings=[finding])
