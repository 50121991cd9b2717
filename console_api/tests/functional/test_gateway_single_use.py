# SPDX-License-Identifier: Apache-2.0
"""Tokens that open one session, through two gateways."""

import collections
import threading

from console_api.tests.functional import base, vnc_servers
from console_api.tests.functional.gateways import (
    GatewayTestCase,
    subprotocols,
)

# Status 503 means that the page may try again: the database was busy.
_REFUSALS = {409, 503}


@base.on_databases("postgresql")
class SingleUseTests(GatewayTestCase):
    options = {"tokens": {"single_use": "true"}}
    gateway_options = {"gateway": {"max_attempts": "1000"}}

    def setUp(self):
        super().setUp()
        self.display = vnc_servers.xvnc()
        self.addCleanup(self.display.stop)

    def test_one_of_many_exchanges_succeeds(self):
        both = [self.gateway, self.start_gateway()]
        token = self.token_for(self.display.port)
        answers = []
        threads = [
            threading.Thread(
                target=lambda number=number: answers.append(
                    both[number % 2].exchange(token)
                )
            )
            for number in range(100)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = collections.Counter(answer.status for answer in answers)
        self.assertEqual(100, statuses.total())
        self.assertEqual(1, statuses[200], statuses)
        self.assertLessEqual(set(statuses), {200} | _REFUSALS)

    def test_get_does_not_use_token(self):
        token = self.token_for(self.display.port)
        for method in ("GET", "HEAD"):
            for path in ("/", "/vnc_auto.html", "/vnc_lite.html"):
                answer = self.gateway.request(
                    method, f"{path}?path=%3Ftoken%3D{token}"
                )
                self.assertEqual(200, answer.status)
        answer = self.gateway.exchange(token)
        self.assertEqual(200, answer.status, answer.body)
        console = answer.json

        again = self.gateway.exchange(token)
        self.assertEqual(409, again.status)
        self.assertEqual(
            ("token_used", 4010), (again.json["reason"], again.json["code"])
        )
        thief = self.gateway.connect(f"/?token={token}")
        self.addCleanup(thief.close)
        self.assertEqual(4010, thief.wait_until_closed().code)

        # The browser that exchanged it comes back.
        for _ in range(2):
            viewer = self.gateway.viewer(
                f"/connect/{console['console']}",
                subprotocols=subprotocols(console["secret"]),
            )
            viewer.begin()
            viewer.socket.close()

    def test_token_stays_used_after_crash(self):
        token = self.token_for(self.display.port)
        viewer = self.gateway.viewer(f"/?token={token}")
        viewer.begin()
        self.gateway.kill()
        other = self.start_gateway()
        self.assertEqual(409, other.exchange(token).status)
        viewer.socket.close()
