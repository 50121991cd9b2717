# SPDX-License-Identifier: Apache-2.0
"""The values of rules in YAML: which are checks, and what others are."""

import yaml

from console_api.policy.findings import shorten

# Maximum number of checks in a file, aliases expanded.
_MAX_CHECKS = 100_000

#: The beginning of the tags of YAML.
TAG = "tag:yaml.org,2002:"
_TEXT = f"{TAG}str"

_CHECK = 'Write a check as text, such as "role:admin", or "!" for no one.'

# What the value of a rule is, if it is not text, by its tag, and the remedy.
_KINDS = {
    f"{TAG}null": (
        "has no value (null)",
        'Write a check, or "!" for no one; remove the line for the default.',
    ),
    f"{TAG}bool": (
        "is a boolean (true or false), not a check",
        'Write "@" for everyone, "!" for no one, or who may, such as '
        '"role:admin".',
    ),
    f"{TAG}int": ("is a number (int), not a check", _CHECK),
    f"{TAG}float": ("is a number, not a check", _CHECK),
    f"{TAG}seq": ("is a list that is not a check", _CHECK),
    f"{TAG}map": (
        "is a mapping, not a check",
        "Write each rule with its full name at the start of a line, and its "
        "check as text.",
    ),
}

#: A check as text, or in oslo.policy's older syntax: a list of alternatives,
#: each a list of checks that all have to pass.
CheckValue = str | list[list[str]]


class NotACheckError(Exception):
    """A node is not a check; the message says what it is."""

    def __init__(self, message: str, remedy: str = _CHECK) -> None:
        """Create the error."""
        super().__init__(message)
        self.remedy = remedy


class Values:
    """Reads the values of rules."""

    def __init__(self, tags: dict[tuple[int, int], str]) -> None:
        """Create a reader of values.

        :param tags: the explicit tags, by position
        """
        self._tags = tags
        self._count = 0

    def read(self, node: yaml.Node) -> CheckValue:
        """Return the check that is the value of a rule.

        :raises NotACheckError: it is something else
        """
        mark = node.start_mark
        tag = self._tags.get((mark.line, mark.column), _TEXT)
        if tag != _TEXT:
            raise NotACheckError(
                f"has the YAML tag {shorten(tag)}, because there are no "
                "quotation marks around the check",
                'Write it in quotation marks, such as "!" for no one.',
            )
        if is_text(node):
            self._add(1)
            text: str = node.value
            return text
        if not _is_list(node):
            raise NotACheckError(*_KINDS.get(node.tag, ("is not text",)))
        return [self._read_alternative(item) for item in _items(node)]

    def _read_alternative(self, node: yaml.Node) -> list[str]:
        nodes = _items(node) if _is_list(node) else [node]
        if not all(map(is_text, nodes)):
            raise NotACheckError("is a list, but not one of checks as text")
        self._add(len(nodes))
        return [item.value for item in nodes]

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > _MAX_CHECKS:
            raise NotACheckError("makes the file too large")


def _items(node: yaml.SequenceNode) -> list[yaml.Node]:
    if not node.value:
        raise NotACheckError("is or contains an empty list")
    items: list[yaml.Node] = node.value
    return items


def is_text(node: yaml.Node) -> bool:
    """Return whether a node is text that is meant as such."""
    # Only quotation marks make an empty text that is meant.
    return (
        isinstance(node, yaml.ScalarNode)
        and node.tag == _TEXT
        and bool(node.value or node.style in {"'", '"'})
    )


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq"
