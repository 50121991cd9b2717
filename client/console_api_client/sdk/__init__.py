# SPDX-License-Identifier: Apache-2.0
"""The service ``console`` for connections of openstacksdk.

openstacksdk does not load services of other distributions by itself.  Either
add the service to a connection::

    connection = openstack.connect(cloud="example")
    sdk.add_service(connection)
    for console in connection.console.consoles():
        print(console.server_id, console.state)

or let a cloud in ``clouds.yaml`` add it to all its connections::

    vendor_hook: console_api_client.sdk:add_service

Errors are raised as exceptions of ``openstack.exceptions``.
"""

from console_api_client.sdk.proxy import Proxy
from console_api_client.sdk.resources import (
    Console,
    ConsoleHost,
    ConsoleLock,
    ConsoleSession,
    ProjectConsole,
)
from console_api_client.sdk.service import SERVICE_TYPE, add_service

__all__ = [
    "SERVICE_TYPE",
    "Console",
    "ConsoleHost",
    "ConsoleLock",
    "ConsoleSession",
    "ProjectConsole",
    "Proxy",
    "add_service",
]
