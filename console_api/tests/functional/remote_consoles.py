# SPDX-License-Identifier: Apache-2.0
"""What the tests of remote consoles share."""

import hashlib

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base

#: Protocol, console type, first microversion, start of the access URL.
TYPES = (
    ("vnc", "novnc", "2.6", "http://127.0.0.1:6080/vnc_auto.html?path=%3F"),
    ("vnc", "xvpvnc", "2.6", "http://127.0.0.1:6081/console?"),
    ("spice", "spice-html5", "2.6", "http://127.0.0.1:6082/spice_auto.html?"),
    ("rdp", "rdp-html5", "2.6", "http://127.0.0.1:6083/?"),
    ("serial", "serial", "2.6", "ws://127.0.0.1:6083/?"),
    ("mks", "webmks", "2.8", "http://127.0.0.1:6090/?"),
    ("spice", "spice-direct", "2.99", "http://127.0.0.1:13002/?"),
)

URLS = {console_type: url for _, console_type, _, url in TYPES}


def request_body(protocol, console_type):
    """Return the body of a request to create a remote console."""
    return {"remote_console": {"protocol": protocol, "type": console_type}}


class RemoteConsoleTestCase(base.FunctionalTestCase):
    """Each test has a server with an endpoint of each protocol."""

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.remote = f"/servers/{self.server_id}/remote-consoles"
        self.action = f"/servers/{self.server_id}/action"

    def stored(self, token):
        """Return the row of a token."""
        tokens = tables.console_auth_tokens
        digest = hashlib.sha256(token.encode()).hexdigest()
        [row] = self.database.rows(
            sa.select(tokens).where(tokens.c.token_hash == digest)
        )
        return row

    def assert_url(self, url, console_type):
        """Assert that a URL is for a console type, and return its token."""
        self.assertTrue(url.startswith(URLS[console_type]), url)
        joint = "token%3D" if console_type == "novnc" else "token="
        token = url.removeprefix(URLS[console_type]).removeprefix(joint)
        self.assertRegex(token, r"^[A-Za-z0-9_-]{43}\Z")
        self.assertEqual(token, base.token_of(url))
        return token
