# SPDX-License-Identifier: Apache-2.0
"""What ``xvp.conf`` says, as data, and its text."""

import re
from dataclasses import dataclass, field

# There are no escapes in quotes, and # starts a comment even there.
_QUOTABLE = re.compile(r"[ !$-~]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A host of a pool, with its IPv4 address if that is written."""

    name: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class VM:
    """A server; ``port`` is None for the multiplex port."""

    port: int | None
    name: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Pool:
    """A pool with its servers."""

    name: str
    domain: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    hosts: list[Host] = field(default_factory=list)
    vms: list[VM] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """What a whole file says."""

    multiplex_port: int | None = None
    pools: list[Pool] = field(default_factory=list)

    @property
    def ports(self) -> frozenset[int]:
        """The ports that xvp opens for it."""
        ports = {vm.port for pool in self.pools for vm in pool.vms}
        ports.add(self.multiplex_port)
        return frozenset(port for port in ports if port is not None)


def quote(word: str) -> str:
    """Return a word as it is written.

    :raises ValueError: there is no way to write it
    """
    if not _QUOTABLE.fullmatch(word):
        raise ValueError(
            "the name has a # or a quotation mark, or characters other than "
            "printable ASCII, which xvp.conf cannot hold"
        )
    return f'"{word}"' if " " in word or not word else word
