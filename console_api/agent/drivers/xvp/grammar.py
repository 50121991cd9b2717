# SPDX-License-Identifier: Apache-2.0
"""The grammar of ``xvp.conf``: what xvp takes, and what would end it.

A file that xvp refuses ends a running xvp with all its sessions, so each is
parsed here before xvp sees it.  The rules were measured on xvp 1.16.  Where
xvp may be more generous than was measured, this grammar is not.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from console_api.agent.drivers.xvp.model import VM, File, Host, Pool

#: Ports that xvp listens on.
PORTS = range(1024, 65536)

_LINE_BYTES = 4095
_LINE_WORDS = 10
_LINE_CHARACTERS = re.compile(r"[\t -~]*")

# A line of blanks and a comment has none.
_KEYWORD = re.compile(r"[ \t]*([^ \t#]+)")
_WORD = re.compile(r'(?:"([^"]*)"|([^ \t"]+))(?:[ \t]+|$)')

_OTP = re.compile(
    r"(DENY|ALLOW|REQUIRE)( IPCHECK (ON|OFF|HTTP))?( [1-9][0-9]{0,3})?"
)
_OTP_SECONDS = 3600

#: Which keywords may follow which; "" is the beginning of the file.
_NEXT: Mapping[str, frozenset[str]] = {
    "": frozenset({"DATABASE", "OTP", "MULTIPLEX", "POOL"}),
    "DATABASE": frozenset({"OTP", "MULTIPLEX", "POOL"}),
    "OTP": frozenset({"MULTIPLEX", "POOL"}),
    "MULTIPLEX": frozenset({"POOL"}),
    "POOL": frozenset({"DOMAIN"}),
    "DOMAIN": frozenset({"MANAGER"}),
    "MANAGER": frozenset({"HOST"}),
    "HOST": frozenset({"HOST", "VM", "GROUP"}),
    "VM": frozenset({"VM", "GROUP", "POOL"}),
    "GROUP": frozenset({"VM", "GROUP", "POOL"}),
}


class Refusal(NamedTuple):
    """Why xvp would refuse a line, by its number from 1."""

    line: int
    reason: str


class Refused(ValueError):
    """xvp would refuse the file.

    ``refusals`` has every line of a VM that is wrong, up to and with the
    first other one; no reason holds a password.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Show the first of the refusals."""
        super().__init__("line {}: {}".format(*refusals[0]))
        self.refusals = tuple(refusals)


def parse(text: str) -> File:
    """Read the text of a whole file as xvp does.

    :raises Refused: xvp would refuse it
    """
    return _Parser().parse(text)


def split(line: str) -> list[str]:
    """Split a line into its words, without comment and quotes.

    :raises ValueError: xvp cannot be trusted to read it as it is meant
    """
    if len(line.encode()) > _LINE_BYTES:
        raise ValueError(f"it has more than {_LINE_BYTES} bytes")
    text = line.partition("#")[0].strip(" \t")
    if not _LINE_CHARACTERS.fullmatch(text):
        raise ValueError("it has characters other than printable ASCII")
    words, end = [], 0
    for match in _WORD.finditer(text):
        if match.start() != end:
            break
        quoted, plain = match.groups()
        words.append(plain if quoted is None else quoted)
        end = match.end()
    if end != len(text):
        raise ValueError('it has a " that does not enclose a whole word')
    if len(words) > _LINE_WORDS:
        raise ValueError(f"it has more than {_LINE_WORDS} words")
    return words


class _Parser:
    """Reads one file, line by line."""

    def __init__(self) -> None:
        self._file = File()
        self._ports: set[int] = set()
        self._previous = ""
        # Lines of VMs in the pool, right or wrong.
        self._vm_lines = 0
        self._names: set[str] = set()
        self._readers: Mapping[str, Callable[[list[str]], None]] = {
            "DATABASE": self._database,
            "OTP": self._otp,
            "MULTIPLEX": self._multiplex,
            "POOL": self._pool,
            "DOMAIN": self._domain,
            "MANAGER": self._manager,
            "HOST": self._host,
            "VM": self._vm,
            "GROUP": self._group,
        }

    def parse(self, text: str) -> File:
        refusals: list[Refusal] = []
        lines = text.removesuffix("\n").split("\n")
        try:
            for number, line in enumerate(lines, 1):
                try:
                    self._line(line)
                except ValueError as error:
                    refusals.append(Refusal(number, str(error)))
                    # Only after a wrong VM the rest still makes sense.
                    if self._previous != "VM":
                        break
            else:
                self._end_pool()
        except ValueError as error:
            refusals.append(Refusal(len(lines), str(error)))
        if refusals:
            raise Refused(refusals)
        return self._file

    def _line(self, line: str) -> None:
        match = _KEYWORD.match(line)
        if match is None:
            return
        previous, self._previous = self._previous, match[1]
        if self._previous not in _NEXT[previous]:
            self._previous = "?"
            raise ValueError(
                f"{match[1][:20]} cannot be after "
                f"{previous or 'the beginning'}"
            )
        self._vm_lines += self._previous == "VM"
        self._readers[self._previous](split(line)[1:])

    def _database(self, arguments: list[str]) -> None:
        _require(arguments, "DATABASE has no arguments")

    def _otp(self, arguments: list[str]) -> None:
        match = _OTP.fullmatch(" ".join(arguments))
        _require(match, "OTP has wrong arguments")
        if match and match[4]:
            _require(int(match[4]) <= _OTP_SECONDS, "OTP has too many seconds")

    def _multiplex(self, arguments: list[str]) -> None:
        _require(len(arguments) == 1, "MULTIPLEX has not one argument")
        self._file.multiplex_port = self._port(arguments[0])

    def _pool(self, arguments: list[str]) -> None:
        _require(len(arguments) == 1, "POOL has not one argument")
        if self._file.pools:
            self._end_pool()
        name = _name(arguments[0], 79)
        _require(":" not in name, "the name of the pool has a colon")
        _require(
            name not in {pool.name for pool in self._file.pools},
            "another pool has this name",
        )
        self._file.pools.append(Pool(name))
        self._names = set()
        self._vm_lines = 0

    def _domain(self, arguments: list[str]) -> None:
        _require(len(arguments) == 1, "DOMAIN has not one argument")
        _require(len(arguments[0]) < 80, "the domain is too long")
        self._file.pools[-1].domain = arguments[0]

    def _manager(self, arguments: list[str]) -> None:
        _require(len(arguments) == 2, "MANAGER has not two arguments")
        pool = self._file.pools[-1]
        pool.user = _name(arguments[0], 32)
        pool.password = _hex(arguments[1], 32)

    def _host(self, arguments: list[str]) -> None:
        _require(len(arguments) in {1, 2}, "HOST has not one or two arguments")
        *address, name = arguments
        if address:
            # Not all that the C library takes for an address: a dotted quad.
            ipaddress.IPv4Address(address[0])
        hosts = self._file.pools[-1].hosts
        _require(
            name not in {host.name for host in hosts},
            "another host of the pool has this name",
        )
        hosts.append(Host(_name(name, 80), *address))

    def _vm(self, arguments: list[str]) -> None:
        _require(len(arguments) == 3, "VM has not three arguments")
        port, name, password = arguments
        _name(name, 80)
        # xvp would not notice this of a UUID, and serve only one of them.
        _require(
            name not in self._names,
            "another server of the pool has this name",
        )
        _hex(password, 16)
        vm = VM(self._vm_port(port), name, password)
        self._names.add(name)
        self._file.pools[-1].vms.append(vm)

    def _group(self, arguments: list[str]) -> None:
        _require(arguments, "GROUP has no arguments")

    def _vm_port(self, word: str) -> int | None:
        if word != "-":
            return self._port(word)
        _require(self._file.multiplex_port, "there is no multiplex port")
        return None

    def _port(self, word: str) -> int:
        if re.fullmatch(r":[0-9]{1,2}", word):
            port = 5900 + int(word[1:])
        elif re.fullmatch(r"[1-9][0-9]{3,4}", word):
            port = int(word)
        else:
            raise ValueError("the port is not between 1024 and 65535")
        _require(port in PORTS, "the port is not between 1024 and 65535")
        _require(port not in self._ports, f"port {port} is used twice")
        self._ports.add(port)
        return port

    def _end_pool(self) -> None:
        _require(self._file.pools, "there is no pool")
        _require(self._vm_lines, "a pool has no VM")


def _require(condition: object, reason: str) -> None:
    if not condition:
        raise ValueError(reason)


def _name(word: str, length: int) -> str:
    _require(word, "a name is empty")
    _require(len(word) <= length, f"a name has more than {length} characters")
    return word


def _hex(word: str, digits: int) -> str:
    _require(
        re.fullmatch(rf"[0-9a-f]{{{digits}}}", word),
        f"a password has not {digits} hex digits",
    )
    return word
