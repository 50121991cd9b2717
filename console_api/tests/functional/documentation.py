# SPDX-License-Identifier: Apache-2.0
"""Parse the guides, for tests that compare the code with them."""

import itertools
import re

from console_api.tests.functional import configuration

_GUIDES = configuration.CHECKOUT / "doc" / "source"


def text(page: str) -> str:
    """Return the text of a page in one line."""
    return " ".join((_GUIDES / f"{page}.rst").read_text().split())


def table(page: str, title: str) -> list[list[str]]:
    """Return the cells of the first table after a title, without markup.

    :returns: the rows, starting with the header
    """
    source = (_GUIDES / f"{page}.rst").read_text()
    _, _, section = source.partition(f"\n{title}\n{'=' * len(title)}\n")
    _, _, listed = section.partition(".. list-table::\n")
    body = re.split(r"\n(?=\S)", listed)[0]
    _, *rows = re.split(r"\n   \* -", body)
    return [
        [
            " ".join(cell.replace("``", "").split())
            for cell in re.split(r"\n     -", row)
        ]
        for row in rows
    ]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    source = (_GUIDES / f"{page}.rst").read_text()
    _, *parts = source.split(f".. code-block:: {language}\n\n")
    return [
        "\n".join(
            line.strip()
            for line in itertools.takewhile(
                lambda line: line.startswith(" ") or not line,
                part.splitlines(),
            )
        )
        for part in parts
    ]
