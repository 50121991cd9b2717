# SPDX-License-Identifier: Apache-2.0
"""Consoles and console hosts as resources of openstacksdk.

They go through the compute proxy of a connection::

    compute = openstack.connect(cloud="consoles").compute
    Console.new(server_id=server_id).create(compute)
    for console in Console.list(compute, server_id=server_id):
        print(console.fetch(compute).password)

Refusals are the exceptions of ``openstack.exceptions``.
"""

import copy
import logging
from typing import Any, Self

from keystoneauth1 import adapter
from openstack import connection as sdk_connection
from openstack import resource

# At level DEBUG keystoneauth logs answers as they are.
_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.setLevel(logging.INFO)


class Console(resource.Resource):
    """A console of a server.

    A list tells ``id`` and ``console_type`` alone; ``fetch`` the rest.
    Creating tells nothing, and does nothing if the console is there.
    """

    resource_key = "console"
    resources_key = "consoles"
    base_path = "/servers/%(server_id)s/consoles"

    allow_create = True
    allow_delete = True
    allow_fetch = True
    allow_list = True

    #: The UUID of the server.
    server_id = resource.URI("server_id")
    #: The console type, such as ``vnc``.
    console_type = resource.Body("console_type")
    #: The name or address that a VNC viewer connects to.
    host = resource.Body("host")
    #: The port that a VNC viewer connects to, None if it is not known.
    port = resource.Body("port", type=int)
    #: The password of the console; whoever has it can type on the server.
    password = resource.Body("password")
    #: The name of the server on its hypervisor.
    instance_name = resource.Body("instance_name")

    @classmethod
    def existing(
        cls,
        connection: sdk_connection.Connection | None = None,
        **attrs: Any,
    ) -> Self:
        """Make a console that is there already."""
        # In a list, each is wrapped once more.
        wrapped = attrs.pop("console", {})
        return super().existing(connection=connection, **wrapped, **attrs)

    def fetch(
        self, session: adapter.Adapter, *args: Any, **kwargs: Any
    ) -> Self:
        """Read the rest; no log of debugging shows the password."""
        silent = copy.copy(session)
        silent.logger = _SILENT
        return super().fetch(silent, *args, **kwargs)


class ConsoleHost(resource.Resource):
    """A console host with one of the console types that it offers."""

    resources_key = "console_hosts"
    base_path = "/os-console-hosts"

    allow_list = True

    #: The name of the console host.
    host = resource.Body("host")
    #: The type of the consoles that it makes.
    console_type = resource.Body("console_type")
    #: The name or address that users reach it by.
    public_hostname = resource.Body("public_hostname")
    #: Shell patterns of the compute hosts that it serves.
    compute_hosts = resource.Body("compute_hosts", type=list)
    #: Its ports: ``min`` and ``max`` of a range, or ``multiplex``.
    ports = resource.Body("ports", type=dict)
    #: Whether it takes new consoles.
    is_enabled = resource.Body("enabled", type=bool)
    #: ``up`` while its agent reports, else ``down``.
    state = resource.Body("state")
    #: How many consoles it has.
    consoles = resource.Body("consoles", type=int)
    #: How many ports these take up.
    ports_used = resource.Body("ports_used", type=int)
    #: When its agent reported last, in UTC; None if it never has.
    last_seen_at = resource.Body("last_seen_at")
