# SPDX-License-Identifier: Apache-2.0
"""Scan YAML documents: limit them and locate syntax errors."""

import yaml

# Limits of a document: a policy file of all OpenStack services together has
# some 3,000 rules.
_MAX_EVENTS = 200_000
_MAX_DEPTH = 20

#: The parser of libyaml is faster but not part of every PyYAML.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scan:
    """A first pass over the document, which limits it.

    Composing nodes is recursive.  If the pass fails, ``last_name`` is the name
    of the rule, and ``is_open`` is whether its value, a collection that
    begins at ``value_mark``, is incomplete.  ``tags`` are the positions of
    explicit tags.
    """

    def __init__(self) -> None:
        """Create a scan."""
        self.last_name: str | None = None
        self.is_open = False
        self.value_mark: yaml.Mark | None = None
        self.tags: dict[tuple[int, int], str] = {}

    def run(self, text: str) -> None:
        """Scan the document.

        :raises YAMLError: it is not YAML, or exceeds a limit
        """
        depth = position = 0
        for number, event in enumerate(yaml.parse(text, Loader=LOADER)):
            if isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if isinstance(event, yaml.NodeEvent):
                if depth == 1 and position % 2 == 0:
                    self.last_name = getattr(event, "value", None)
                if depth == 1:
                    position += 1
                    self.value_mark = event.start_mark
                self._note_tag(event)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            self.is_open = depth > 1
            if depth > _MAX_DEPTH or number > _MAX_EVENTS:
                raise yaml.MarkedYAMLError(
                    problem="the nesting is too deep, or the file too large",
                    problem_mark=event.start_mark,
                )
        self.last_name = None

    def _note_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            mark = event.start_mark
            self.tags[mark.line, mark.column] = tag


def describe(
    text: str, error: yaml.YAMLError, scan: Scan
) -> tuple[int, int | None, str]:
    """Return the line and column of an error, and what is wrong there."""
    if not isinstance(error, yaml.MarkedYAMLError):
        # A character that YAML does not allow.
        before = text[: getattr(error, "position", 0)]
        problem = getattr(error, "reason", "it cannot be parsed")
        return before.count("\n") + 1, None, problem
    line, column = position(error.problem_mark)
    if "".join(text.split("\n")[line - 1 : line])[column - 1 :][:1] == "\t":
        return line, column, "a tab is used for indentation"
    problem = " ".join(filter(None, (error.context, error.problem)))
    return *position(_mark(error, scan)), problem


def position(mark: yaml.Mark) -> tuple[int, int]:
    """Return the line and column of a mark, counted from 1."""
    return mark.line + 1, mark.column + 1


def _mark(error: yaml.MarkedYAMLError, scan: Scan) -> yaml.Mark:
    """Return the position of an error.

    Where a list or a quotation begins helps more than where it turns out to be
    incomplete.
    """
    if isinstance(error, yaml.parser.ParserError) and scan.is_open:
        return scan.value_mark
    if isinstance(error, yaml.scanner.ScannerError) and error.context_mark:
        return error.context_mark
    return error.problem_mark
