# SPDX-License-Identifier: Apache-2.0
"""What the tests of the controllers share: requests to the operations."""

from typing import Any

from microversion_parse import Version
from oslo_context.context import RequestContext

from console_api.api.request import Request
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT


class ControllerCase(base.ServiceCase):
    """Each test has a service and a server with one console host."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.add_server(
            endpoints={
                "vnc": {},
                "rdp": {},
                "spice": {"tls_port": 5902, "internal_access_path": "/p"},
            }
        )
        self.add_console_host()

    def request(
        self,
        role: str = "member",
        project: str | None = PROJECT,
        *,
        version: tuple[int, int] = (2, 1),
        query: dict[str, str] | None = None,
        body: Any = None,
        **path: str,
    ) -> Request:
        """Make a request as the dispatcher does."""
        return Request(
            service=self.service,
            context=RequestContext(
                user_id="a-user", project_id=project, roles=[role]
            ),
            version=Version(*version),
            path={"server_id": self.server.uuid, **path},
            query=query or {},
            body=body,
        )
