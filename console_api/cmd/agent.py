# SPDX-License-Identifier: Apache-2.0
"""``console-api-agent``: serves the consoles of one console host."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log

from console_api import conf as configuration
from console_api import directory, errors
from console_api.agent import drivers
from console_api.agent.cleaner import Cleaner
from console_api.agent.feed import ConsoleFeed
from console_api.agent.handover import Predecessor
from console_api.agent.host import console_host
from console_api.agent.reconciler import Reconciler
from console_api.agent.reload import Reload
from console_api.cmd.arguments import add_config_dir
from console_api.cmd.daemon import raise_file_limit, set_up_logging
from console_api.cmd.explain import explain
from console_api.db import schema
from console_api.db.engine import Database
from console_api.directory.base import Directory
from console_api.keys.repository import KeyRepository

if TYPE_CHECKING:
    from console_api.agent.notifications import NotificationListener

LOG = log.getLogger(__name__)


def main() -> None:
    """Run the agent until SIGTERM or SIGINT; SIGHUP replaces it.

    :raises SystemExit: with a sentence, for what an operator can fix; other
        errors keep their traceback
    """
    arguments = _parse_arguments()
    predecessor = Predecessor.connect()
    try:
        conf = configuration.load(
            configuration.config_dir(arguments.config_dir)
        )
        set_up_logging(conf)
        raise_file_limit()
        asyncio.run(_run(conf, predecessor))
    except errors.ConsoleAPIError as error:
        sys.exit(f"console-api-agent: {explain(error)}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="console-api-agent",
        description="Serve the consoles that the database assigns to this "
        "console host. The [agent] group of the configuration describes the "
        "host.",
    )
    add_config_dir(parser)
    return parser.parse_args()


async def _run(conf: cfg.ConfigOpts, predecessor: Predecessor | None) -> None:
    database = Database(conf)
    try:
        _check_schema(conf)
        driver_class = drivers.find(conf.agent.driver)
        host = console_host(conf, driver_class.console_type)
        keys = KeyRepository(Path(conf.passwords.key_repository))
        servers = directory.load(conf, database)
        driver = driver_class.from_conf(conf, servers)
        reconciler = Reconciler(
            ConsoleFeed(database, keys, host),
            driver,
            conf,
            predecessor=predecessor,
            duties=[*_duties(conf, database, servers)],
        )
        reload = Reload(reconciler)
        _handle_signals(reload)
        if predecessor is not None:
            reload.watch_predecessor(predecessor)
        LOG.info(
            "Serving %s consoles of console host %s.",
            host.console_type,
            host.host,
        )
        await reconciler.run()
        status = await reload.finish()
    finally:
        database.close()
    if predecessor is not None and not status:
        await predecessor.say_goodbye()
    # Exit without waiting for threads that a hanging database blocks: their
    # results no longer matter.
    logging.shutdown()
    os._exit(status)


def _handle_signals(reload: Reload) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, reload.stop)
    loop.add_signal_handler(signal.SIGHUP, reload.request)


def _duties(
    conf: cfg.ConfigOpts, database: Database, servers: Directory
) -> Iterator[Callable[[], Coroutine[None, None, None]]]:
    """Return what else runs while consoles are served."""
    if conf.agent.cleanup_interval:
        yield Cleaner(database, servers, conf).run
    if conf.notifications.transport_url:
        yield _notification_listener(database, servers, conf).run


def _notification_listener(
    database: Database, servers: Directory, conf: cfg.ConfigOpts
) -> "NotificationListener":
    try:
        # Imported here because oslo.messaging is optional.
        from console_api.agent.notifications import (  # noqa: PLC0415
            NotificationListener,
        )
    except ImportError as error:
        raise errors.ConfigurationError(
            "[notifications] transport_url requires oslo.messaging. Install "
            f"console-api[notifications]. ({error})"
        ) from error
    return NotificationListener(database, servers, conf)


def _check_schema(conf: cfg.ConfigOpts) -> None:
    """Refuse to start on another schema; wait for an unavailable database.

    :raises ConfigurationError: the schema is not that of this version
    """
    try:
        schema.check(conf)
    except errors.DatabaseUnavailable as error:
        LOG.warning("Starting without the database: %s", error.reason)
