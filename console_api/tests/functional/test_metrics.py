# SPDX-License-Identifier: Apache-2.0
"""Metrics for Prometheus, while policy files are edited."""

import os
import re
import time
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families

from console_api.policy import last_good
from console_api.tests.functional import base, configuration, documentation

INDEX = "os_compute_api:os-consoles:index"

SUCCESSFUL = "console_api_policy_last_reload_successful"
LOADED_AT = "console_api_policy_last_reload_success_timestamp_seconds"
SINCE = "console_api_policy_refused_since_timestamp_seconds"

WORKERS = 2
# Enough that all workers answer some.
REQUESTS = 20


def names(text):
    """Return the lines of metrics without their values."""
    return [
        line if line.startswith("#") else re.split(r" |version", line)[0]
        for line in text.strip().splitlines()
    ]


@base.on_databases("sqlite")
class MetricsTests(base.FunctionalTestCase):
    def choose_server(self):
        # A worker may start when the policy file is broken already.
        place = configuration.temporary_folder()
        place.chmod(0o700)
        with mock.patch.dict(os.environ, {last_good.ENVIRONMENT: str(place)}):
            return self.start_server(workers=WORKERS)

    def edit(self, text):
        """Replace the policy file."""
        draft = self.server.folder / "draft.yaml"
        draft.write_text(text)
        draft.rename(self.server.folder / "policy.yaml")

    def read(self):
        """Return the metrics of a worker, by name and labels."""
        reply = self.client(None, prefix="").get("/metrics")
        self.assertEqual(200, reply.status)
        text = reply.body.decode()
        self.assertNotIn(str(self.server.folder), text)
        self.assertNotIn(INDEX, text)
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def eventually_all(self, value):
        """Wait until all workers return a value; return their metrics."""
        found = []

        def is_stable():
            found[:] = [self.read() for _ in range(REQUESTS)]
            return {each[SUCCESSFUL,] for each in found} == {value}

        self.eventually(is_stable)
        return found

    def test_policy_is_refused_until_it_is_mended(self):
        for each in self.eventually_all(1):
            self.assertNotIn((SINCE,), each)
            self.assertEqual(0, each["console_api_policy_findings", "error"])
        edited_at = time.time()
        self.edit(f'"{INDEX}": off\n')
        # Workers that notice it later return the same time.
        refused = self.eventually_all(0)
        [since] = {each[SINCE,] for each in refused}
        self.assertAlmostEqual(edited_at, since, delta=1)
        for each in refused:
            self.assertEqual(1, each["console_api_policy_findings", "error"])
        self.edit(f'"{INDEX}": "role:auditor"\n')
        for each in self.eventually_all(1):
            self.assertNotIn((SINCE,), each)
            self.assertGreater(each[LOADED_AT,], since)

    def test_documented_response_is_returned(self):
        text, *_ = documentation.blocks("admin/monitoring", "text")
        self.edit("a: [\n")
        self.eventually_all(0)
        reply = self.client(None, prefix="").get("/metrics")
        self.assertEqual(
            names(text), names(reply.body.decode()), reply.body.decode()
        )

    def test_metrics_need_no_database(self):
        # Nothing listens there.
        connection = "mysql+pymysql://user:secret@127.0.0.1:1/console_api"
        self.server = self.start_server(
            {"database": {"connection": connection}}
        )
        health = self.client(None, prefix="").get("/healthcheck")
        self.assertEqual(503, health.status)
        self.assertEqual(1, self.read()[SUCCESSFUL,])
