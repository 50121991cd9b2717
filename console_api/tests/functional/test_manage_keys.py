# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage keys``, on each database."""

import contextlib
import os
import uuid

from console_api.db import tables
from console_api.keys import repository as keys
from console_api.tests.functional import base
from console_api.tests.functional.manage import TIMEOUT, ManageCase, end


@base.on_each_database
class KeysTests(ManageCase):
    def setUp(self):
        super().setUp()
        self.add_consoles(1200)

    def add_consoles(self, count):
        """Store consoles, with the key that is primary now."""
        repository = keys.KeyRepository(self.keys)
        numbers = [str(uuid.uuid4()) for _ in range(count)]
        self.database.execute(
            tables.servers.insert(),
            [
                {
                    "uuid": number,
                    "project_id": "p",
                    "name": "web",
                    "instance_name": "web",
                }
                for number in numbers
            ],
        )
        self.database.execute(
            tables.console_hosts.insert(),
            {
                "host": "h",
                "console_type": "vnc",
                "public_hostname": "h",
                "compute_hosts": "*",
                "multiplex_port": 443,
                "enabled": True,
                "console_count": count,
            },
        )
        [host] = self.database.rows(tables.console_hosts.select())
        self.database.execute(
            tables.consoles.insert(),
            [
                {
                    "server_id": number,
                    "console_host_id": host.id,
                    "console_type": "vnc",
                    "instance_name": "web",
                    "encrypted_password": repository.encrypt(number[:8]),
                    "created_at": 1,
                }
                for number in numbers
            ],
        )

    def encrypted(self):
        rows = self.database.rows(tables.consoles.select())
        self.assertEqual(1200, len(rows))
        return {row.server_id: row.encrypted_password for row in rows}

    def assert_all_readable(self):
        repository = keys.KeyRepository(self.keys)
        for number, encrypted in self.encrypted().items():
            self.assertEqual(number[:8], repository.decrypt(encrypted))

    def age_keys(self):
        """Make the last rotation one of long ago."""
        for number in keys.numbers(self.keys):
            os.utime(self.keys / str(number), (1, 1))

    @contextlib.contextmanager
    def blocked_rotation(self):
        """Give a rotation that has begun and cannot replace a password."""
        with self.database.engine.connect() as connection:
            connection.execute(tables.consoles.update().values(created_at=2))
            process = self.start("keys", "rotate")
            primary = self.keys / "2"
            self.wait_until(primary.exists, process)
            self.wait_until((self.keys / "0").exists, process)
            yield process
            connection.rollback()

    def test_rotate_reencrypts_and_deletes_old_keys(self):
        before = self.encrypted()
        self.assertIn(
            "Re-encrypted 1200 of 1200 passwords.",
            self.manage("keys", "rotate"),
        )
        self.assertFalse(set(before.values()) & set(self.encrypted().values()))
        self.age_keys()
        self.assertIn("Deleted 1 key.", self.manage("keys", "rotate"))
        self.assertEqual([0, 2, 3], keys.numbers(self.keys))
        self.assert_all_readable()

    def test_killed_rotation_loses_no_password(self):
        with self.blocked_rotation() as process:
            process.kill()
            process.communicate(timeout=TIMEOUT)
        self.assert_all_readable()
        self.manage("keys", "rotate")
        self.assert_all_readable()

    def test_concurrent_rotation_is_refused(self):
        with self.blocked_rotation() as process:
            self.assertIn("being rotated", self.refused("keys", "rotate"))
        status, _, stderr = end(process)
        self.assertEqual((0, ""), (status, stderr))
        self.assertEqual([0, 1, 2], keys.numbers(self.keys))
        self.assert_all_readable()

    def test_undecryptable_password_keeps_all_keys(self):
        self.manage("keys", "rotate")
        self.age_keys()
        [row, *_] = self.database.rows(tables.consoles.select())
        consoles = tables.consoles
        self.database.execute(
            consoles.update().where(consoles.c.id == row.id),
            {"encrypted_password": "spoilt"},
        )
        self.assertIn(f": {row.id}. No", self.refused("keys", "rotate"))
        self.assertEqual([0, 1, 2, 3], keys.numbers(self.keys))
