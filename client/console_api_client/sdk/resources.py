# SPDX-License-Identifier: Apache-2.0
"""Consoles, console hosts, sessions and locks as resources of openstacksdk."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any

from openstack import resource

if TYPE_CHECKING:
    from keystoneauth1 import adapter
    from openstack import connection as sdk_connection
    from typing_extensions import Self

#: For responses with secrets: at level DEBUG, keystoneauth logs bodies.
SILENT = logging.getLogger(f"{__name__}.silent")
SILENT.setLevel(logging.INFO)


class Console(resource.Resource):
    """A console of a server.

    A list has only ``id`` and ``console_type``; ``fetch`` reads the rest.
    ``create`` returns no values, and changes nothing if the server already
    has a usable console.
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
    #: The port that a VNC viewer connects to, None if unknown.
    port = resource.Body("port", type=int)
    #: The password of the console. It grants control of the server.
    password = resource.Body("password")
    #: The name of the server on its hypervisor.
    instance_name = resource.Body("instance_name")

    @classmethod
    def existing(
        cls,
        connection: sdk_connection.Connection | None = None,
        **attrs: Any,
    ) -> Self:
        """Return a console that already exists."""
        # In a list, each console is wrapped in an object.
        wrapped = attrs.pop("console", {})
        return super().existing(connection=connection, **wrapped, **attrs)

    def fetch(
        self, session: adapter.Adapter, *args: Any, **kwargs: Any
    ) -> Self:
        """Read all values, without logging the password at level DEBUG."""
        silent = copy.copy(session)
        silent.logger = SILENT
        return super().fetch(silent, *args, **kwargs)

    def __repr__(self) -> str:
        """Return a text without the password."""
        return f"{type(self).__name__}(server {self.server_id}, id {self.id})"


class ProjectConsole(resource.Resource):
    """A console of any server of a project, with its state.

    Nova has no such list.
    """

    resources_key = "consoles"
    base_path = "/os-consoles"

    allow_list = True

    _query_mapping = resource.QueryParameters(
        "all_projects", "server_id", "console_host", "console_type", "state"
    )

    #: The UUID of the server.
    server_id = resource.Body("server_id")
    #: The project of the server.
    project_id = resource.Body("project_id")
    #: The console type, such as ``vnc``.
    console_type = resource.Body("console_type")
    #: The name of the server on its hypervisor.
    instance_name = resource.Body("instance_name")
    #: The name of its console host.
    console_host = resource.Body("console_host")
    #: The name or address that a VNC viewer connects to.
    host = resource.Body("host")
    #: The port that a VNC viewer connects to, None if unknown.
    port = resource.Body("port", type=int)
    #: ``serving``, ``pending``, ``failed``, or, if its host is down,
    #: ``unknown``.
    state = resource.Body("state")
    #: Why it failed, for callers who may list the consoles of all projects.
    reason = resource.Body("reason")
    #: When it was created, in UTC.
    created_at = resource.Body("created_at")
    #: When it expires, in UTC; None if it does not, or the service does not
    #: report it.
    expires_at = resource.Body("expires_at")


class ConsoleHost(resource.Resource):
    """A console host with one of its console types."""

    resource_key = "console_host"
    resources_key = "console_hosts"
    base_path = "/os-console-hosts"

    allow_list = True

    #: The name of the console host.
    host = resource.Body("host")
    #: The type of its consoles.
    console_type = resource.Body("console_type")
    #: The name or address that users connect to.
    public_hostname = resource.Body("public_hostname")
    #: Shell patterns of the compute hosts that it serves.
    compute_hosts = resource.Body("compute_hosts", type=list)
    #: Its ports: ``min`` and ``max`` of a range, or ``multiplex``.
    ports = resource.Body("ports", type=dict)
    #: Whether it gets new consoles.
    is_enabled = resource.Body("enabled", type=bool)
    #: ``up``, ``failing`` if its agent serves no console or reports trouble,
    #: or ``down`` if the agent does not report.
    state = resource.Body("state")
    #: Why its agent as a whole cannot do its work, None if it can.
    trouble = resource.Body("trouble")
    #: The number of its consoles.
    consoles = resource.Body("consoles", type=int)
    #: How many of them its agent serves, None if it is down.
    served = resource.Body("served", type=int)
    #: How many of them its agent cannot serve, None if it is down.
    failed = resource.Body("failed", type=int)
    #: The number of ports in use by them.
    ports_used = resource.Body("ports_used", type=int)
    #: The version of its agent.
    version = resource.Body("version")
    #: The driver of its agent.
    driver = resource.Body("driver")
    #: The time of its agent's last report, in UTC; None if there was none.
    last_seen_at = resource.Body("last_seen_at")


class ConsoleSession(resource.Resource):
    """A session of a viewer through a gateway.

    Nova has no such resource.
    """

    resource_key = "session"
    resources_key = "sessions"
    base_path = "/os-console-sessions"

    allow_list = True

    _query_mapping = resource.QueryParameters(
        *("all_projects", "server_id", "project_id", "user_id"),
        *("gateway", "state"),
    )

    #: The UUID of the server.
    server_id = resource.Body("server_id")
    #: The project that the server had when the session was opened.
    project_id = resource.Body("project_id")
    #: The user who created the remote console, None if unknown.
    user_id = resource.Body("user_id")
    #: The console type, such as ``novnc``.
    console_type = resource.Body("console_type")
    #: Whether the viewer sees the screen only, and cannot control it.
    is_view_only = resource.Body("view_only", type=bool)
    #: The name of the gateway.
    gateway = resource.Body("gateway")
    #: The address of the viewer.
    client_address = resource.Body("client_address")
    #: The address of the proxy in front of the gateway, None without one.
    proxy_address = resource.Body("proxy_address")
    #: ``open``, ``pending`` while the page has not connected, or ``closed``.
    state = resource.Body("state")
    #: When the token was used, in UTC.
    created_at = resource.Body("created_at")
    #: When the viewer connected, in UTC; None while it is pending.
    connected_at = resource.Body("connected_at")
    #: When it ended, in UTC; None if it has not.
    closed_at = resource.Body("closed_at")
    #: Why it ended, such as ``cut``; None if it has not.
    close_reason = resource.Body("close_reason")
    #: Bytes from the viewer.
    bytes_in = resource.Body("bytes_in", type=int)
    #: Bytes to the viewer.
    bytes_out = resource.Body("bytes_out", type=int)
    #: When its last bytes were transferred, in UTC.
    last_activity_at = resource.Body("last_activity_at")
    #: The ID of the session that it resumes, None if it resumes none.
    resumed_from = resource.Body("resumed_from")


class ConsoleLock(resource.Resource):
    """A user, project or host that may have no sessions."""

    resource_key = "lock"
    resources_key = "locks"
    base_path = "/os-console-locks"

    allow_list = True

    #: What is locked: ``user``, ``project`` or ``host``.
    scope = resource.Body("scope")
    #: The ID of the user or project, or the name of a compute host or gateway.
    name = resource.Body("name")
    #: Why it is locked.
    reason = resource.Body("reason")
    #: When it was locked, in UTC.
    created_at = resource.Body("created_at")
