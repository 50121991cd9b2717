# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster whose writer fails under load."""

import unittest

from console_api.tests.functional.failover import Site
from console_api.tests.functional.galera import GaleraCluster


class GaleraTest(unittest.TestCase):
    def test_switching_writers_loses_nothing(self):
        cluster = GaleraCluster()
        self.addCleanup(cluster.stop)
        site = Site(cluster)
        self.addCleanup(site.kill)
        for event in cluster.events():
            site.run(event)
        self.assertEqual([], site.stop())
