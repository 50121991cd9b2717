# SPDX-License-Identifier: Apache-2.0
"""``console-api-gateway``: shows consoles in browsers."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_log import log

from console_api import conf as configuration
from console_api import errors
from console_api.cmd.arguments import add_config_dir
from console_api.cmd.daemon import raise_file_limit, set_up_logging
from console_api.cmd.explain import explain
from console_api.net import notify

if TYPE_CHECKING:
    from console_api.gateway.worker import Worker

LOG = log.getLogger(__name__)


def main() -> None:
    """Run the gateway until SIGTERM or SIGINT, which drain it.

    SIGHUP reloads options.  A second SIGTERM ends it at once.

    :raises SystemExit: with a sentence, for what an operator can fix; other
        errors keep their traceback
    """
    arguments = _parse_arguments()
    folder = configuration.config_dir(arguments.config_dir)
    try:
        conf = configuration.load(folder)
        if arguments.workers is not None:
            conf.set_override("workers", arguments.workers, "gateway")
        set_up_logging(conf)
        raise_file_limit()
        if arguments.worker is not None:
            asyncio.run(_run_worker(conf, arguments))
        elif conf.gateway.workers == 1:
            with _socket_folder() as sockets:
                arguments.worker, arguments.sockets = 0, sockets
                asyncio.run(_run_worker(conf, arguments))
        else:
            asyncio.run(_run_master(conf, folder))
    except ImportError as error:
        sys.exit(
            "console-api-gateway: A Python package is missing. Install "
            f"console-api[gateway]. ({error})"
        )
    except errors.ConsoleAPIError as error:
        sys.exit(f"console-api-gateway: {explain(error)}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="console-api-gateway",
        description="Show consoles in browsers. The [gateway] group of the "
        "configuration describes the gateway.",
    )
    add_config_dir(parser)
    parser.add_argument(
        "--workers",
        type=int,
        metavar="COUNT",
        choices=range(1, 257),
        help="Number of processes that share the port, instead of [gateway] "
        "workers.",
    )
    # What the master passes to a worker.
    for name, kind in (
        ("worker", int),
        ("descriptor", int),
        ("sockets", Path),
    ):
        parser.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextlib.contextmanager
def _socket_folder() -> Iterator[Path]:
    """Create a folder that only this user may enter."""
    with tempfile.TemporaryDirectory(prefix="console-api-gateway-") as name:
        yield Path(name)


async def _run_worker(
    conf: cfg.ConfigOpts, arguments: argparse.Namespace
) -> None:
    # Imported here because its requirements are optional.
    from console_api.gateway.audit import Audit  # noqa: PLC0415
    from console_api.gateway.brokers.loading import (  # noqa: PLC0415
        create_broker,
    )
    from console_api.gateway.master import READY  # noqa: PLC0415
    from console_api.gateway.worker import Worker  # noqa: PLC0415

    worker = Worker(
        conf,
        create_broker(conf),
        Audit.from_conf(conf),
        folder=arguments.sockets,
        number=arguments.worker,
    )
    _handle_signals(
        worker.stop,
        lambda: _reload(worker, Path(conf.config_file[0]).parent),
        lambda: os._exit(1),
    )
    if arguments.descriptor is None:
        await worker.run(lambda: notify.send("READY=1"))
        return
    with socket.socket(fileno=arguments.descriptor) as master:
        # It becomes readable when the master has gone.
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.remove_reader(master)
            worker.stop()

        loop.add_reader(master, stop)
        await worker.run(lambda: master.sendall(READY))


def _reload(worker: "Worker", folder: Path) -> None:
    """Read the options for displays, origins, proxies and the log again.

    oslo.config could do it, but would log the old and the new passwords.
    """
    try:
        conf = configuration.load(folder)
        worker.reload(conf)
        set_up_logging(conf)
    except errors.ConsoleAPIError as error:
        reason = explain(error)
    else:
        LOG.info("Reloaded the configuration.")
        return
    LOG.error("The configuration was not reloaded: %s", reason)


async def _run_master(conf: cfg.ConfigOpts, folder: Path) -> None:
    from console_api.gateway.master import Master  # noqa: PLC0415

    with _socket_folder() as sockets:

        def command(number: int, descriptor: int) -> list[str]:
            return [
                *(sys.executable, "-m", "console_api.cmd.gateway"),
                *("--config-dir", str(folder)),
                *("--workers", str(conf.gateway.workers)),
                *("--worker", str(number), "--sockets", str(sockets)),
                *("--descriptor", str(descriptor)),
            ]

        master = Master(conf.gateway.workers, command)
        _handle_signals(
            master.stop,
            lambda: master.forward(signal.SIGHUP),
            lambda: master.forward(signal.SIGKILL),
        )
        await master.run(lambda: notify.send("READY=1"))


def _handle_signals(
    stop: Callable[[], None],
    reload: Callable[[], None],
    kill: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    is_stopping = False

    def handle() -> None:
        nonlocal is_stopping
        if is_stopping:
            kill()
        is_stopping = True
        notify.send("STOPPING=1")
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle)
    loop.add_signal_handler(signal.SIGHUP, reload)


if __name__ == "__main__":
    main()
