#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on the words that the word list in CONTRIBUTING.rst bans.

Run ``python tools/check_words.py`` in a checkout.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LIST = "CONTRIBUTING.rst"

# The word list, this check, and its tests.
_EXEMPT = {_LIST, "check_words.py", "test_check_words.py"}

# Text that people read: everything but samples of JSON, pictures and pins.
_SUFFIXES = {
    *(".cfg", ".conf", ".in", ".inc", ".ini", ".lua", ".mako", ".py", ".rst"),
    *(".sample", ".service", ".sh", ".toml", ".txt", ".yaml", ".yml"),
}
_FOLDERS = (
    *("api-ref", "benchmarks", "client", "console_api", "devstack", "doc"),
    *("etc", "releasenotes", "tools"),
)

# Names that are not English: the unprivileged user of the system.
_NAMES = re.compile(r"script_user nobody")


def banned(text: str) -> list[str]:
    """Return the phrases in the column "Not" of the word list.

    :param text: the source of CONTRIBUTING.rst
    """
    _, _, section = text.partition("\nWord list\n")
    _, _header, *rows = re.split(r"\n   \* - ", section)
    cells = [row.split("\n     - ")[1].split("\n\n")[0] for row in rows]
    return [
        phrase.strip()
        for cell in cells
        for phrase in " ".join(cell.split()).split(",")
    ]


def find(text: str, phrases: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Find phrases, which may continue on the next line of a comment.

    Parts of values, such as ``token-of-nobody`` and ``"nobody"``, and names in
    capitals do not count.

    :returns: line number and phrase of each occurrence
    """
    # Names keep their length, so that positions stay the same.
    text = _NAMES.sub(lambda name: "-" * len(name.group()), text)
    for phrase in phrases:
        words = r"[\s#\"]+".join(map(re.escape, phrase.split()))
        first = f"[{words[0].upper()}{words[0]}]"
        pattern = rf"(?<![\w:-]){first}{words[1:]}(?![\w-])"
        for found in re.finditer(pattern, text):
            start, end = found.span()
            around = text[start - 1 : start] + text[end : end + 1]
            if around not in {'""', "``"}:
                yield text.count("\n", 0, start) + 1, phrase


def main() -> None:
    """Print the occurrences of banned words; exit with 1 if there are any."""
    phrases = banned((_ROOT / _LIST).read_text())
    paths = [path for name in _FOLDERS for path in (_ROOT / name).rglob("*")]
    failures = [
        f"{path.relative_to(_ROOT)}:{line}: {phrase}"
        for path in sorted([*_ROOT.iterdir(), *paths])
        if path.suffix in _SUFFIXES and path.name not in _EXEMPT
        for line, phrase in find(path.read_text(), phrases)
    ]
    if failures:
        sys.exit(
            "\n".join(failures) + f"\nSee the section Word list of {_LIST}."
        )


if __name__ == "__main__":
    main()
