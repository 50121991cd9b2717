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
from console_api.policy.findings import REFUSED, Finding, Level
from console_api.policy.values import (
    TAG,
    CheckValue,
    NotACheckError,
    Values,
    is_text,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy file.

    ``value_column`` is where the text of the check begins, in the line of the
    name; None if it is elsewhere.
    """

    path: Path
    line: int
    column: int
    name: str
    value: CheckValue
    value_column: int | None = None

    def column_of(self, part: str) -> int:
        """Return the column of a part of the check, or else of the rule."""
        if part and self.value_column is not None:
            at = str(self.value).find(part)
            if at >= 0:
                return self.value_column + at
        return self.column


@dataclass(frozen=True, slots=True)
class Document:
    """What a policy file contains.

    ``unusable`` are the names of the rules whose values are not checks.
    """

    path: Path
    rules: list[Rule] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


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
                    consequence="All rules have their defaults, also those "
                    "that the file may have restricted.",
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
    if node.tag != f"{TAG}map" or not isinstance(node, yaml.MappingNode):
        return _broken(
            path,
            "The file does not consist of rules.",
            'Write one rule per line, as "NAME": "CHECK".',
            line=node.start_mark.line + 1,
        )
    document = Document(path)
    _read_rules(document, node, Values(found.tags))
    if node.flow_style:
        document.findings.append(
            Finding(
                path=path,
                level=Level.WARNING,
                message="The file is JSON, which is deprecated.",
                consequence="It works because JSON is YAML, but it cannot "
                "contain comments, and other services stop reading it.",
                remedy="Convert it with oslopolicy-convert-json-to-yaml "
                f"--namespace console_api --policy-file {path}.",
            )
        )
    return document


def _read_rules(
    document: Document, node: yaml.MappingNode, values: Values
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
                    consequence=REFUSED,
                    remedy=remedy,
                )
            )

        if not is_text(key):
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
        except NotACheckError as error:
            report(f"The rule {error}.", error.remedy)
            document.unusable.add(name)
        else:
            document.unusable.discard(name)
            document.rules.append(
                Rule(
                    document.path,
                    line,
                    column,
                    name,
                    check,
                    _text_column(value, line),
                )
            )


def _text_column(node: yaml.Node, line: int) -> int | None:
    """Return where a text begins that is in this line as it is read."""
    start, end = node.start_mark, node.end_mark
    if not isinstance(node, yaml.ScalarNode):
        return None
    quotes = 2 if node.style else 0
    if (
        start.line + 1 == end.line + 1 == line
        and end.column - start.column == len(node.value) + quotes
    ):
        return int(start.column) + 1 + quotes // 2
    return None


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
        path=path,
        level=Level.BROKEN,
        message=message,
        consequence=REFUSED,
        remedy=remedy,
        **place,
    )
    return Document(path, findings=[finding])
