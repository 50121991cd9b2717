# SPDX-License-Identifier: Apache-2.0
"""Read the files of ``server import``: JSON and CSV.

Both are read into the same items, each with the line where it begins.  What
the values mean is checked elsewhere.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console_api.cmd.arguments import number
from console_api.cmd.manage.endpoints import ENDPOINT_KEYS
from console_api.values import PROTOCOLS

#: The values of a server, other than its endpoints.
SERVER_KEYS = (
    "uuid",
    "project_id",
    "name",
    "instance_name",
    "compute_host",
)

#: The values that a server must have.
REQUIRED_SERVER_KEYS = SERVER_KEYS[:3]

#: The columns that a CSV file may have.
COLUMNS = (
    *SERVER_KEYS,
    *(
        f"{protocol}_{key}"
        for protocol in PROTOCOLS
        for key in ENDPOINT_KEYS
        if key != "protocol"
    ),
)

_JSON_SPACE = re.compile(r"[ \t\n\r]*")


class Malformed(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, line: int, problem: str) -> None:
        """Keep the line, counted from 1, and what is wrong with it."""
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class Item:
    """One server of a file.

    ``place`` names its position in messages, ``prefixes`` is what precedes
    the keys of each endpoint in the file, and ``problems`` was found while
    reading.
    """

    line: int
    place: str
    value: object
    prefixes: Sequence[str] = ()
    problems: Sequence[str] = ()


class _Object(dict[str, object]):
    """A JSON object that keeps the keys that occurred more than once."""

    repeated: Sequence[str] = ()


def read_json(text: str) -> Iterator[Item]:
    """Read a list of objects, one at a time.

    :raises Malformed: it is not valid JSON, or not a list
    """
    decoder = json.JSONDecoder(object_pairs_hook=_make_object)
    position = _skip_space(text, 0)
    if text[position : position + 1] != "[":
        raise Malformed(1, "must be a JSON list of objects: [{...}, ...]")
    position = _skip_space(text, position + 1)
    line, counted, index = 1, 0, 0
    while index or text[position : position + 1] != "]":
        line += text.count("\n", counted, position)
        counted = position
        value, position = _decode(decoder, text, position, line)
        yield _json_item(value, line, index)
        index += 1
        position = _skip_space(text, position)
        if text[position : position + 1] != ",":
            break
        position = _skip_space(text, position + 1)
    _check_end(text, position)


def _check_end(text: str, position: int) -> None:
    if text[position : position + 1] != "]":
        problem = "a comma or ] is missing"
    else:
        position = _skip_space(text, position + 1)
        if position == len(text):
            return
        problem = "data follows the list"
    raise Malformed(
        text.count("\n", 0, position) + 1, f"not valid JSON: {problem}"
    )


def _decode(
    decoder: json.JSONDecoder, text: str, position: int, line: int
) -> tuple[object, int]:
    try:
        return decoder.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise Malformed(error.lineno, f"not valid JSON: {error.msg}") from None
    except ValueError:
        # Python does not convert numbers of thousands of digits.
        raise Malformed(line, "contains a number that is too long") from None
    except RecursionError:
        raise Malformed(line, "is nested too deeply") from None


def _json_item(value: object, line: int, index: int) -> Item:
    endpoints = value.get("endpoints") if isinstance(value, dict) else None
    if not isinstance(endpoints, list):
        endpoints = []
    return Item(
        line=line,
        place=f"line {line} (index {index})",
        value=value,
        prefixes=[f"endpoints[{number}]." for number in range(len(endpoints))],
        problems=[
            f"{key[:40]!a} occurs more than once"
            for found in (value, *endpoints)
            if isinstance(found, _Object)
            for key in found.repeated
        ],
    )


def _make_object(pairs: Sequence[tuple[str, object]]) -> _Object:
    result = _Object(pairs)
    if len(result) < len(pairs):
        names = [name for name, _value in pairs]
        result.repeated = sorted({n for n in names if names.count(n) > 1})
    return result


def _skip_space(text: str, position: int) -> int:
    match = _JSON_SPACE.match(text, position)
    return match.end() if match else position


def read_csv(text: str) -> Iterator[Item]:
    """Read rows below a row of column names.

    An empty cell is an absent value.

    :raises Malformed: it is not valid CSV, or has unknown or missing columns
    """
    lines = _csv_lines(text)
    _line, header = next(lines, (1, []))
    _check_header(header)
    for line, cells in lines:
        if len(cells) == len(header):
            row = dict(zip(header, cells, strict=True))
            yield _csv_item(line, {k: v for k, v in row.items() if v})
        else:
            yield Item(
                line=line,
                place=f"line {line}",
                value=None,
                problems=[
                    f"has {len(cells)} cells, but the header has {len(header)}"
                ],
            )


def _csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with the lines they begin on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        # Quoted cells may contain line breaks.
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(line, f"not valid CSV: {error}") from None
        if cells:
            yield line, cells


def _check_header(header: Sequence[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in REQUIRED_SERVER_KEYS if name not in header]
    if not header:
        raise Malformed(1, "is empty; begin with a row of column names")
    if unknown:
        raise Malformed(
            1, f"unknown column {unknown[0]!a}; known: {', '.join(COLUMNS)}"
        )
    if missing:
        raise Malformed(1, f"the column {missing[0]} is missing")
    if len(set(header)) < len(header):
        raise Malformed(1, "a column occurs more than once")


def _csv_item(line: int, row: Mapping[str, str]) -> Item:
    value: dict[str, object] = {
        key: row[key] for key in SERVER_KEYS if key in row
    }
    endpoints = []
    for protocol in PROTOCOLS:
        prefix = f"{protocol}_"
        endpoint = {
            key: number(row[prefix + key])
            if key.endswith("port")
            else row[prefix + key]
            for key in ENDPOINT_KEYS
            if prefix + key in row
        }
        if endpoint:
            endpoints.append({"protocol": protocol, **endpoint})
    return Item(
        line=line,
        place=f"line {line}",
        value={**value, "endpoints": endpoints},
        prefixes=[f"{endpoint['protocol']}_" for endpoint in endpoints],
    )


#: The readers by format, which is also the suffix of a file name.
READERS: Mapping[str, Callable[[str], Iterator[Item]]] = {
    "csv": read_csv,
    "json": read_json,
}
