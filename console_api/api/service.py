# SPDX-License-Identifier: Apache-2.0
"""The domain objects that all requests of a process share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from oslo_config import cfg

from console_api import directory, errors, values
from console_api.audit.trail import AuditTrail
from console_api.bulkhead import Bulkhead
from console_api.consoles import types
from console_api.consoles.console_hosts import ConsoleHostManager
from console_api.consoles.listing import ConsoleListing
from console_api.consoles.manager import ConsoleManager
from console_api.db import schema
from console_api.db.engine import Database
from console_api.directory.base import Directory
from console_api.keys.repository import KeyRepository
from console_api.policy.enforcer import Enforcer
from console_api.sessions.grants import SessionSettings
from console_api.sessions.listing import SessionListing
from console_api.sessions.locks import LockManager
from console_api.sessions.manager import SessionManager
from console_api.tokens.manager import TokenManager

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The domain, ready for requests.

    ``max_limit`` is the maximum number of resources in a page of a list.
    ``bulkhead`` is the limit on requests that wait, ``reserved`` the one on
    those to reserved operations.
    """

    enforcer: Enforcer
    directory: Directory
    consoles: ConsoleManager
    console_hosts: ConsoleHostManager
    console_listing: ConsoleListing
    tokens: TokenManager
    sessions: SessionManager
    session_listing: SessionListing
    locks: LockManager
    audit: AuditTrail
    bulkhead: Bulkhead
    reserved: Bulkhead
    max_limit: int

    @classmethod
    def from_conf(
        cls, conf: cfg.ConfigOpts, enforcer: Enforcer, database: Database
    ) -> Self:
        """Create the service.

        It starts without its database too: requests get 503 until the
        database is available.

        :raises ConfigurationError: the schema of the database is not current,
            or an option or the key repository is not usable
        """
        try:
            schema.check(conf)
        except errors.DatabaseUnavailable as error:
            LOG.warning("Starting without database: %s", error.reason)
        servers = directory.load(conf, database)
        return cls(
            enforcer=enforcer,
            directory=servers,
            consoles=ConsoleManager(
                database,
                KeyRepository(Path(conf.passwords.key_repository)),
                _console_types(conf),
                conf.consoles.host_down_time,
                conf.consoles.lifetime,
            ),
            console_hosts=ConsoleHostManager(
                database, conf.consoles.host_down_time
            ),
            console_listing=ConsoleListing(
                database, conf.consoles.host_down_time
            ),
            tokens=TokenManager(
                database, servers, conf.tokens.ttl, _base_urls(conf)
            ),
            sessions=SessionManager(
                database, servers, _session_settings(conf)
            ),
            session_listing=SessionListing(
                database, conf.sessions.resume_timeout
            ),
            locks=LockManager(database),
            audit=AuditTrail.from_conf(conf),
            bulkhead=Bulkhead(
                "the database or the directory", conf.api.max_slow_requests
            ),
            reserved=Bulkhead(
                "the directory to confirm tokens",
                max(1, conf.api.max_slow_requests // 2),
            ),
            max_limit=conf.api.max_limit,
        )


def _session_settings(conf: cfg.ConfigOpts) -> SessionSettings:
    options = conf.sessions
    return SessionSettings(
        is_single_use=conf.tokens.single_use,
        max_duration=options.max_duration,
        idle_timeout=options.idle_timeout,
        resume_timeout=options.resume_timeout,
        maxima={
            scope: options[f"max_per_{scope}"]
            for scope in ("token", "user", "server", "project", "gateway")
        },
    )


def _console_types(conf: cfg.ConfigOpts) -> Sequence[str]:
    try:
        found = [types.check(value) for value in conf.consoles.types]
    except ValueError as error:
        raise errors.ConfigurationError(
            f"[consoles] types {error}. Correct it, or install the driver on "
            "this machine, too."
        ) from error
    if not found:
        raise errors.ConfigurationError(
            "[consoles] types is empty. List at least one console type."
        )
    return found


def _base_urls(conf: cfg.ConfigOpts) -> dict[str, str]:
    base_urls = {
        console_type: conf.remote_consoles[
            f"{console_type.replace('-', '_')}_base_url"
        ]
        or ""
        for console_types in values.CONSOLE_TYPES_BY_PROTOCOL.values()
        for console_type in console_types
    }
    for console_type, base_url in base_urls.items():
        try:
            urlsplit(base_url)
        except ValueError as error:
            raise errors.ConfigurationError(
                f"[remote_consoles] The base URL of {console_type}, "
                f"{base_url}, is not a valid URL: {error}"
            ) from error
    return base_urls
