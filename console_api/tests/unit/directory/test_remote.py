# SPDX-License-Identifier: Apache-2.0
import dataclasses
import time
from typing import Any

from console_api import errors
from console_api.db import tables
from console_api.directory import records
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.fake_nova import fail_once, fault
from console_api.tests.unit.directory.nova.test_directory import MAIL, NovaCase


class CacheTest(NovaCase):
    def test_server_is_cached_for_cache_seconds(self) -> None:
        cached = self.make_directory(cache_seconds=0.5)
        started = time.monotonic()
        cached.get(SERVER)
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            while True:
                self.assertEqual(MAIL, cached.get(SERVER))
                self.assertLess(time.monotonic(), started + 5)
        self.assertGreaterEqual(time.monotonic(), started + 0.5)
        self.assertEqual(3, len(self.nova.requests))

    def test_lifetime_starts_with_the_request(self) -> None:
        cached = self.make_directory(cache_seconds=0.2, timeout=10)

        def late(handler: Any) -> None:
            # The response must arrive after the lifetime of the cache entry.
            time.sleep(0.3)
            fake_nova.disconnect(handler)

        self.nova.responses["GET", "/v2.1"] = fail_once(self.nova, late)
        cached.get(SERVER)
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            cached.get(SERVER)

    def test_change_by_another_process_invalidates_cache(self) -> None:
        cached = self.make_directory(cache_seconds=60)
        cached.get(SERVER)
        self.assertEqual(MAIL, cached.get(SERVER))
        self.assertEqual(1, len(self.nova.requests))
        moved = dataclasses.replace(MAIL, project_id=base.OTHER_PROJECT)
        self.nova.add_server(SERVER, tenant_id=base.OTHER_PROJECT)
        records.update(self.database, moved)
        self.assertEqual(moved, cached.get(SERVER))
        del self.nova.servers[SERVER]
        records.delete(self.database, SERVER)
        with self.assertRaises(errors.ServerNotFound):
            cached.get(SERVER)
        self.assertEqual([], self.rows(tables.servers))

    def test_failures_are_not_cached(self) -> None:
        cached = self.make_directory(cache_seconds=60)
        self.nova.responses["GET", "/v2.1"] = fault(500, "computeFault")
        self.assert_unavailable(lambda: cached.get(SERVER))
        self.nova.responses.clear()
        self.assertEqual(MAIL, cached.get(SERVER))
