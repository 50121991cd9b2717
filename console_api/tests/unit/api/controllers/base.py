# SPDX-License-Identifier: Apache-2.0
"""What the tests of controllers share: authorized requests."""

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
        target: Any = None,
        *,
        version: tuple[int, int] = (2, 1),
        query: dict[str, str] | None = None,
        body: Any = None,
        **path: str,
    ) -> Request[Any]:
        """Create a request as the application does.

        :param target: the server of the test by default
        """
        return Request(
            service=self.service,
            context=RequestContext(user_id="a-user", project_id=PROJECT),
            version=Version(*version),
            target=target or self.server,
            path=path,
            query=query or {},
            body=body,
            url=lambda: "http://localhost/os-consoles",
        )
