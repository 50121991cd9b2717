# SPDX-License-Identifier: Apache-2.0
"""``console-api-agent``: makes the consoles of one console host."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg
from oslo_log import log

from console_api import conf as configuration
from console_api import directory, errors
from console_api.agent import drivers
from console_api.agent.cleaner import Cleaner
from console_api.agent.feed import ConsoleFeed
from console_api.agent.host import console_host
from console_api.agent.reconciler import Reconciler
from console_api.db import schema
from console_api.db.engine import Database
from console_api.directory.base import Directory
from console_api.directory.remote import RemoteDirectory
from console_api.keys.repository import KeyRepository

if TYPE_CHECKING:
    from console_api.agent.notifications import Listener

LOG = log.getLogger(__name__)


def main() -> None:
    """Run the agent until SIGTERM or SIGINT; exits 1 with a sentence."""
    arguments = _parse_arguments()
    try:
        conf = configuration.load(
            configuration.config_dir(arguments.config_dir)
        )
        log.setup(conf, configuration.PROJECT)
        _raise_file_limit()
        asyncio.run(_run(conf))
    except errors.ConsoleAPIError as error:
        sys.exit(f"console-api-agent: {error}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="console-api-agent",
        description="Make the consoles that the database says this console "
        "host has. The group [agent] of the configuration says what this "
        "host is.",
    )
    parser.add_argument(
        "--config-dir",
        metavar="DIR",
        help="The folder of console_api.conf. (default: what the environment "
        f"variable {configuration.ENVIRONMENT} names, or "
        f"{configuration.DEFAULT_DIR})",
    )
    return parser.parse_args()


def _raise_file_limit() -> None:
    """Allow as many open ports and sessions as the system does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _run(conf: cfg.ConfigOpts) -> None:
    database = Database(conf)
    try:
        _check_schema(conf)
        driver_class = drivers.find(conf.agent.driver)
        host = console_host(conf, driver_class.console_type)
        keys = KeyRepository(Path(conf.passwords.key_repository))
        servers = directory.load(conf, database)
        driver = driver_class.from_conf(conf, servers)
        reconciler = Reconciler(
            ConsoleFeed(database, keys, host), driver, conf
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, reconciler.stop)
        LOG.info(
            "Agent of console host %s for %s consoles.",
            host["host"],
            host["console_type"],
        )
        async with _in_background(_helpers(conf, database, servers)):
            await reconciler.run()
    finally:
        database.close()
    # At once: a database that hangs holds up threads, for which Python would
    # wait, and nothing that they find out counts any more.
    logging.shutdown()
    os._exit(0)


def _helpers(
    conf: cfg.ConfigOpts, database: Database, servers: Directory
) -> Iterator[Coroutine[Any, Any, None]]:
    """Return what else there is to do, as long as consoles are served."""
    if isinstance(servers, RemoteDirectory) and conf.agent.cleanup_interval:
        yield Cleaner(database, servers, conf).run()
    if conf.notifications.transport_url:
        yield _listener(database, conf).run()


def _listener(database: Database, conf: cfg.ConfigOpts) -> "Listener":
    try:
        # Here, since not everybody has oslo.messaging.
        from console_api.agent.notifications import Listener  # noqa: PLC0415
    except ImportError as error:
        raise errors.ConfigurationError(
            "[notifications] transport_url: oslo.messaging is not installed. "
            f"Install console-api[notifications]. ({error})"
        ) from error
    return Listener(database, conf)


@contextlib.asynccontextmanager
async def _in_background(
    helpers: Iterable[Coroutine[Any, Any, None]],
) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(helper) for helper in helpers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _check_schema(conf: cfg.ConfigOpts) -> None:
    """Refuse to start on another schema; wait for a database that is away."""
    try:
        schema.check(conf)
    except errors.DatabaseUnavailable as error:
        LOG.warning("Starting without database: %s", error.__cause__)
