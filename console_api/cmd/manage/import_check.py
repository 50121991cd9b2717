# SPDX-License-Identifier: Apache-2.0
"""Check the servers in a file for ``server import``; report all errors.

JSON Schema is no help here: nearly all of its messages would have to be
replaced to name fields as the file does, ``vnc_port`` or
``endpoints[0].port``, and null counts as absent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from console_api import values
from console_api.cmd.manage.endpoints import (
    ENDPOINT_CHECKS,
    REQUIRED_ENDPOINT_KEYS,
    Row,
    endpoints_by_protocol,
)
from console_api.cmd.manage.import_formats import (
    READERS,
    REQUIRED_SERVER_KEYS,
    Item,
    Malformed,
)
from console_api.db.servers import Server

_Checks = Mapping[str, Callable[[object], str | int]]

_SERVER_CHECKS: _Checks = {
    "uuid": values.uuid,
    "project_id": values.name,
    "name": values.name,
    "instance_name": values.name,
    "compute_host": values.host,
}

# How much of an unknown key a message quotes.
_MAX_QUOTED_KEY = 40


@dataclass(slots=True)
class Servers:
    """Servers to store, and everything that is wrong with their file.

    ``places`` has the line and the place of each UUID, ``problems`` a line
    and a message each.
    """

    servers: list[Server] = field(default_factory=list)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def check(data: bytes, file_format: str) -> Servers:
    """Check the contents of a file, as far as it can be read."""
    result = Servers()
    try:
        for item in READERS[file_format](_decode(data)):
            _add(result, item)
    except Malformed as error:
        result.problems.append((error.line, f"line {error.line}: {error}"))
    return result


def _decode(data: bytes) -> str:
    try:
        # Spreadsheets write a byte order mark at the start of a CSV file.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(line, "is not UTF-8; save the file as UTF-8") from None


def _add(result: Servers, item: Item) -> None:
    checker = _Checker(item)
    server = checker.server()
    uuid = server.get("uuid")
    if isinstance(uuid, str):
        if uuid in result.places:
            _line, place = result.places[uuid]
            checker.problems.append(f"uuid {uuid} is also at {place}")
        else:
            result.places[uuid] = item.line, item.place
    endpoints = list(checker.endpoints())
    if checker.problems:
        result.problems.extend(
            (item.line, f"{item.place}: {problem}")
            for problem in checker.problems
        )
        return
    result.servers.append(
        Server(**server, endpoints=endpoints_by_protocol(endpoints))
    )


class _Checker:
    """Checks one item and collects its problems."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._is_object = isinstance(item.value, dict)
        self._value: Mapping[str, object] = (
            item.value if isinstance(item.value, dict) else {}
        )
        self.problems = list(item.problems)
        if not self.problems and not self._is_object:
            self.problems.append("must be an object")

    def server(self) -> Row:
        if not self._is_object:
            return {}
        server = self._values(
            "", self._value, _SERVER_CHECKS, REQUIRED_SERVER_KEYS, "endpoints"
        )
        if server["instance_name"] is None:
            server["instance_name"] = server["name"]
        return server

    def endpoints(self) -> Iterator[Row]:
        given = self._value.get("endpoints")
        if given is not None and not isinstance(given, list):
            self.problems.append("endpoints must be a list")
            return
        seen = set()
        for prefix, endpoint in zip(
            self._item.prefixes, given or (), strict=True
        ):
            if not isinstance(endpoint, dict):
                self.problems.append(f"{prefix.rstrip('.')} must be an object")
                continue
            checked = self._values(
                prefix, endpoint, ENDPOINT_CHECKS, REQUIRED_ENDPOINT_KEYS
            )
            protocol = checked["protocol"]
            if protocol in seen and protocol is not None:
                self.problems.append(
                    f"{prefix}protocol must not be {protocol} again"
                )
            seen.add(protocol)
            yield checked

    def _values(
        self,
        prefix: str,
        given: Mapping[str, object],
        checks: _Checks,
        required: Iterable[str],
        *others: str,
    ) -> Row:
        """Return the checked values, None for those absent or invalid.

        :param prefix: what the file has before the keys
        :param others: keys that are checked elsewhere
        """
        known = (*checks, *others)
        self.problems.extend(
            f"unknown key {prefix}{key[:_MAX_QUOTED_KEY]!a}; known: "
            f"{', '.join(known)}"
            for key in given
            if key not in known
        )
        self.problems.extend(
            f"{prefix}{key} is missing"
            for key in required
            if given.get(key) is None
        )
        checked = dict.fromkeys(checks)
        for key, check_value in checks.items():
            if given.get(key) is not None:
                try:
                    checked[key] = check_value(given[key])
                except ValueError as error:
                    self.problems.append(f"{prefix}{key} {error}")
        return checked
