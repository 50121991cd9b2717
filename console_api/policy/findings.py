# SPDX-License-Identifier: Apache-2.0
"""Findings: what is wrong with a policy file, where, and what to do."""

import enum
from dataclasses import dataclass
from pathlib import Path

#: Maximum length of a name or a value of a policy file in a message.
MAX_QUOTED = 80

#: The consequence of a finding that the service refuses.
REFUSED = "The service does not start; a running one keeps its previous rules."


class Level(enum.Enum):
    """How serious a finding is."""

    #: The service refuses the policy files.
    BROKEN = "broken"
    #: The file can be loaded but does not do what it says.
    ERROR = "error"
    #: The file grants more than the defaults, and may not be meant to.
    SECURITY = "security warning"
    #: The file may not do what it is meant to do.
    WARNING = "warning"
    #: No one has to do anything about it.
    NOTE = "note"

    @property
    def label(self) -> str:
        """What people and programs are shown: one word for all errors."""
        return "error" if self is Level.BROKEN else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding.

    ``line`` and ``column`` count from 1 and are None if the finding is about
    the whole file.  ``rule`` is the name of the rule, if it is about one.
    ``message``, ``consequence`` and ``remedy`` are sentences: what is wrong,
    what happens if it stays, and what to do.
    """

    path: Path
    level: Level
    message: str
    consequence: str
    remedy: str
    line: int | None = None
    column: int | None = None
    rule: str | None = None

    def __str__(self) -> str:
        """Return the finding in the form ``file:line: rule: message``.

        This is the form of the log, without the consequence.
        """
        place = str(self.path)
        if self.line is not None:
            place += f":{self.line}"
        if self.rule is not None:
            place += f": {shorten(self.rule)}"
        return f"{place}: {self.message} {self.remedy}"


def shorten(text: str) -> str:
    """Return a name or value for a message: printable, of limited length."""
    text = printable(text)
    if len(text) > MAX_QUOTED:
        text = f"{text[: MAX_QUOTED - 3]}..."
    return text


def printable(text: str) -> str:
    """Return a text without characters that control a terminal."""
    return text if text.isprintable() else ascii(text)[1:-1]


def summarize(findings: list[Finding], limit: int) -> list[str]:
    """Return one line per finding; beyond the limit, only their number.

    A broken file can have thousands of findings.
    """
    lines = [str(finding) for finding in findings[:limit]]
    if len(findings) > limit:
        lines.append(f"There are {len(findings) - limit} more.")
    return lines
