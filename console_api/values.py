# SPDX-License-Identifier: Apache-2.0
"""Valid names, hosts, ports, UUIDs, patterns, protocols and console types.

This is their only definition, for the API, the command line, options, tables
and directories.  Each function takes an untrusted value and returns it as it
is stored.  The message of its ``ValueError`` is the rest of a sentence that
begins with the name of the value: ``name must not be empty``.
"""

import enum
import ipaddress
import json
import re
import unicodedata
import uuid as uuids
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

_T = TypeVar("_T")

#: TCP ports; 0 asks the operating system for a free one.
MIN_PORT = 1
MAX_PORT = 65535

#: Lengths in characters, which are those of the columns.
MAX_NAME_LENGTH = 255
MAX_CONSOLE_TYPE_LENGTH = 32
MAX_PROTOCOL_LENGTH = 16
MAX_PATTERNS_LENGTH = 1024
MAX_REASON_LENGTH = 500
UUID_LENGTH = 36
MAX_ADDRESS_LENGTH = 64
MAX_CLOSE_REASON_LENGTH = 32
# The kind of scope, a colon and a name.
MAX_SCOPE_LENGTH = MAX_NAME_LENGTH + 16

#: The console types of remote consoles by the protocol of their endpoint, as
#: in Nova 34.0.0.
CONSOLE_TYPES_BY_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "vnc": ("novnc", "xvpvnc"),
    "spice": ("spice-html5", "spice-direct"),
    "rdp": ("rdp-html5",),
    "serial": ("serial",),
    "mks": ("webmks",),
}

#: The protocols that a server may have an endpoint for.
PROTOCOLS = tuple(CONSOLE_TYPES_BY_PROTOCOL)

#: The console types of the agent's drivers; third-party drivers may add more.
CONSOLE_HOST_TYPES = ("vnc", "vnc+xvp")


class ConsoleHostState(enum.StrEnum):
    """Whether a console host does its work."""

    #: Its agent sends heartbeats.
    UP = "up"
    #: Its agent sends heartbeats, but reports trouble or serves no console.
    FAILING = "failing"
    #: Its agent has sent no heartbeat for ``[consoles] host_down_time``.
    DOWN = "down"


class ConsoleState(enum.StrEnum):
    """Whether a console is served, as the agent of its host reports."""

    #: Viewers can connect.
    SERVING = "serving"
    #: The agent has not applied the latest change of the console yet.
    PENDING = "pending"
    #: The agent cannot serve it, and retries.
    FAILED = "failed"
    #: The console host is down.
    UNKNOWN = "unknown"


class SessionState(enum.StrEnum):
    """Whether a session through a gateway goes on."""

    #: A viewer is connected.
    OPEN = "open"
    #: A page has exchanged its token, and is about to connect.
    PENDING = "pending"
    #: It has ended, or its gateway sends no heartbeats.
    CLOSED = "closed"


# The Unicode categories that a text must not contain: control characters;
# format characters, which make two names look alike or reorder a line;
# surrogates, which no database stores; line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

# Joiners belong to the spelling of Persian, Devanagari and families of emoji.
# Behind an ASCII character they have no effect.
_JOINER = re.compile("(?<=[^\0-\x7f])[\u200c\u200d]")

_WHITESPACE = re.compile(r"\s")

# What a host has only as part of an address, or of something longer.
_ADDRESS_CHARACTERS = re.compile(r"[][:/@]")

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Five digits hold every port; int() is never handed thousands of them.
_PORT_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")

# How many characters of a wrong value a message quotes.
_MAX_QUOTED = 40


def text(value: object, max_length: int = MAX_NAME_LENGTH) -> str:
    """Return a text that can be stored and shown on one line.

    :param max_length: in characters
    :raises ValueError: it is not a string, is empty or too long, or contains
        control characters, line breaks or invisible characters, except
        joiners of characters outside of ASCII
    """
    if not isinstance(value, str):
        # ValueError for every wrong value: callers report them alike.
        raise ValueError(f"must be a string, not {quoted(value)}")  # noqa: TRY004
    if not value:
        raise ValueError("must not be empty")
    if len(value) > max_length:
        raise ValueError(
            f"must have at most {max_length} characters, not {len(value)}"
        )
    _require_visible(_JOINER.sub("", value))
    return value


def name(value: object) -> str:
    """Return a name, such as that of a server, or the ID of a project.

    :raises ValueError: see ``text``
    """
    return text(value)


def host(value: object) -> str:
    """Return the name or address of a host.

    :raises ValueError: it contains whitespace, or see ``text``
    """
    return _word(value, MAX_NAME_LENGTH)


def endpoint_host(value: object) -> str:
    """Return the host of an endpoint, IPv6 addresses without brackets.

    :raises ValueError: it is neither a host name nor an IP address, or has a
        port, or see ``host``
    """
    word = host(value)
    address = word
    if word.startswith("[") and word.endswith("]"):
        address = word[1:-1]
    try:
        if address != word or _ADDRESS_CHARACTERS.search(word):
            ipaddress.IPv6Address(address)
        # Labels that are empty or too long: socket functions do the same.
        address.encode("idna")
    except ValueError as error:
        raise ValueError(
            "must be a host name or an IP address without a port, not "
            f"{quoted(word)}"
        ) from error
    return address


def pattern(value: object) -> str:
    """Return a shell pattern of compute hosts.

    :raises ValueError: it contains whitespace, which separates stored
        patterns, or see ``text``
    """
    return _word(value, MAX_NAME_LENGTH)


def patterns(given: Iterable[object]) -> tuple[str, ...]:
    """Return shell patterns of compute hosts without duplicates.

    :raises ValueError: there are none, they are too long in total, or see
        ``pattern``
    """
    unique = tuple(dict.fromkeys(map(pattern, given)))
    if not unique:
        raise ValueError("must contain at least one pattern")
    if len(" ".join(unique)) > MAX_PATTERNS_LENGTH:
        raise ValueError(
            f"must have at most {MAX_PATTERNS_LENGTH} characters in total"
        )
    return unique


def console_type(value: object) -> str:
    """Return a console type, which need not be a known one.

    :raises ValueError: it contains whitespace, or see ``text``
    """
    return _word(value, MAX_CONSOLE_TYPE_LENGTH)


def protocol(value: object) -> str:
    """Return the protocol of an endpoint.

    :raises ValueError: it is not one of ``PROTOCOLS``
    """
    if not isinstance(value, str) or value not in PROTOCOLS:
        raise ValueError(
            f"must be one of {', '.join(PROTOCOLS)}, not {quoted(value)}"
        )
    return value


def is_uuid(value: str) -> bool:
    """Return whether a string is a UUID in canonical form, in lowercase."""
    return _UUID.fullmatch(value) is not None


def uuid(value: object) -> str:
    """Return a UUID in canonical form.

    :raises ValueError: it is not a UUID in canonical form
    """
    if not isinstance(value, str) or not is_uuid(value):
        raise ValueError(
            f"must be a UUID such as {uuids.UUID(int=0)}, in lowercase, not "
            f"{quoted(value)}"
        )
    return value


def port(value: object) -> int:
    """Return a TCP port.

    :raises ValueError: it is not an integer from 1 to 65535
    """
    # True and False are integers too.
    if type(value) is not int or not MIN_PORT <= value <= MAX_PORT:
        raise ValueError(
            f"must be a number from {MIN_PORT} to {MAX_PORT}, not "
            f"{quoted(value)}"
        )
    return value


def port_range(value: str) -> range:
    """Return the ports of a range, written ``MIN-MAX``.

    ``oslo_config.types.Range`` accepts a range that begins with the higher
    port, or a single port, and returns one that counts down.

    :raises ValueError: it is not a range of valid ports
    """
    match = _PORT_RANGE.fullmatch(value)
    if match is None:
        raise ValueError(
            f"must be MIN-MAX, such as 5900-5999, not {quoted(value)}"
        )
    first, last = (port(int(number)) for number in match.groups())
    if first > last:
        raise ValueError("must begin with the lower port")
    return range(first, last + 1)


def named(name: str, check: Callable[[object], _T], value: object) -> _T:
    """Return a checked value, with its name in the message of an error.

    :param check: a function of this module
    :raises ValueError: the check failed
    """
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def quoted(value: object) -> str:
    """Return a wrong value for a message, safe to print on a terminal."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    literal = json.dumps(value)
    if len(literal) > _MAX_QUOTED:
        return f"{literal[:_MAX_QUOTED]}..."
    return literal


def _word(value: object, max_length: int) -> str:
    word = text(value, max_length)
    _require_visible(word)
    if _WHITESPACE.search(word):
        raise ValueError("must not contain whitespace")
    return word


def _require_visible(value: str) -> None:
    if not _REFUSED_CATEGORIES.isdisjoint(map(unicodedata.category, value)):
        raise ValueError(
            "must not contain line breaks, tabs, or other control or "
            "invisible characters"
        )
