# SPDX-License-Identifier: Apache-2.0
"""Sessions of consoles that have been deleted or changed.

xvp lets them continue, but each has a process of its own, whose command line
names the server as the viewer or ``xvp.conf`` does.  If two pools have a
server of the same name, it does not show which one is meant: then the change
of one ends the sessions of both.
"""

import logging
import re
from collections.abc import Iterable, Iterator

from console_api.agent.drivers.xvp.processes import Process, Processes

LOG = logging.getLogger(__name__)

# Seconds that sessions may take to end before they are killed.
_GRACE_TIME = 2.0

# The address of the viewer, and the server.
_SESSION = re.compile(r"xvp: proxy: \S+ to (.+)")

# A server and its entry in xvp.conf: pool, name, line.
_Entry = tuple[str, str, str]


class SessionCleaner:
    """Ends the sessions of consoles that xvp does not serve any more."""

    def __init__(self, processes: Processes) -> None:
        """Prepare to end sessions among these processes."""
        self._processes = processes
        # What xvp was serving when its sessions began, if that is known.
        self._text = ""
        self._served: ServedNames | None = None

    def suspend(self, text: str | None = None) -> None:
        """End no sessions while it is not certain what xvp serves.

        :param text: what xvp may have served until now, if that is news
        """
        self._served = None
        if text is not None:
            self._text = text

    async def change(self, text: str) -> None:
        """End the sessions of consoles that are deleted or changed.

        :param text: the ``xvp.conf`` that xvp serves from now on
        """
        self._served = ServedNames(self._text, text)
        await self.clean()
        self._served, self._text = ServedNames(text, text), text

    async def clean(self) -> None:
        """End sessions that have begun since with what xvp served before.

        Their viewers were at the prompt for the password when it changed.
        """
        count = await self._processes.terminate(_GRACE_TIME, self._is_over)
        if count:
            LOG.info(
                "Ended %d sessions of deleted or changed consoles.", count
            )

    def _is_over(self, process: Process) -> bool:
        # What is served may change while processes are being found.
        return self._served is not None and not self._served.covers(
            process.title
        )


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
