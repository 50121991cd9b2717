# SPDX-License-Identifier: Apache-2.0
"""The contract of a driver, which makes the consoles of one console type."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from oslo_config import cfg

from console_api.directory.base import Directory


@dataclass(frozen=True, slots=True)
class Console:
    """A console that its console host has to make.

    ``compute_host`` is where its server is, None if that is not known;
    ``port`` is None on a multiplexed console host.
    """

    id: int
    server_id: str
    instance_name: str
    compute_host: str | None
    port: int | None
    password: str = field(repr=False)


class Driver(abc.ABC):
    """What a driver in the namespace ``console_api.agent.drivers`` offers.

    All calls come from one event loop, one after another, and must not hold
    it up.
    """

    #: The type of the consoles that it makes.
    console_type: ClassVar[str]

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Make the driver; nothing is served yet.

        :raises ConfigurationError: its options do not allow it to work
        """

    @abc.abstractmethod
    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Make exactly these consoles, and no others.

        Called with all of them each time that one has changed, and from time
        to time if some could not be made.  What is already as it should be
        is left alone, with the sessions on it.

        :param consoles: all consoles of this console host, by id
        :returns: why some could not be made, by id: a sentence for the
            operator, without a password
        """

    @abc.abstractmethod
    async def close(self) -> None:
        """Stop serving; called once, at the end."""
