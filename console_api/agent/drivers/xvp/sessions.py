# SPDX-License-Identifier: Apache-2.0
"""Sessions of consoles that have been deleted or changed.

xvp lets them continue, but each has a process of its own, whose command line
names the server as the viewer or ``xvp.conf`` does.  If two pools have a
server of the same name, it does not show which one is meant: then the change
of one ends the sessions of both.
"""

import re
from collections.abc import Iterable, Iterator

# The address of the viewer, and the server.
_SESSION = re.compile(r"xvp: proxy: \S+ to (.+)")

# A server and its entry in xvp.conf: pool, name, line.
_Entry = tuple[str, str, str]


class ServedNames:
    """The names of the servers whose sessions may continue."""

    def __init__(self, before: str, after: str) -> None:
        """Compare two versions of ``xvp.conf`` that the agent has written.

        :param before: the one that the sessions may have begun with, or an
            empty string if there was none
        :param after: the one that xvp serves now
        """
        old, new = set(_entries(before)), set(_entries(after))
        self._names = set(_names(new)) - set(_names(old - new))

    def covers(self, title: str) -> bool:
        """Return whether a process of xvp may continue.

        :param title: its command line
        """
        session = _SESSION.fullmatch(title)
        return session is None or session[1] in self._names


def _entries(text: str) -> Iterator[_Entry]:
    pool = ""
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword == "POOL":
            pool = _unquote(rest)
        elif keyword == "VM":
            _port, _, name_and_password = rest.partition(" ")
            name = _unquote(name_and_password.rpartition(" ")[0])
            yield pool, name, line


def _names(entries: Iterable[_Entry]) -> Iterator[str]:
    for pool, name, _ in entries:
        yield name
        yield f"{pool}:{name}"


def _unquote(word: str) -> str:
    return word.removeprefix('"').removesuffix('"')
