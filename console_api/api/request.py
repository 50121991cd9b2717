# SPDX-License-Identifier: Apache-2.0
"""A request as controllers see it: judged, parsed and identified."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from microversion_parse import Version
from oslo_context.context import RequestContext

from console_api import errors
from console_api.api.service import Service
from console_api.directory.base import Server


@dataclass(frozen=True, slots=True)
class Request:
    """One request to an operation.

    ``path`` holds the variable parts of the path as WSGI gives them (Latin-1
    text of the bytes sent), ``query`` the first value of each parameter,
    ``body`` the parsed JSON document or None.
    """

    service: Service
    context: RequestContext
    version: Version
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    def find_server(self) -> Server:
        """Return the server that the path names.

        :raises ServerNotFound: there is none
        """
        return self.service.directory.get(self.path["server_id"])

    def authorize(self, rule: str, server: Server) -> None:
        """Make sure that the caller may do this to a server.

        :raises Forbidden: the rule refuses, on the caller's own project
        :raises ServerNotFound: the rule refuses, on another project: nobody
            learns of servers that are not theirs
        """
        allows = self.service.enforcer.allows
        if not allows(self.context, rule, server.project_id):
            if server.project_id == self.context.project_id:
                raise errors.Forbidden(rule)
            raise errors.ServerNotFound(server.uuid)
