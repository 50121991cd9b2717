# SPDX-License-Identifier: Apache-2.0
"""Parse the guides, for tests that compare the code with them."""

import itertools
import textwrap

from console_api.tests.functional import configuration

_GUIDES = configuration.CHECKOUT / "doc" / "source"


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    source = (_GUIDES / f"{page}.rst").read_text()
    _, *parts = source.split(f".. code-block:: {language}\n\n")
    return [
        textwrap.dedent(
            "\n".join(
                itertools.takewhile(
                    lambda line: line.startswith(" ") or not line,
                    part.splitlines(),
                )
            )
        )
        for part in parts
    ]
