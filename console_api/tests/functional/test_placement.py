# SPDX-License-Identifier: Apache-2.0
"""Which console host a console goes to, and on which port."""

import uuid

from console_api.db import tables
from console_api.tests.functional import base

NO_HOST = (
    "No console host serves the compute host of server {}. Ask the operator "
    "to register one."
)
NO_PORT = (
    "No console host for server {} has a free port. Retry the request later, "
    "or ask the operator to add ports."
)


@base.on_each_database
class PlacementTests(base.FunctionalTestCase):
    def create(self, server_id, status=200):
        reply = self.member.post(f"/servers/{server_id}/consoles")
        self.assertEqual(status, reply.status, reply.body)
        return reply

    def place(self, server_id=None):
        """Create a server's console and return its row."""
        server_id = server_id or self.make_server()
        self.create(server_id)
        return self.console_rows(server_id)[-1]

    def show(self, row):
        path = f"/servers/{row.server_id}/consoles/{row.id}"
        return self.member.get(path).json["console"]

    def test_host_with_fewest_consoles_is_used(self):
        hosts = [self.make_console_host() for _ in range(3)]
        placed = [self.place().host for _ in range(9)]
        self.assertEqual([3] * 3, [placed.count(host) for host in hosts])
        self.assertEqual(
            [3] * 3, [self.console_host(host).console_count for host in hosts]
        )

    def test_patterns_select_the_host(self):
        def check(patterns, served):
            host = self.make_console_host(compute_hosts=patterns)
            server_id = self.make_server(compute_host=compute_host)
            if served:
                self.assertEqual(host, self.place(server_id).host)
            else:
                reply = self.create(server_id, 503)
                self.assertEqual(NO_HOST.format(server_id), reply.message)
            hosts = tables.console_hosts
            self.change_console_host(host, enabled=False)
            self.assertEqual(
                1, self.database.count(hosts, hosts.c.host == host)
            )

        name = uuid.uuid4().hex
        compute_host = f"rack1-{name}-a"
        self.each(
            [
                (compute_host, True),
                (f"rack?-{name}-*", True),
                (f"rack[12]-{name}-[ab]", True),
                (f"other-* rack1-{name}-*  last", True),
                (f"rack1-{name}", False),
                (f"rack1-{name}-b", False),
                (f"Rack1-{name}-a", False),
                (f"*-{name}", False),
            ],
            check,
        )

    def test_server_without_compute_host_is_503(self):
        self.make_console_host()
        server_id = self.make_server(compute_host=None)
        reply = self.create(server_id, 503)
        self.assertIn("is not scheduled to a compute host yet", reply.message)
        self.assertEqual([], self.console_rows(server_id))

    def test_disabled_host_gets_no_new_console(self):
        disabled = self.make_console_host()
        first = self.place()
        self.change_console_host(disabled, enabled=False)
        server_id = self.make_server()
        reply = self.create(server_id, 503)
        self.assert_fault(reply, 503, NO_HOST.format(server_id))
        self.assertEqual([], self.console_rows(server_id))
        enabled = self.make_console_host()
        self.assertEqual(enabled, self.place(server_id).host)
        # What it has, it keeps.
        self.assertEqual(first, self.place(first.server_id))
        self.assertEqual(1, self.console_host(disabled).console_count)

    def test_create_on_full_host_is_503(self):
        host = self.make_console_host(min_port=30000, max_port=30002)
        ports = {self.place().port for _ in range(3)}
        self.assertEqual({30000, 30001, 30002}, ports)
        server_id = self.make_server()
        reply = self.create(server_id, 503)
        self.assert_fault(reply, 503, NO_PORT.format(server_id))
        self.assertEqual([], self.console_rows(server_id))
        self.assertEqual(3, self.console_host(host).console_count)
        roomy = self.make_console_host()
        self.assertEqual(roomy, self.place(server_id).host)

    def test_port_of_deleted_console_is_reused(self):
        self.make_console_host(min_port=30000, max_port=30003)
        rows = [self.place() for _ in range(4)]
        for row in rows:
            reply = self.member.delete(
                f"/servers/{row.server_id}/consoles/{row.id}"
            )
            self.assertEqual(202, reply.status)
            self.assertEqual(row.port, self.place().port)

    def test_multiplexed_host_has_no_limit(self):
        host = self.make_console_host(multiplex_port=5999)
        rows = [self.place() for _ in range(5)]
        self.assertEqual({None}, {row.port for row in rows})
        self.assertEqual({5999}, {self.show(row)["port"] for row in rows})
        self.assertEqual(5, self.console_host(host).console_count)

    def test_first_offered_type_is_created(self):
        self.make_console_host(console_type="vnc+xvp")
        first = self.place()
        self.make_console_host(console_type="vnc")
        self.make_console_host(console_type="unknown")
        second = self.place()
        self.assertEqual("vnc+xvp", first.console_type)
        self.assertEqual("vnc", second.console_type)

    def test_preferred_type_is_added_when_offered(self):
        self.make_console_host(console_type="vnc+xvp")
        server_id = self.make_server()
        xvp = self.place(server_id)
        self.make_console_host(console_type="vnc")
        for _ in range(2):
            self.create(server_id)
            self.assertEqual(
                [(xvp.id, "vnc+xvp"), (xvp.id + 1, "vnc")],
                [
                    (xvp.id + index, row.console_type)
                    for index, row in enumerate(self.console_rows(server_id))
                ],
            )

    def test_full_host_of_preferred_type_is_503(self):
        full = self.make_console_host(
            console_type="vnc", min_port=1, max_port=1
        )
        self.place()
        self.make_console_host(console_type="vnc+xvp")
        server_id = self.make_server()
        reply = self.create(server_id, 503)
        self.assertEqual(NO_PORT.format(server_id), reply.message)
        self.assertEqual(1, self.console_host(full, "vnc").console_count)

    def test_unconfigured_type_is_never_created(self):
        self.make_console_host(console_type="unknown")
        server_id = self.make_server()
        reply = self.create(server_id, 503)
        self.assertEqual(NO_HOST.format(server_id), reply.message)

    def test_misplaced_console_is_moved_by_next_create(self):
        old = self.make_console_host()
        row = self.place()
        password = self.show(row)["password"]
        new = self.make_console_host(min_port=40000, max_port=40009)
        self.change_console_host(old, compute_hosts="elsewhere")
        moved = self.place(row.server_id)
        self.assertEqual((row.id, new), (moved.id, moved.host))
        self.assertIn(moved.port, range(40000, 40010))
        console = self.show(moved)
        self.assertEqual(password, console["password"])
        self.assertEqual(f"{new}.example.org", console["host"])
        self.assertEqual(moved.port, console["port"])
        counts = [self.console_host(host).console_count for host in (old, new)]
        self.assertEqual([0, 1], counts)

    def test_console_moves_with_its_server(self):
        self.make_console_host()
        row = self.place()
        elsewhere = f"compute-{uuid.uuid4().hex}"
        new = self.make_console_host(compute_hosts=elsewhere)
        servers = tables.servers
        self.database.execute(
            servers.update().where(servers.c.uuid == row.server_id),
            {"compute_host": elsewhere},
        )
        moved = self.place(row.server_id)
        self.assertEqual((row.id, new), (moved.id, moved.host))

    def test_moved_console_gets_type_of_new_host(self):
        old = self.make_console_host(console_type="vnc+xvp")
        row = self.place()
        self.change_console_host(old, compute_hosts="elsewhere")
        self.make_console_host(console_type="vnc", multiplex_port=5999)
        moved = self.place(row.server_id)
        self.assertEqual(
            [(row.id, "vnc", None)],
            [
                (found.id, found.console_type, found.port)
                for found in self.console_rows(row.server_id)
            ],
        )
        self.assertEqual(5999, self.show(moved)["port"])

    def test_console_that_cannot_be_moved_stays(self):
        old = self.make_console_host()
        row = self.place()
        self.change_console_host(old, compute_hosts="elsewhere")
        server_id = row.server_id
        reply = self.create(server_id, 503)
        self.assertEqual(NO_HOST.format(server_id), reply.message)
        full = self.make_console_host(min_port=1, max_port=1)
        self.place()
        reply = self.create(server_id, 503)
        self.assertEqual(NO_PORT.format(server_id), reply.message)
        self.assertEqual([row], self.console_rows(server_id))
        self.assertEqual(1, self.console_host(full).console_count)


@base.on_each_database
class OtherTypesTests(base.FunctionalTestCase):
    """The types and their order are those of the configuration."""

    options = {"consoles": {"types": "vnc+xvp,vnc"}}

    def test_configured_order_of_types_decides(self):
        self.make_console_host(console_type="vnc")
        self.make_console_host(console_type="vnc+xvp")
        server_id = self.make_server()
        self.member.post(f"/servers/{server_id}/consoles")
        [row] = self.console_rows(server_id)
        self.assertEqual("vnc+xvp", row.console_type)
