# SPDX-License-Identifier: Apache-2.0
"""Decode policy files, and find what is not UTF-8."""

import codecs
from pathlib import Path

from console_api.policy.findings import REFUSED, Finding, Level

#: Stands for bytes that are not UTF-8.
REPLACEMENT = "\ufffd"

# Maximum number of lines that are reported.
_MAX_LINES = 10

_REMEDY = "Save the file in the encoding UTF-8."


def decode(path: Path, data: bytes) -> tuple[str, list[Finding]]:
    """Return the text of a file, and the findings about its encoding.

    Bytes that are not UTF-8 are replaced by U+FFFD, so that the other lines
    can be read.  The text is empty if nothing can be read.
    """
    if encoding := _wide(data):
        message = f"The file is encoded in {encoding}, not in UTF-8."
        return "", [_broken(path, message, 1)]
    findings = [
        _broken(path, "This line is not encoded in UTF-8.", number)
        for number, line in enumerate(data.split(b"\n"), 1)
        if not _is_utf_8(line)
    ]
    if data.startswith(codecs.BOM_UTF8):
        findings.append(
            Finding(
                path=path,
                level=Level.NOTE,
                message="The file begins with a byte order mark (BOM).",
                consequence="It is ignored here; other programs may not "
                "recognize the first rule.",
                remedy="Save the file in the encoding UTF-8 without BOM.",
            )
        )
    # YAML allows the mark.
    return data.decode("utf-8-sig", errors="replace"), findings[:_MAX_LINES]


def _wide(data: bytes) -> str | None:
    """Return the encoding of text with two or more bytes per character."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    start = data[:100]
    # Text in Latin letters has a zero byte in each character.
    return "UTF-16" if start.count(0) > len(start) // 3 else None


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _broken(path: Path, message: str, line: int) -> Finding:
    return Finding(
        path=path,
        level=Level.BROKEN,
        line=line,
        message=message,
        consequence=REFUSED,
        remedy=_REMEDY,
    )
