# SPDX-License-Identifier: Apache-2.0
"""What python-openstackclient requires of a plugin."""

from __future__ import annotations

import argparse
from typing import Any

from osc_lib import utils

from console_api_client.sdk import Proxy, add_service

DEFAULT_API_VERSION = "2"
API_VERSION_OPTION = "os_console_api_version"
API_NAME = "console"
API_VERSIONS = ("2",)


def make_client(instance: Any) -> Proxy:
    """Return the client of the service, ``client_manager.console``."""
    connection = instance.sdk_connection
    add_service(connection)
    proxy: Proxy = connection.console
    return proxy


def build_option_parser(
    parser: argparse.ArgumentParser,
) -> argparse.ArgumentParser:
    """Add the global option for the version of the API."""
    parser.add_argument(
        "--os-console-api-version",
        metavar="<console-api-version>",
        default=utils.env("OS_CONSOLE_API_VERSION"),
        help=f"Console API version, default={DEFAULT_API_VERSION} "
        "(Env: OS_CONSOLE_API_VERSION)",
    )
    return parser
