# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster under load: failures of the writer, several writers."""

import unittest
import uuid
from typing import ClassVar

from console_api.tests.functional import configuration, databases, servers
from console_api.tests.functional.failover import Site
from console_api.tests.functional.failover_load import Load
from console_api.tests.functional.galera import GaleraCluster
from console_api.tests.waiting import wait_until


class GaleraTest(unittest.TestCase):
    cluster: ClassVar[GaleraCluster]

    @classmethod
    def setUpClass(cls):
        cls.cluster = GaleraCluster(hurries=True)
        cls.addClassCleanup(cls.cluster.stop)
        configuration.migrate(cls.cluster.database)

    def test_switching_writers_loses_nothing(self):
        site = Site(self.cluster)
        self.addCleanup(site.kill)
        for event in self.cluster.events():
            # For clients, it is similar to "freeze".
            if event.name != "isolated":
                site.run(event)
        self.assertEqual([], site.stop())

    def test_conflicts_of_two_writers_are_retried(self):
        replicas = self.cluster.replicas()
        compute_host = f"compute-{uuid.uuid4().hex}"
        databases.insert_console_host(
            replicas[0],
            {
                "host": compute_host,
                "console_type": "vnc",
                "public_hostname": "127.0.0.1",
                "compute_hosts": compute_host,
                "min_port": 20000,
                "max_port": 20099,
                "enabled": True,
                "console_count": 0,
            },
        )
        loads = []
        for replica in replicas[:2]:
            server = servers.start(replica)
            self.addCleanup(server.stop)
            load = Load(server, replica, compute_host)
            self.addCleanup(load.abandon)
            loads.append(load)
        for load in loads:
            load.start()
        wait_until(
            lambda: (
                self.conflicts() > 3 or any(load.problems for load in loads)
            )
        )
        for load in loads:
            load.stop()
        for load in loads:
            self.assertEqual([], load.verify(*replicas))
            refused = [status for status in load.statuses() if "503" in status]
            self.assertEqual([], refused)

    def conflicts(self):
        return self.cluster.counter(
            "wsrep_local_cert_failures"
        ) + self.cluster.counter("wsrep_local_bf_aborts")
