# SPDX-License-Identifier: Apache-2.0
"""Contract of a driver, which serves the consoles of one console type."""

import abc
from collections.abc import Mapping
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

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Create the driver without serving anything.

        :raises ConfigurationError: an option is invalid
        """

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

    @abc.abstractmethod
    async def close(self) -> None:
        """Stop serving; called once, at the end."""
