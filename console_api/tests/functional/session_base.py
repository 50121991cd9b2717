# SPDX-License-Identifier: Apache-2.0
"""A server and a gateway, for tests of sessions."""

import uuid

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.remote_consoles import request_body

PATH = "/os-console-sessions"

_sessions = tables.console_sessions


class SessionTestCase(base.FunctionalTestCase):
    """Each test has a gateway and a server."""

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.gateway_id = self.start_gateway()

    def start_gateway(self):
        """Send the first heartbeat of a new worker; return its ID."""
        gateway_id = str(uuid.uuid4())
        self.assertEqual([], self.beat(gateway_id, complete=True)["cut"])
        return gateway_id

    def beat(self, gateway_id, *sessions, complete=False):
        """Send a heartbeat; return the response."""
        reply = self.admin.put(
            f"/os-console-gateways/{gateway_id}",
            body={
                "gateway": {
                    "name": "gateway-1",
                    # No test takes long enough for it to count as lost.
                    "interval": 60,
                    "complete": complete,
                    "sessions": sessions,
                }
            },
        )
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["gateway"]

    def issue(self, console_type="novnc", protocol="vnc"):
        """Issue a token for the server."""
        reply = self.member.post(
            f"/servers/{self.server_id}/remote-consoles",
            body=request_body(protocol, console_type),
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return base.token_of(reply.json["remote_console"]["url"])

    def open(self, client=None, **values):
        """Send a request to open a session."""
        return (client or self.admin).post(
            PATH,
            body={
                "session": {
                    "gateway_id": self.gateway_id,
                    "gateway": "gateway-1",
                    "client_address": "192.0.2.7",
                    **values,
                }
            },
        )

    def opened(self, **values):
        """Open a session."""
        reply = self.open(**values)
        self.assertEqual(201, reply.status, reply.body)
        return reply.json["session"]

    def assert_refused(self, reply, status, reason):
        """Assert that a session was refused for a reason."""
        self.assertEqual(status, reply.status, reply.body)
        [fault] = reply.json.values()
        self.assertEqual(reason, fault["reason"])

    def close(self, session, reason="connection_lost"):
        """Report the end of a session."""
        reply = self.admin.post(
            f"/os-console-gateways/{self.gateway_id}/close",
            body={
                "sessions": [
                    {
                        "id": session["id"],
                        "reason": reason,
                        "bytes_in": 1,
                        "bytes_out": 2,
                    }
                ]
            },
        )
        self.assertEqual(204, reply.status, reply.body)

    def row(self, session):
        """Return the row of a session."""
        [row] = self.database.rows(
            sa.select(_sessions).where(_sessions.c.id == session["id"])
        )
        return row
