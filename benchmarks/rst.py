# SPDX-License-Identifier: Apache-2.0
"""Format tables in reStructuredText."""

from collections.abc import Sequence

_GAP = "  "


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table; all columns except the first are numbers."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    rule = _GAP.join("=" * width for width in widths)
    body = [_line(line, widths) for line in lines]
    return "\n".join([rule, body[0], rule, *body[1:], rule])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    # A cell that is empty would join its row to the one above.
    rest = [
        (cell or r"\ ").rjust(width)
        for cell, width in zip(cells[1:], widths[1:], strict=True)
    ]
    return _GAP.join([first, *rest])
