# SPDX-License-Identifier: Apache-2.0
import threading
from unittest import mock

from oslo_messaging import NotificationResult

from console_api import errors
from console_api.agent import notifications
from console_api.agent.notifications import (
    NotificationListener,
    ServerEndpoint,
)
from console_api.db import tables
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id
from console_api.tests.unit.directory.nova.fake_nova import fault
from console_api.tests.unit.directory.nova.test_directory import NovaCase

VERSIONED = "instance.delete.end"
LEGACY = "compute.instance.delete.end"


def versioned(uuid: object) -> dict[str, object]:
    """Return the payload of Nova's versioned notification."""
    return {
        "nova_object.name": "InstanceActionPayload",
        "nova_object.data": {"uuid": uuid, "state": "deleted"},
    }


class EndpointCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.stopping = threading.Event()
        self.endpoint = ServerEndpoint(
            self.database, DatabaseDirectory(self.database), self.stopping
        )
        for uuid in (SERVER, server_id(2)):
            self.add_server(uuid)
            self.add_console_and_token(uuid)
        self.addCleanup(self.assertCountsAreRight)

    def notify(self, payload: object, event_type: str = VERSIONED) -> object:
        return self.endpoint.info({}, "nova", event_type, payload, {})

    def assert_left(self, count: int) -> None:
        for table in (
            tables.servers,
            tables.consoles,
            tables.console_auth_tokens,
        ):
            self.assertEqual(count, len(self.rows(table)), table.name)


class DeletionTest(EndpointCase):
    def test_deletion_includes_consoles_and_tokens(self) -> None:
        with self.assertLogs(notifications.LOG, "INFO") as logged:
            self.assertIsNone(self.notify(versioned(SERVER)))
        self.assertIn(SERVER, logged.output[0])
        self.assert_left(1)
        self.notify({"instance_id": server_id(2)}, LEGACY)
        self.assert_left(0)

    def test_repeated_and_unknown_deletions_are_ignored(self) -> None:
        for uuid in (SERVER, SERVER, UNKNOWN_SERVER):
            with self.assertLogs(notifications.LOG, "DEBUG"):
                self.assertIsNone(self.notify(versioned(uuid)))
        self.assert_left(1)

    def test_malformed_payload_is_logged_and_ignored(self) -> None:
        payload: object
        for payload in (
            None,
            "",
            [],
            7,
            {},
            {"nova_object.data": None},
            {"nova_object.data": {}},
            {"instance_id": None},
            {"instance_id": [SERVER]},
            {"instance_id": "' OR 1=1"},
            versioned(SERVER.upper() + "x"),
            versioned("x" * 100_000),
        ):
            with (
                self.subTest(str(payload)[:60]),
                self.assertLogs(notifications.LOG, "WARNING") as logged,
            ):
                self.assertIsNone(self.notify(payload))
                self.assertLess(len(logged.output[0]), 1000)
        self.assert_left(2)

    def test_unavailable_database_requeues(self) -> None:
        self.stopping.set()
        with (
            mock.patch.object(
                self.database, "read", side_effect=errors.DatabaseUnavailable
            ),
            self.assertLogs(notifications.LOG, "WARNING"),
        ):
            self.assertEqual(
                NotificationResult.REQUEUE, self.notify(versioned(SERVER))
            )
        self.assert_left(2)

    def test_start_of_a_deletion_revokes_tokens_only(self) -> None:
        for event_type in ("instance.delete.start", "instance.delete.more"):
            self.notify(versioned(SERVER), event_type)
        self.assertEqual(2, len(self.rows(tables.consoles)))
        [token] = self.rows(tables.console_auth_tokens)
        self.assertEqual(server_id(2), token.server_id)

    def test_filter_matches_events_that_end_a_display(self) -> None:
        match = ServerEndpoint.filter_rule.match
        for event_type, wanted in (
            (VERSIONED, True),
            (LEGACY, True),
            ("instance.evacuate", True),
            ("instance.soft_delete.end", True),
            ("instance.restore.end", True),
            ("instance.power_off.end", True),
            ("instance.power_on.start", True),
            ("instance.reboot.error", True),
            ("compute.instance.force_delete.end", True),
            ("compute.instance.finish_resize.end", True),
            ("compute.instance.live_migration._post.end", True),
            ("compute.instance.live.migration.abort.end", True),
            ("instance.deleted.end", False),
            ("instance.create.end", False),
            ("compute.instance.create.end", False),
            ("compute.instance.delete_ip.end", False),
            ("volume.instance.delete.end", False),
            ("x", False),
            (None, False),
            (7, False),
        ):
            with self.subTest(event_type):
                self.assertEqual(wanted, match({}, "", event_type, {}, {}))


class MoveTest(NovaCase):
    """Events after which the directory is asked where a server is."""

    def setUp(self) -> None:
        super().setUp()
        self.directory.get(SERVER)
        self.add_console_and_token()
        self.endpoint = ServerEndpoint(
            self.database, self.directory, threading.Event()
        )
        self.nova.add_server(SERVER, **{"OS-EXT-SRV-ATTR:host": "compute-2"})

    def notify(self, event_type: str) -> object:
        return self.endpoint.info({}, "", event_type, versioned(SERVER), {})

    def host(self) -> str:
        return str(self.rows(tables.servers)[0].compute_host)

    def test_end_of_a_move_updates_the_server(self) -> None:
        before = self.console_host(f"console-{SERVER}").revision
        self.notify("instance.live_migration_post.end")
        self.assertEqual("compute-2", self.host())
        self.assertEqual([], self.rows(tables.console_auth_tokens))
        after = self.console_host(f"console-{SERVER}").revision
        self.assertEqual(before + 1, after)

    def test_start_of_a_move_asks_nobody(self) -> None:
        before = len(self.nova.requests)
        self.notify("instance.live_migration_post.start")
        self.assertEqual("compute-1", self.host())
        self.assertEqual([], self.rows(tables.console_auth_tokens))
        self.assertEqual(before, len(self.nova.requests))

    def test_event_of_unknown_server_asks_nobody(self) -> None:
        self.nova.add_server(UNKNOWN_SERVER)
        before = len(self.nova.requests)
        self.endpoint.info(
            {}, "", "instance.reboot.end", versioned(UNKNOWN_SERVER), {}
        )
        self.assertEqual(before, len(self.nova.requests))

    def test_tokens_are_revoked_although_nova_does_not_respond(self) -> None:
        self.nova.responses["GET", "/v2.1"] = fault(500, "computeFault")
        with self.assertLogs(notifications.LOG, "WARNING") as logged:
            self.assertIsNone(self.notify("instance.resize_finish.end"))
        self.assertIn(SERVER, logged.output[0])
        self.assertEqual([], self.rows(tables.console_auth_tokens))
        self.assertEqual("compute-1", self.host())

    def test_server_that_is_gone_is_deleted(self) -> None:
        del self.nova.servers[SERVER]
        self.assertIsNone(self.notify("instance.soft_delete.end"))
        self.assertEqual([], self.rows(tables.servers))


class ConfigurationTest(base.DatabaseCase):
    def test_invalid_url_is_refused_without_revealing_it(self) -> None:
        for url in ("nonsense://u:s3cret@host", "rabbit://u:s3cret@host:x/"):
            conf = base.load_conf(
                self.folder, {"notifications": {"transport_url": url}}
            )
            with (
                self.subTest(url),
                self.assertRaises(errors.ConfigurationError) as caught,
            ):
                NotificationListener(
                    self.database, DatabaseDirectory(self.database), conf
                )
            self.assertIn("[notifications]", str(caught.exception))
            self.assertNotIn("s3cret", str(caught.exception))
