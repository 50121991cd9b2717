# SPDX-License-Identifier: Apache-2.0
"""Check what a file for ``server import`` says, and name all that is wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console_api import values
from console_api.cmd.manage.endpoints import (
    ENDPOINT_CHECKS,
    ENDPOINT_KEYS,
    REQUIRED_ENDPOINT_KEYS,
)
from console_api.cmd.manage.import_formats import (
    NEEDED_KEYS,
    READERS,
    SERVER_KEYS,
    Item,
    Malformed,
)

_SERVER_CHECKS: Mapping[str, Callable[[object], str]] = {
    "uuid": values.uuid,
    "project_id": values.name,
    "name": values.name,
    "instance_name": values.name,
    "compute_host": values.host,
}

#: What of an endpoint must be there; null is as good as absent elsewhere.
_NEEDED_ENDPOINT_KEYS = REQUIRED_ENDPOINT_KEYS


@dataclass(slots=True)
class Servers:
    """Rows to store, and all that is wrong with the file they are of."""

    servers: list[dict[str, Any]] = field(default_factory=list)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def check(data: bytes, file_format: str) -> Servers:
    """Check what is in a file, as far as it can be read."""
    result = Servers()
    try:
        for item in READERS[file_format](_decode(data)):
            _add(result, item)
    except Malformed as error:
        result.problems.append((error.line, f"line {error.line}: {error}"))
    return result


def _decode(data: bytes) -> str:
    try:
        # A byte order mark is what spreadsheets begin a CSV file with.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(line, "is not UTF-8; save the file as UTF-8") from None


def _add(result: Servers, item: Item) -> None:
    checker = _Checker(item)
    server = checker.server()
    uuid = server.get("uuid")
    if uuid is not None and uuid in result.places:
        _line, place = result.places[uuid]
        checker.refuse(f"uuid {uuid} is at {place} already")
    elif uuid is not None:
        result.places[uuid] = item.line, item.place
    endpoints = list(checker.endpoints())
    if checker.problems:
        result.problems.extend(
            (item.line, f"{item.place}: {problem}")
            for problem in checker.problems
        )
        return
    result.servers.append(server)
    result.endpoints.extend(
        {"server_id": uuid, **endpoint} for endpoint in endpoints
    )


class _Checker:
    """Checks an item and collects all that is wrong with it."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._is_object = isinstance(item.value, dict)
        self._value = item.value if self._is_object else {}
        self.problems = list(item.problems)
        if not self.problems and not self._is_object:
            self.refuse("must be an object")

    def refuse(self, problem: str) -> None:
        self.problems.append(problem)

    def server(self) -> dict[str, Any]:
        if not self._is_object:
            return {}
        self._keys("", self._value, (*SERVER_KEYS, "endpoints"), NEEDED_KEYS)
        server = self._checked("", self._value, SERVER_KEYS, _SERVER_CHECKS)
        if server["instance_name"] is None:
            server["instance_name"] = server["name"]
        return server

    def endpoints(self) -> Iterator[dict[str, Any]]:
        given = self._value.get("endpoints")
        if given is not None and not isinstance(given, list):
            self.refuse("endpoints must be a list")
            return
        seen = set()
        for prefix, endpoint in zip(
            self._item.prefixes, given or (), strict=True
        ):
            if not isinstance(endpoint, dict):
                self.refuse(f"{prefix.rstrip('.')} must be an object")
                continue
            keys = ENDPOINT_KEYS
            self._keys(prefix, endpoint, keys, _NEEDED_ENDPOINT_KEYS)
            checked = self._checked(prefix, endpoint, keys, ENDPOINT_CHECKS)
            protocol = checked["protocol"]
            if protocol in seen and protocol is not None:
                self.refuse(f"{prefix}protocol is {protocol} once more")
            seen.add(protocol)
            yield checked

    def _keys(
        self,
        prefix: str,
        given: Mapping[str, Any],
        known: Sequence[str],
        needed: Iterable[str],
    ) -> None:
        for key in given:
            if key not in known:
                self.refuse(
                    f"unknown key {prefix}{key[:40]!a}; known: "
                    f"{', '.join(known)}"
                )
        for key in needed:
            if given.get(key) is None:
                self.refuse(f"{prefix}{key} is missing")

    def _checked(
        self,
        prefix: str,
        given: Mapping[str, Any],
        keys: Sequence[str],
        checks: Mapping[str, Callable[[object], Any]],
    ) -> dict[str, Any]:
        """Return the checked values; None for one that is absent or bad."""
        checked = dict.fromkeys(keys)
        for key in keys:
            if given.get(key) is not None:
                try:
                    checked[key] = checks[key](given[key])
                except ValueError as error:
                    self.refuse(f"{prefix}{key} {error}")
        return checked
