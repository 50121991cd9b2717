# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL primary and its standby: failures under load, fencing."""

import threading
import unittest
import uuid
from typing import ClassVar

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import configuration
from console_api.tests.functional.failover import Site
from console_api.tests.functional.postgresql_server import Server
from console_api.tests.functional.postgresql_standby import (
    PostgreSQLStandby,
    database,
    state,
)
from console_api.tests.waiting import TIMEOUT, wait_until


class PostgreSQLStandbyTest(unittest.TestCase):
    cluster: ClassVar[PostgreSQLStandby]

    @classmethod
    def setUpClass(cls):
        cls.cluster = PostgreSQLStandby()
        cls.addClassCleanup(cls.cluster.stop)
        configuration.migrate(cls.cluster.database)

    def test_switching_primaries_loses_nothing(self):
        site = Site(self.cluster)
        self.addCleanup(site.kill)
        for event in self.cluster.events():
            site.run(event)
        self.assertEqual([], site.stop())

    def test_former_primary_acknowledges_no_write(self):
        former = self.cluster.primary
        self.cluster.lose_primary(Server.kill)
        # The machine restarts by itself.
        former.start()
        self.assertEqual("no synchronous standby", state(former))
        server_id = str(uuid.uuid4())
        errors = []
        thread = threading.Thread(
            target=self.insert_server, args=(former, server_id, errors)
        )
        thread.start()
        wait_until(
            lambda: former.value(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE wait_event = 'SyncRep'"
            )
        )
        wait_until(lambda: self.cluster.writer is not None)
        self.assertEqual(self.cluster.primary.name, self.cluster.writer)
        self.cluster.rejoin()
        thread.join(TIMEOUT)
        self.assertIn("server closed the connection", errors[0])
        for replica in self.cluster.replicas():
            self.assertEqual(
                0,
                replica.count(
                    tables.servers, tables.servers.c.uuid == server_id
                ),
            )

    @staticmethod
    def insert_server(server, server_id, errors):
        """Insert a server directly, and keep the error."""
        try:
            database(server).execute(
                tables.servers.insert(),
                {
                    "uuid": server_id,
                    "project_id": "project",
                    "name": "web1",
                    "instance_name": "instance-00000001",
                },
            )
        except sa.exc.OperationalError as error:
            errors.append(str(error))
