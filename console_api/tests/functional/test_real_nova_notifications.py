# SPDX-License-Identifier: Apache-2.0
"""Notifications that a real Nova emits, in both of its formats."""

import re
import threading
from typing import Any

from console_api import directory
from console_api.agent.notifications import ServerEndpoint, server_of
from console_api.db import tables
from console_api.tests.functional import keystone, nova
from console_api.tests.unit import base

# Events that do not end the display of a server.
_UNRELATED = re.compile(
    r"(compute\.)?instance\.(create|create_ip|delete_ip|exists|interface_\w+|"
    r"lock|unlock|pause|unpause|snapshot|trigger_crash_dump|volume)(\.\w+)*"
)

_DELETED = re.compile(r"(compute\.)?instance\.(force_)?delete\.end")


class NovaNotificationsTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        identity = keystone.shared()
        self.nova = nova.shared(identity)
        self.server_id = self.nova.make_server(identity.make_project())
        conf = base.load_conf(
            self.folder,
            {
                "directory": {"driver": "nova", "cache_seconds": 60},
                "nova": identity.credentials,
            },
        )
        self.directory = directory.load(conf, self.database)
        self.endpoint = ServerEndpoint(
            self.database, self.directory, threading.Event()
        )
        self.events = {
            message["event_type"]: message
            for message in self.nova.notifications(self.server_id)
        }

    def notify(self, event_type: str) -> None:
        """Process a notification as the listener would."""
        message = self.events[event_type]
        self.assertEqual(self.server_id, server_of(message["payload"]))
        arguments = ({}, "nova", event_type, message["payload"], {})
        if ServerEndpoint.filter_rule.match(*arguments):
            process = getattr(self.endpoint, message["priority"].lower())
            self.assertIsNone(process(*arguments))

    def look_up(self) -> Any:
        """Look up the server, and issue a token for it."""
        self.directory.refresh(self.server_id)
        self.add_token(self.server_id, self.server_id, 2**40)
        [row] = self.rows(tables.servers)
        return row

    def test_tokens_follow_each_event(self) -> None:
        self.assertGreater(len(self.events), 100)
        for event_type in self.events:
            with self.subTest(event_type):
                self.look_up()
                self.notify(event_type)
                is_unrelated = _UNRELATED.fullmatch(event_type) is not None
                tokens = self.rows(tables.console_auth_tokens)
                self.assertEqual(is_unrelated, bool(tokens))
                is_deleted = _DELETED.fullmatch(event_type) is not None
                self.assertEqual(is_deleted, not self.rows(tables.servers))
            with self.database.transaction() as connection:
                connection.execute(tables.console_auth_tokens.delete())

    def test_servers_follow_each_move(self) -> None:
        for number, event_type in enumerate(
            (
                "instance.live_migration_post.end",
                "instance.live_migration_post_dest.end",
                "instance.live_migration_rollback.end",
                "instance.resize_finish.end",
                "instance.resize_confirm.end",
                "instance.resize_revert.end",
                "instance.resize.error",
                "instance.rebuild.end",
                "instance.evacuate",
                "instance.unshelve.end",
                "compute.instance.live_migration._post.end",
                "compute.instance.live_migration.post.dest.end",
                "compute.instance.finish_resize.end",
                "compute.instance.resize.revert.end",
                "compute.instance.rebuild.end",
                "compute.instance.unshelve.end",
                "compute.instance.shelve_offload.end",
                "instance.shelve_offload.end",
            )
        ):
            is_offloaded = event_type.endswith("shelve_offload.end")
            host = None if is_offloaded else f"compute-{number}"
            with self.subTest(event_type):
                self.nova.change_server(self.server_id, host="elsewhere")
                self.assertEqual("elsewhere", self.look_up().compute_host)
                self.nova.change_server(self.server_id, host=host)
                self.notify(event_type)
                [row] = self.rows(tables.servers)
                self.assertEqual(host, row.compute_host)
                self.assertEqual([], self.rows(tables.console_auth_tokens))
