# SPDX-License-Identifier: Apache-2.0
"""The fields of ``xvp.conf``: what xvp accepts, and how it is written.

A file that xvp refuses ends a running xvp with all its sessions, so nothing
is written that breaks one of these rules.  They were measured on xvp 1.16;
they never accept more than was measured.  Fields of
these lengths keep a line below xvp's limits of 10 words and 4,095 bytes.

Each function returns the field as it is written.  The message of its
``ValueError`` continues a sentence that begins with the name of the field.
"""

import ipaddress
import re

from console_api import values

MAX_POOL_LENGTH = 79
MAX_DOMAIN_LENGTH = 79
MAX_USER_LENGTH = 32
MAX_NAME_LENGTH = 80

#: The ports that xvp listens on.
PORTS = range(1024, values.MAX_PORT + 1)

#: With more dedicated ports xvp accepts viewers, but never answers them.
MAX_PORTS = 1000

# A quoted word has no escapes, and # starts a comment even in quotes.
_WRITABLE = re.compile(r"[ !$-~]*")

_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")

# What XenServer calls the servers that manage its hosts.
_CONTROL_DOMAIN = "control domain on host"


def word(text: str, max_length: int) -> str:
    """Return a word, in quotation marks if it contains spaces.

    :raises ValueError: it is empty or too long, or contains ``#``, a
        quotation mark, or characters other than printable ASCII
    """
    if not text:
        raise ValueError("must not be empty")
    if len(text) > max_length:
        raise ValueError(f"must have at most {max_length} characters")
    if not _WRITABLE.fullmatch(text):
        raise ValueError(
            "must consist of printable ASCII characters other than # and "
            "quotation marks"
        )
    return f'"{text}"' if " " in text else text


def pool(name: str) -> str:
    """Return the name of a pool.

    :raises ValueError: it contains a colon, which separates it from the
        name of a server in what clients send, or see ``word``
    """
    if ":" in name:
        raise ValueError("must not contain a colon")
    return word(name, MAX_POOL_LENGTH)


def server(name: str, *, is_multiplexed: bool) -> str:
    """Return the name of a server.

    :param is_multiplexed: whether clients must send the name
    :raises ValueError: clients cannot send it, or xvp takes it for that of
        the control domain of a host, or see ``word``
    """
    if _ADDRESS.fullmatch(name) or name.casefold().startswith(_CONTROL_DOMAIN):
        raise ValueError("could be taken for a host of its pool")
    if is_multiplexed and ":" in name:
        raise ValueError(
            "must not contain a colon, which clients send between the names "
            "of a pool and a server; a console with a port of its own may "
            "have such a name"
        )
    return word(name, MAX_NAME_LENGTH)


def domain(name: str) -> str:
    """Return the DNS domain of the hosts of a pool, which may be empty.

    :raises ValueError: see ``word``
    """
    return word(name, MAX_DOMAIN_LENGTH) if name else '""'


def host(name: str, address: str | None) -> str:
    """Return the name of a host of a pool, with its address if it has one.

    :param address: an IPv4 address; xvp accepts no other form
    :raises ValueError: it is no IPv4 address, or see ``word``
    """
    if address is None:
        return word(name, MAX_NAME_LENGTH)
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise ValueError(
            f"must have an IPv4 address after the =, not {address[:40]}"
        ) from error
    return f"{address} {word(name, MAX_NAME_LENGTH)}"
