# SPDX-License-Identifier: Apache-2.0
"""Contract of a driver, which serves the consoles of one console type."""

import abc
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from oslo_config import cfg

from console_api.directory.base import Directory


@dataclass(frozen=True, slots=True)
class Console:
    """A console that its console host has to serve.

    ``compute_host`` is None if the server has not been scheduled to one;
    ``port`` is None on a multiplexed console host.
    """

    id: int
    server_id: str
    instance_name: str
    compute_host: str | None
    port: int | None
    password: str = field(repr=False)


class Driver(abc.ABC):
    """A driver in the namespace ``console_api.agent.drivers``.

    All calls come from one event loop, one after another, and must not block
    it.
    """

    #: The type of the consoles that the driver serves.
    console_type: ClassVar[str]

    #: Whether consoles can be handed over to a successor: another process,
    #: possibly of a new version, with a configuration that it has just read.
    #: A driver that sets this has to implement ``pause``, ``resume``,
    #: ``release`` and ``session_count``.
    can_hand_over: ClassVar[bool] = False

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Create the driver without serving anything.

        A predecessor may still serve the consoles.

        :raises ConfigurationError: an option is invalid
        """

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Prepare to serve; called once, before ``apply``.

        :param sockets: what ``pause`` of the predecessor has returned.  The
            driver owns them.  There are none without a predecessor.
        :raises ConfigurationError: the driver cannot serve
        """
        for inherited in sockets:
            inherited.close()

    @abc.abstractmethod
    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Serve exactly these consoles, and no others.

        Called with all consoles each time they have been read or changed,
        which may be without any change, and periodically while some could
        not be served.  Consoles that are already served as
        they should be are left alone, with their sessions.

        :param consoles: the consoles of this console host by ID, without
            those whose passwords cannot be decrypted
        :returns: why some consoles cannot be served, by ID: a sentence for
            the operator, without a password
        """

    @property
    def trouble(self) -> str | None:
        """Why consoles in general cannot be served well, None if they can.

        A sentence for the operator, such as one on a limit that was reached.
        """
        return None

    async def pause(self) -> Sequence[socket.socket]:
        """Stop accepting viewers, for a successor to start; keep sessions.

        Viewers that connect now wait until ``resume``, or until the successor
        accepts them.  ``apply`` is not called before ``resume`` or
        ``release``.

        :returns: sockets for the successor, at most one for each console; the
            driver keeps them as well
        """
        raise NotImplementedError

    async def resume(self) -> None:
        """Accept viewers again: the successor has failed, and has exited."""
        raise NotImplementedError

    async def release(self) -> None:
        """Leave the consoles to the successor; keep sessions.

        From now on, ``apply`` ends the sessions of consoles that have been
        deleted or changed, and serves no others.
        """
        raise NotImplementedError

    @property
    def session_count(self) -> int:
        """The number of connections that the driver still serves itself."""
        return 0

    @abc.abstractmethod
    async def close(self) -> None:
        """Stop serving; called once, at the end.

        What a predecessor or a successor serves is left alone: the driver may
        not have been started, or may have been released.
        """
