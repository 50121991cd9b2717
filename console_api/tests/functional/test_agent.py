# SPDX-License-Identifier: Apache-2.0
"""The agent serves the consoles in the database, through all failures."""

import socket
from concurrent.futures import ThreadPoolExecutor

from console_api.db import tables
from console_api.tests.functional import agents, base, configuration
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.ports import is_free
from console_api.tests.unit.cmd.manage.base import run
from console_api.tests.waiting import TIMEOUT

# A port without a display.
CLOSED_PORT = 1


@base.on_each_database
class AgentTests(AgentTestCase):
    agent_options = {"agent": {"retry_interval": "1"}}

    def manage(self, *arguments):
        """Run console-api-manage, which must succeed without warnings."""
        outcome = run(self.folder, *arguments)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome

    def test_port_is_open_until_console_is_deleted(self):
        self.assertEqual(set(), self.open_ports())
        one, two = self.make_access(CLOSED_PORT), self.make_access(CLOSED_PORT)
        self.assertEqual({one.port, two.port}, self.open_ports())
        self.delete(one)
        self.eventually(lambda: self.open_ports() == {two.port})
        for message in (
            f"Console {one.id} of server",
            f"is served on port {one.port}",
            f"Console {one.id} is no longer served",
        ):
            self.assertEqual(1, self.agent.log.count(message), self.agent.log)

    def test_restart_after_crash_serves_current_consoles(self):
        kept, deleted = (
            self.make_access(CLOSED_PORT),
            self.make_access(CLOSED_PORT),
        )
        self.agent.kill()
        self.delete(deleted)
        path = f"/servers/{self.server_with_display(CLOSED_PORT)}/consoles"
        self.assertEqual(200, self.member.post(path).status)
        self.agent = self.start_agent()
        [made] = self.console_rows(path.split("/")[2])
        self.assertEqual({kept.port, made.port}, self.open_ports())

    def test_sigterm_closes_ports(self):
        access = self.make_access(CLOSED_PORT)
        self.assertEqual(0, self.agent.stop())
        self.assertTrue(is_free(access.port))

    def test_passwords_are_not_logged(self):
        access = self.make_access(CLOSED_PORT)
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate("wrong"))
        self.assertIn("wrong password", self.agent.log)
        self.assertNotIn(access.password, self.agent.log)

    def test_port_in_use_is_logged_once_and_retried(self):
        lowest, highest = map(int, self.port_range().split("-"))
        with socket.create_server(("127.0.0.1", lowest)):
            accesses = [
                self.member.post(f"/servers/{server_id}/consoles")
                for server_id in (
                    self.server_with_display(CLOSED_PORT)
                    for _ in range(highest - lowest + 1)
                )
            ]
            self.assertEqual({200}, {reply.status for reply in accesses})
            others = set(range(lowest + 1, highest + 1))
            self.eventually(lambda: self.open_ports() == others)
            self.eventually_logged(f"Port {lowest} cannot be opened")
        self.eventually(lambda: lowest in self.open_ports())
        count = self.agent.log.count(f"Port {lowest} cannot be opened")
        self.assertEqual(1, count)

    def port_range(self):
        row = self.console_host(self.host, "vnc")
        return f"{row.min_port}-{row.max_port}"

    def test_deleting_server_closes_port(self):
        access = self.make_access(CLOSED_PORT)
        self.manage("server", "delete", access.path.split("/")[2])
        self.eventually(lambda: self.open_ports() == set())

    def test_deleted_host_registers_again(self):
        self.make_access(CLOSED_PORT)
        self.manage("console-host", "delete", self.host, "--with-consoles")
        self.eventually(lambda: self.open_ports() == set())
        hosts = tables.console_hosts
        self.eventually(
            lambda: self.database.count(hosts, hosts.c.host == self.host)
        )
        self.make_access(CLOSED_PORT)

    def test_console_host_list_shows_agent(self):
        self.make_access(CLOSED_PORT)
        listed = self.manage("console-host", "list", "-f", "json").json
        [host] = [host for host in listed if host["host"] == self.host]
        self.assertEqual(
            ("up", 1, 1), (host["state"], host["consoles"], host["ports_used"])
        )


@base.on_database_servers
class UnavailableDatabaseTests(AgentTestCase):
    def agent_database(self):
        url = self.database.url
        port = url.port or {"mysql": 3306, "postgresql": 5432}[self.backend]
        self.proxy = TCPProxy(url.host, port)
        self.addCleanup(self.proxy.cut)
        return TestDatabase(
            self.backend, url.set(host="127.0.0.1", port=self.proxy.port)
        )

    def test_consoles_stay_and_changes_follow_later(self):
        kept, deleted = (
            self.make_access(CLOSED_PORT),
            self.make_access(CLOSED_PORT),
        )
        self.proxy.cut()
        self.eventually_logged("The database is unavailable")
        self.delete(deleted)
        path = f"/servers/{self.server_with_display(CLOSED_PORT)}/consoles"
        self.member.post(path)
        self.assertEqual({kept.port, deleted.port}, self.open_ports())
        self.proxy.restore()
        [made] = self.console_rows(path.split("/")[2])
        self.eventually(lambda: self.open_ports() == {kept.port, made.port})

    def test_sigterm_while_database_hangs(self):
        access = self.make_access(CLOSED_PORT)
        self.proxy.stall()
        self.assertTrue(self.proxy.holds.wait(TIMEOUT))
        self.agent.process.terminate()
        self.assertEqual(0, self.agent.process.wait(10))
        self.assertTrue(is_free(access.port))

    def test_start_without_database(self):
        access = self.make_access(CLOSED_PORT)
        self.agent.kill()
        self.proxy.cut()
        with ThreadPoolExecutor(1) as pool:
            # It is not ready until it has read the database.
            started = pool.submit(self.start_agent)
            self.eventually_logged("Starting without the database")
            self.assertFalse(started.done())
            self.proxy.restore()
            self.agent = started.result()
        self.assertEqual({access.port}, self.open_ports())


class StartErrorTests(base.DatabaseTestCase):
    backend = "sqlite"

    def start_error(self, options, database=None):
        database = database or configuration.migrated(self.backend)
        with self.assertRaises(agents.NotReady) as caught:
            agents.Agent(agents.configure(database, "console-1", options))
        output = str(caught.exception)
        self.assertNotIn("Traceback", output)
        return output

    def test_invalid_option_is_reported_in_a_sentence(self):
        for options, expected in (
            ({"agent": {"driver": "none"}}, "there is no driver 'none'"),
            (
                {"agent": {"ports": "5-4"}},
                "must begin with the lower port",
            ),
            ({"agent": {"multiplex_port": "443"}}, "needs a port for each"),
            (
                {"vnc": {"endpoint_tls_ca_file": "/none"}},
                "[vnc] endpoint_tls_ca_file, endpoint_tls_cert_file",
            ),
            ({"vnc": {"endpoint_password": "secret"}}, "must be a pattern of"),
        ):
            with self.subTest(options):
                output = self.start_error(options)
                self.assertIn(expected, output)
                self.assertNotIn("secret", output)

    def test_database_without_schema_is_refused(self):
        self.assertIn("db sync", self.start_error({}, self.new_database()))
