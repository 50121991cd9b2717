# SPDX-License-Identifier: Apache-2.0
"""Encodings of connections that cannot represent all characters."""

from console_api.tests.functional import base
from console_api.tests.functional.databases import TestDatabase


@base.on_database_servers
class EncodingTests(base.FunctionalTestCase):
    def choose_server(self):
        url = self.database.url.update_query_dict(
            {
                "mysql": {"charset": "utf8"},
                "postgresql": {"client_encoding": "latin1"},
            }[self.backend]
        )
        return self.start_server(database=TestDatabase(self.backend, url))

    def test_emoji_are_stored(self):
        name = "web \N{DESKTOP COMPUTER} \N{PILE OF POO}"
        server_id, _ = self.make_console(name=name, instance_name=name)
        [row] = self.console_rows(server_id)
        self.assertEqual(name, row.instance_name)
