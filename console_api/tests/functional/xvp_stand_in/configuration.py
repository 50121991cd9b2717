# SPDX-License-Identifier: Apache-2.0
"""Parser of ``xvp.conf``, which accepts what xvp 1.16 accepts."""

import os
import socket
from pathlib import Path

#: Environment variable: the name of a server that is refused, as if by an
#: unknown rule.
REFUSED_NAME = "XVP_STAND_IN_REFUSED_NAME"


class Fatal(Exception):
    """The configuration is invalid, or a port cannot be opened."""


class Target:
    """A server that a client can request by its name and pool."""

    def __init__(self, pool, name, port, password, hosts):
        self.pool = pool
        self.name = name
        # A server named like a host is taken for its control domain.
        self.screen = (
            f"Control domain on host: {name}" if name in hosts else name
        )
        self.port = port
        self.password = password


class Configuration:
    """The ports in the order of the file, and the servers behind them."""

    def __init__(self, path):
        self.multiplex = None
        self.targets = []
        self._path = path
        self._pools = set()
        self._used = set()
        self._number = 0
        with Path(path).open("rb") as file:
            self._lines = self._read(file)
            self._file()

    def ports(self):
        """Return ports and servers in order; the multiplex port has None."""
        listed = [(t.port, t) for t in self.targets if t.port is not None]
        return [(self.multiplex, None)] * bool(self.multiplex) + listed

    def find(self, text):
        """Return the server that a client names as ``vm`` or ``pool:vm``."""
        for target in self.targets:
            if text in (target.name, f"{target.pool}:{target.name}"):
                return target
        return None

    # One method for each part of the file, in its order.

    def _file(self):
        words = next(self._lines)
        if words and words[0] == "DATABASE":
            words = next(self._lines)
        if words and words[0] == "OTP":
            self._otp(words[1:])
            words = next(self._lines)
        if words and words[0] == "MULTIPLEX":
            self._expect(len(words) == 2)
            self.multiplex = self._port(words[1])
            words = next(self._lines)
        self._expect(words)
        while words:
            words = self._pool(words)

    def _otp(self, words):
        self._expect(words and words[0] in ("DENY", "ALLOW", "REQUIRE"))
        rest = words[1:]
        if rest[:1] == ["IPCHECK"]:
            self._expect(len(rest) > 1 and rest[1] in ("ON", "OFF", "HTTP"))
            rest = rest[2:]
        if rest:
            self._expect(len(rest) == 1 and rest[0].isdigit())
            self._expect(1 <= int(rest[0]) <= 3600)

    def _pool(self, words):
        self._expect(words[0] == "POOL" and len(words) == 2)
        pool = words[1]
        self._expect(pool and len(pool) <= 79 and ":" not in pool)
        self._expect(pool not in self._pools)
        self._pools.add(pool)
        words = self._want("DOMAIN", 2)
        self._expect(len(words[1]) < 80)
        words = self._want("MANAGER", 3)
        self._expect(1 <= len(words[1]) <= 32)
        self._hex(words[2], 32)
        words, hosts = self._hosts()
        names = set()
        while words and words[0] in ("VM", "GROUP"):
            if words[0] == "VM":
                self._vm(words, pool, names, hosts)
            words = next(self._lines)
        self._expect(names)
        return words

    def _hosts(self):
        words = self._want("HOST", None)
        names = set()
        addresses = set()
        while words and words[0] == "HOST":
            self._expect(len(words) in (2, 3))
            if len(words) == 3:
                self._expect(words[1].count(".") == 3)
                try:
                    socket.inet_pton(socket.AF_INET, words[1])
                except OSError:
                    self._expect(False)
                addresses.add(words[1])
            self._expect(words[-1] and len(words[-1]) <= 80)
            self._expect(words[-1] not in names)
            names.add(words[-1])
            words = next(self._lines)
        return words, names | addresses

    def _vm(self, words, pool, names, hosts):
        self._expect(len(words) == 4)
        port = None
        if words[1] != "-":
            port = self._port(words[1])
        else:
            self._expect(self.multiplex)
        name = words[2]
        self._expect(1 <= len(name) <= 80)
        self._expect(name != os.environ.get(REFUSED_NAME))
        if not _is_uuid(name):
            # It does not notice a UUID that is given twice, but this.
            self._expect(name not in names)
            self._expect(name.removeprefix("uuid=") not in names)
        names.add(name)
        password = self._hex(words[3], 16)
        self.targets.append(Target(pool, name, port, password, hosts))

    # Elements of the parts.

    def _want(self, keyword, length):
        words = next(self._lines)
        self._expect(words and words[0] == keyword)
        self._expect(length is None or len(words) == length)
        return words

    def _port(self, word):
        number = word.removeprefix(":")
        self._expect(number.isdigit())
        port = int(number)
        if word.startswith(":"):
            self._expect(port <= 99)
            port += 5900
        self._expect(1024 <= port <= 65535 and port not in self._used)
        self._used.add(port)
        return port

    def _hex(self, word, length):
        self._expect(len(word) == length)
        try:
            return bytes.fromhex(word)
        except ValueError:
            return self._expect(False)

    def _expect(self, condition):
        if not condition:
            raise Fatal(f"{self._path}: Syntax error at line {self._number}")

    def _read(self, file):
        """Yield the words of each line that is not empty, then None."""
        for number, line in enumerate(file, 1):
            self._number = number
            text = line.decode("latin-1").rstrip("\n")
            self._expect(len(text) <= 4095)
            words = list(self._split(text))
            self._expect(len(words) <= 10)
            if words:
                yield words
        while True:
            yield None

    def _split(self, line):
        text = line.partition("#")[0]
        start = 0
        while start < len(text):
            end = start + 1
            if text[start] == '"':
                end = text.find('"', end)
                self._expect(end > 0)
                yield text[start + 1 : end]
                end += 1
            elif text[start] not in " \t":
                while text[end : end + 1] not in ("", " ", "\t"):
                    end += 1
                yield text[start:end]
            start = end


def _is_uuid(name):
    parts = name.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and not (
        set("".join(parts)) - set("0123456789abcdef")
    )
