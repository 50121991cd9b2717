# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import Any

from console_api.agent.drivers.xvp import fields
from console_api.agent.drivers.xvp.pools import Pool
from console_api.agent.drivers.xvp.writer import Writer
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.xvp.base import (
    PASSWORD_HEX,
    by_id,
    console,
)


def pool(name: str, compute_hosts: str = "*") -> Pool:
    return Pool(
        name,
        compute_hosts.split(),
        frozenset({"xs1", "xs1.example.org"}),
        [f"POOL {name}", 'DOMAIN ""', f"MANAGER u {'0' * 32}", "HOST h"],
    )


class PlanTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.writer = Writer(
            [pool("a", "a-* b-*"), pool("b", "b-* c-*")], 2000
        )

    def test_text_lists_pools_and_consoles_in_order(self) -> None:
        consoles = by_id(
            console(7, compute_host="c-1", instance_name="a server"),
            console(3, 2003, compute_host="c-1"),
            console(5, 2005, compute_host="b-1"),
        )
        plan = self.writer.plan(consoles)
        self.assertEqual(
            [
                *("OTP DENY", "MULTIPLEX 2000"),
                *pool("a").lines,
                f"VM 2005 vm-5 {PASSWORD_HEX}",
                *pool("b").lines,
                f"VM 2003 vm-3 {PASSWORD_HEX}",
                f'VM - "a server" {PASSWORD_HEX}',
            ],
            plan.text.splitlines(),
        )
        self.assertEqual({2000, 2003, 2005}, plan.ports)
        self.assertEqual(consoles, plan.consoles)
        self.assertEqual({}, plan.problems)
        self.assertNotIn(PASSWORD_HEX, repr(plan))

    def test_pool_without_server_is_left_out(self) -> None:
        plan = self.writer.plan(by_id(console(1, compute_host="c-1")))
        self.assertNotIn("POOL a\n", plan.text)
        self.assertIn("POOL b\n", plan.text)

    def test_multiplexed_console_needs_multiplex_port(self) -> None:
        plan = Writer([pool("a")], None).plan(
            by_id(console(1), console(2, 2002))
        )
        self.assertNotIn("MULTIPLEX", plan.text)
        self.assertEqual([2], list(plan.consoles))
        self.assertIn("no multiplex port", plan.problems[1])

    def test_file_without_console_is_empty(self) -> None:
        for consoles in ({}, by_id(console(1, instance_name="#"))):
            plan = self.writer.plan(consoles)
            self.assertEqual(("", frozenset()), (plan.text, plan.ports))
            self.assertEqual(set(consoles), set(plan.problems))

    def test_console_that_xvp_would_refuse_is_left_out(self) -> None:
        good = console(1, 2001, compute_host="a-1")
        usual: dict[str, Any] = {"port": 2002, "compute_host": "a-1"}
        values: dict[str, Any]
        for values, reason in (
            ({"compute_host": None}, "no pool serves the compute host"),
            ({"compute_host": "d-1"}, "no pool serves the compute host"),
            ({"instance_name": 'a"'}, "its instance name must consist"),
            ({"instance_name": "a#"}, "its instance name must consist"),
            ({"instance_name": ""}, "must not be empty"),
            ({"instance_name": "a" * 81}, "at most 80"),
            ({"instance_name": "vm-1"}, "another server of its pool"),
            ({"instance_name": "uuid=vm-1"}, "another server of its pool"),
            ({"instance_name": "XS1"}, "that of a host of its pool"),
            ({"instance_name": "xs1.Example.org"}, "that of a host"),
            ({"instance_name": "192.0.2.1"}, "taken for a host"),
            ({"instance_name": "a:b", "port": None}, "contain a colon"),
            ({"port": 2001}, "port 2001 is used twice"),
            ({"port": 2000}, "port 2000 is used twice"),
            ({"port": 1023}, "between 1024 and 65535"),
            ({"port": 65536}, "between 1024 and 65535"),
            ({"password": "secret 12"}, "1 to 8 bytes"),
            ({"password": "secret 1"}, "without spaces"),
        ):
            bad = console(2, **{**usual, **values})
            with self.subTest(str(values)):
                plan = self.writer.plan(by_id(good, bad))
                self.assertEqual(by_id(good), plan.consoles)
                self.assertEqual([2], list(plan.problems))
                self.assertIn(reason, plan.problems[2])
                self.assertNotIn("secret", plan.problems[2])

    def test_uuid_used_twice_in_one_pool_is_left_out(self) -> None:
        # xvp accepts such a file, and serves only one of the servers.
        plan = self.writer.plan(
            by_id(
                console(1, compute_host="a-1", instance_name=base.SERVER),
                console(2, compute_host="b-1", instance_name=base.SERVER),
            )
        )
        self.assertEqual([1], list(plan.consoles))
        self.assertIn("another server of its pool", plan.problems[2])

    def test_first_and_last_port_are_served(self) -> None:
        consoles = by_id(
            *(
                console(port, port, compute_host="a-1")
                for port in (1024, 65535)
            )
        )
        self.assertEqual(consoles, self.writer.plan(consoles).consoles)

    def test_names_are_unique_in_each_pool_only(self) -> None:
        plan = self.writer.plan(
            by_id(
                console(1, compute_host="a-1", instance_name="mail"),
                console(2, compute_host="c-1", instance_name="mail"),
            )
        )
        self.assertEqual({}, plan.problems)

    def test_port_in_use_by_another_program_is_left_out(self) -> None:
        consoles = by_id(
            console(1, compute_host="a-1"),
            console(2, 2002, compute_host="a-1"),
            console(3, 2003, compute_host="a-1"),
        )
        plan = self.writer.plan(consoles, {2002})
        self.assertEqual({1, 3}, set(plan.consoles))
        self.assertIn("another program uses port 2002", plan.problems[2])
        plan = self.writer.plan(consoles, {2000})
        self.assertEqual({2, 3}, set(plan.consoles))
        self.assertNotIn("MULTIPLEX", plan.text)

    def test_dedicated_ports_are_limited(self) -> None:
        count = fields.MAX_PORTS + 1
        plan = self.writer.plan(
            by_id(
                *(
                    console(n, 10000 + n, compute_host="a-1")
                    for n in range(count)
                ),
                console(count, compute_host="a-1"),
            )
        )
        self.assertEqual([count - 1], list(plan.problems))
        self.assertIn("at most 1000 ports", plan.problems[count - 1])

    def test_ports_includes_multiplex_port(self) -> None:
        self.assertEqual(frozenset(), self.writer.ports({}))
        self.assertEqual(
            {2000, 2001},
            self.writer.ports(
                by_id(console(1), console(2, 2001), console(3, 80))
            ),
        )
