# SPDX-License-Identifier: Apache-2.0
"""Notifications of servers, over a real RabbitMQ."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from unittest import mock

from console_api import errors
from console_api.agent import notifications
from console_api.agent.notifications import NotificationListener
from console_api.db import tables
from console_api.directory import records
from console_api.directory.database import DatabaseDirectory
from console_api.tests.functional.rabbitmq import Bus
from console_api.tests.unit import base
from console_api.tests.unit.agent.test_notifications import (
    LEGACY,
    VERSIONED,
    versioned,
)
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id
from console_api.tests.waiting import wait_until_async


class NotificationsTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        for uuid in (SERVER, server_id(2), server_id(3)):
            self.add_server(uuid)
            self.add_console_and_token(uuid)

    def run_with_listener(self, scenario) -> None:
        conf = base.load_conf(self.folder, {"notifications": self.bus.options})

        async def run() -> None:
            async with self.listening(conf):
                await scenario()
            self.assertCountsAreRight()

        asyncio.run(asyncio.wait_for(run(), 60))

    @contextlib.asynccontextmanager
    async def listening(self, conf) -> AsyncIterator[None]:
        listener = NotificationListener(
            self.database, DatabaseDirectory(self.database), conf
        )
        task = asyncio.create_task(listener.run())
        await wait_until_async(lambda: listener.is_listening)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def left(self) -> list[int]:
        return [int(row.uuid[-12:]) for row in self.rows(tables.servers)]

    def test_deletions_are_processed_among_other_messages(self) -> None:
        async def scenario() -> None:
            for body, kind in (
                (b"no JSON", "application/json"),
                (b"[]", "application/json"),
                (b"{}", "application/json"),
                (b'{"priority": 7, "event_type": {}}', "application/json"),
                (_bare(priority="INFO", payload=7), "application/json"),
                (_bare(priority="INFO", event_type=None), "application/json"),
                (b"\x80\x04.", "application/x-python-serialize"),
                (b"\xff", "text/plain"),
            ):
                self.bus.send(body, kind)
            self.bus.notify("instance.create.start", versioned(SERVER))
            self.bus.notify(VERSIONED, {"nova_object.data": {}})
            for uuid in (UNKNOWN_SERVER, server_id(2), server_id(2)):
                self.bus.notify(VERSIONED, versioned(uuid))
            # It arrives late, after the deletion.
            self.bus.notify("instance.create.end", versioned(server_id(2)))
            self.bus.notify(LEGACY, {"instance_id": server_id(3)})
            await wait_until_async(lambda: self.left() == [1])
            await wait_until_async(lambda: self.bus.waiting() == 0)

        with self.assertLogs(level="WARNING") as logged:
            self.run_with_listener(scenario)
        text = "\n".join(logged.output)
        self.assertEqual(
            1, text.count("Ignoring a malformed notification"), text
        )
        self.assertNotIn("Exception during message handling", text)
        self.assertIn("no server UUID", text)
        self.assertEqual(1, len(self.rows(tables.consoles)))
        self.assertEqual(1, len(self.rows(tables.console_auth_tokens)))

    def test_failed_operations_are_received_as_well(self) -> None:
        async def scenario() -> None:
            # Nova reports them with another priority.
            self.bus.notify(
                "instance.rebuild.error", versioned(SERVER), "error"
            )
            await wait_until_async(
                lambda: len(self.rows(tables.console_auth_tokens)) == 2
            )

        self.run_with_listener(scenario)
        self.assertEqual([1, 2, 3], self.left())

    def test_unavailable_database_loses_no_deletion(self) -> None:
        delete = records.delete
        is_unavailable = iter([True, True, False])

        def delete_or_fail(*args):
            if next(is_unavailable):
                raise errors.DatabaseUnavailable
            return delete(*args)

        async def scenario() -> None:
            self.bus.notify(VERSIONED, versioned(SERVER))
            await wait_until_async(lambda: self.left() == [2, 3])

        with (
            mock.patch.object(records, "delete", delete_or_fail),
            mock.patch.object(notifications, "_RETRY_INTERVAL", 0.01),
        ):
            self.run_with_listener(scenario)

    def test_restart_loses_no_deletion(self) -> None:
        async def do_nothing() -> None:
            pass

        async def scenario() -> None:
            await wait_until_async(lambda: self.left() == [2, 3])

        self.run_with_listener(do_nothing)
        self.bus.notify(VERSIONED, versioned(SERVER))
        asyncio.run(wait_until_async(lambda: self.bus.waiting() == 1))
        self.run_with_listener(scenario)


def _bare(**changes) -> bytes:
    message = {
        "message_id": "1",
        "publisher_id": "nova",
        "event_type": VERSIONED,
        "payload": versioned(SERVER[:-1]),
        **changes,
    }
    return json.dumps(message).encode()
