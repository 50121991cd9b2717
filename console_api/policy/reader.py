# SPDX-License-Identifier: Apache-2.0
"""Read the rules of a policy file, with the line of each.

The nodes of the YAML document are examined instead of the objects that PyYAML
makes of them: those have no lines, hide duplicate names, and turn unquoted
values such as ``off`` into objects for which oslo.policy lets everyone pass.
"""

import codecs
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from console_api.policy import encoding, scan, syntax
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
    """Return the rules of a policy file and what is wrong with it.

    After an error, the rules that can be read are returned nevertheless.
    """
    text, findings = encoding.decode(path, data)
    document = Document(path, findings=findings)
    if is_blank(data):
        document.findings.append(
            Finding(
                path=path,
                level=Level.WARNING,
                message="The policy file is empty.",
                consequence="All rules have their defaults, also those that "
                "the file may have restricted.",
                remedy="Restore its rules, or write a comment into it.",
            )
        )
    elif text:
        _parse(document, text)
    return document


def _parse(document: Document, text: str) -> None:
    found = scan.Scan()
    try:
        found.run(text)
        node = yaml.compose(text, Loader=scan.LOADER)
    except yaml.YAMLError as error:
        faults, rest = syntax.salvage(text)
        for fault in faults or [syntax.describe(text, error, found)]:
            _report_fault(document, fault)
        if rest:
            _parse(document, rest)
        return
    if node is None:
        return
    if node.tag != f"{TAG}map" or not isinstance(node, yaml.MappingNode):
        _report(
            document,
            "The file does not consist of rules.",
            'Write one rule per line, as "NAME": "CHECK".',
            line=node.start_mark.line + 1,
        )
        return
    _read_rules(document, node, Values(found.tags))
    if node.flow_style:
        document.findings.append(
            Finding(
                path=document.path,
                level=Level.WARNING,
                message="The file is JSON, which is deprecated.",
                consequence="It works because JSON is YAML, but it cannot "
                "contain comments, and other services stop reading it.",
                remedy="Convert it with oslopolicy-convert-json-to-yaml "
                f"--namespace console_api --policy-file {document.path}.",
            )
        )


def _read_rules(
    document: Document, node: yaml.MappingNode, values: Values
) -> None:
    lines: dict[str, int] = {}
    for key, value in node.value:
        line, column = scan.position(key.start_mark)
        if not is_text(key):
            _report(
                document,
                "The name of a rule is not text.",
                "Write it in quotation marks.",
                line=line,
                column=column,
            )
            continue
        name: str = key.value
        if name in lines:
            _report(
                document,
                "The rule is defined twice in this file, first in line "
                f"{lines[name]}.",
                "Remove one of the two.",
                line=line,
                column=column,
                rule=name,
            )
        lines.setdefault(name, line)
        _read_rule(document, name, (line, column), values, value)


def _read_rule(
    document: Document,
    name: str,
    place: tuple[int, int],
    values: Values,
    node: yaml.Node,
) -> None:
    line, column = place
    try:
        check = values.read(node)
    except NotACheckError as error:
        _report(
            document,
            f"The rule {error}.",
            error.remedy,
            line=line,
            column=column,
            rule=name,
        )
        document.unusable.add(name)
        return
    if encoding.REPLACEMENT in f"{name} {check}":
        # The line has a finding.
        document.unusable.add(name)
        return
    document.unusable.discard(name)
    document.rules.append(
        Rule(
            document.path,
            line,
            column,
            name,
            check,
            _text_column(node, line),
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


def _report_fault(document: Document, fault: syntax.Fault) -> None:
    if fault.name is not None:
        document.unusable.add(fault.name)
    _report(
        document,
        f"The file is not valid YAML: {fault.problem:.200}.",
        fault.remedy,
        line=fault.line,
        column=fault.column,
        rule=fault.name,
    )


def _report(
    document: Document,
    message: str,
    remedy: str,
    *,
    line: int,
    column: int | None = None,
    rule: str | None = None,
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
