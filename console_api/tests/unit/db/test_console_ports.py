# SPDX-License-Identifier: Apache-2.0
"""The search of a free port, over every state of a small range."""

import itertools
import random
from collections.abc import Collection
from unittest import mock

import sqlalchemy as sa

from console_api.db import console_ports, tables
from console_api.db.console_hosts import ConsoleHostRow
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class FreePortTest(base.DatabaseCase):
    low, high = 5902, 5906

    def setUp(self) -> None:
        super().setUp()
        self.host = self.add_console_host(
            min_port=self.low, max_port=self.high
        )
        self.other = self.add_console_host("console-2")
        around = range(self.low - 2, self.high + 3)
        for number in range(len(around) + 1):
            self.add_server(server_id(number))

    def take(
        self,
        connection: sa.Connection,
        host: ConsoleHostRow,
        console_type: str,
        ports: Collection[int],
    ) -> None:
        connection.execute(
            tables.consoles.insert(),
            [
                {
                    "server_id": server_id(number),
                    "console_host_id": host.id,
                    "console_type": console_type,
                    "instance_name": "x",
                    "port": port,
                    "encrypted_password": "x",
                    "created_at": 1,
                }
                for number, port in enumerate(ports)
            ],
        )

    def assertFindsFreePort(
        self, connection: sa.Connection, taken: Collection[int]
    ) -> None:
        every = range(self.low, self.high + 1)
        for start in every:
            with mock.patch.object(random, "randint", return_value=start):
                found = console_ports.find_free(connection, self.host)
            if found in taken or found not in every:
                self.fail(f"{found} is not free: {taken=} {start=}")

    def test_free_port_is_found_in_every_state(
        self,
    ) -> None:
        every = range(self.low, self.high + 1)
        for count in range(len(every)):
            for taken in itertools.combinations(every, count):
                with self.database.transaction() as connection:
                    # On another host, none of these ports is in the way.
                    self.take(connection, self.other, "other", every)
                    if taken:
                        self.take(connection, self.host, "vnc", taken)
                    self.assertFindsFreePort(connection, taken)
                    connection.rollback()

    def test_ports_around_the_range_are_ignored(self) -> None:
        every = range(self.low, self.high + 1)
        around = (*range(self.low - 2, self.low), *range(self.high + 1, 5909))
        for free in every:
            taken = [*around, *(port for port in every if port != free)]
            with self.database.transaction() as connection:
                self.take(connection, self.host, "vnc", taken)
                self.assertFindsFreePort(connection, taken)
                connection.rollback()

    def test_search_starts_at_random_port(self) -> None:
        with (
            self.database.transaction() as connection,
            mock.patch.object(random, "randint", return_value=5904) as randint,
        ):
            console_ports.find_free(connection, self.host)
        randint.assert_called_once_with(self.low, self.high)
