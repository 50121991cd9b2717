# SPDX-License-Identifier: Apache-2.0
"""How a connection of openstacksdk finds the service."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions, proxy, service_description

from console_api_client.sdk.proxy import Proxy

if TYPE_CHECKING:
    from openstack import connection as sdk_connection

    _Description = service_description.ServiceDescription[Proxy]
else:
    # Generic only in later releases.
    _Description = service_description.ServiceDescription

#: The service type in the catalog.
SERVICE_TYPE = "console"


class ConsoleService(_Description):
    """The service ``console``, or ``compute`` where there is none.

    A catalog has no service ``console`` if console_api is part of the compute
    API, or if an older Nova serves consoles.
    """

    def __init__(self) -> None:
        """Describe the service."""
        super().__init__(SERVICE_TYPE, supported_versions={"2": Proxy})

    def _make_proxy(self, instance: sdk_connection.Connection) -> proxy.Proxy:
        # Connections that it was not added to may use it, too.
        instance.config.enable_service(SERVICE_TYPE)
        for service_type in (SERVICE_TYPE, "compute"):
            client = instance.config.get_session_client(
                service_type, constructor=Proxy
            )
            with contextlib.suppress(ks_exceptions.EndpointNotFound):
                if client.get_endpoint():
                    return client
        raise exceptions.ServiceDiscoveryException(
            "The catalog of this cloud has no service of the type console or "
            "compute that you may use."
        )


def add_service(connection: sdk_connection.Connection) -> None:
    """Add ``console`` to a connection.

    Every connection of the process has it from then on, because openstacksdk
    keeps services in the class.
    """
    connection.add_service(ConsoleService())
