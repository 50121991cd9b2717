# SPDX-License-Identifier: Apache-2.0
import threading
from unittest import mock

from oslo_messaging import NotificationResult

from console_api import errors
from console_api.agent import notifications
from console_api.agent.notifications import (
    DeletionEndpoint,
    NotificationListener,
)
from console_api.db import tables
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id

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
        self.endpoint = DeletionEndpoint(self.database, self.stopping)
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

    def test_filter_matches_deletions_only(self) -> None:
        match = DeletionEndpoint.filter_rule.match
        for event_type, wanted in (
            (VERSIONED, True),
            (LEGACY, True),
            ("instance.delete.start", False),
            ("instance.soft_delete.end", False),
            ("instance.delete.end.more", False),
            ("instance.create.end", False),
            ("compute.instance.create.end", False),
            ("volume.instance.delete.end", False),
            ("x", False),
            (None, False),
            (7, False),
        ):
            with self.subTest(event_type):
                self.assertEqual(wanted, match({}, "", event_type, {}, {}))


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
                NotificationListener(self.database, conf)
            self.assertIn("[notifications]", str(caught.exception))
            self.assertNotIn("s3cret", str(caught.exception))
