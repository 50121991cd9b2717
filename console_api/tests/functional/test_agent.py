# SPDX-License-Identifier: Apache-2.0
"""The agent makes what the database says, whatever happens."""

import socket
from concurrent.futures import ThreadPoolExecutor

from console_api.db import tables
from console_api.tests.functional import agents, base, configuration
from console_api.tests.functional.agent_base import AgentTestCase
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.ports import is_free
from console_api.tests.unit.cmd.manage.base import run

# A port where nobody serves a screen.
NOBODY = 1


@base.on_each_database
class AgentTests(AgentTestCase):
    agent_options = {"agent": {"retry_interval": "1"}}

    def manage(self, *arguments):
        """Run a command of the operator's, which must not complain."""
        outcome = run(self.folder, *arguments)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome

    def test_a_console_is_open_until_it_is_deleted(self):
        self.assertEqual(set(), self.open_ports())
        one, two = self.make_access(NOBODY), self.make_access(NOBODY)
        self.assertEqual({one.port, two.port}, self.open_ports())
        self.delete(one)
        self.eventually(lambda: self.open_ports() == {two.port})
        for said in (
            f"Console {one.id} of server",
            f"is served on port {one.port}",
            f"Console {one.id} is no longer served",
        ):
            self.assertEqual(1, self.agent.log.count(said), self.agent.log)

    def test_a_crash_loses_nothing(self):
        kept, deleted = self.make_access(NOBODY), self.make_access(NOBODY)
        self.agent.kill()
        self.delete(deleted)
        path = f"/servers/{self.server_with_screen(NOBODY)}/consoles"
        self.assertEqual(200, self.member.post(path).status)
        self.agent = self.start_agent()
        [made] = self.console_rows(path.split("/")[2])
        self.assertEqual({kept.port, made.port}, self.open_ports())

    def test_it_ends_when_asked_to(self):
        access = self.make_access(NOBODY)
        self.assertEqual(0, self.agent.stop())
        self.assertTrue(is_free(access.port))

    def test_no_password_is_logged(self):
        access = self.make_access(NOBODY)
        with access.viewer() as viewer:
            self.assertEqual(1, viewer.authenticate("wrong"))
        self.assertIn("wrong password", self.agent.log)
        self.assertNotIn(access.password, self.agent.log)

    def test_a_port_that_another_program_has_is_reported(self):
        lowest, highest = map(int, self.port_range().split("-"))
        with socket.create_server(("127.0.0.1", lowest)):
            accesses = [
                self.member.post(f"/servers/{server_id}/consoles")
                for server_id in (
                    self.server_with_screen(NOBODY)
                    for _ in range(highest - lowest + 1)
                )
            ]
            self.assertEqual({200}, {reply.status for reply in accesses})
            others = set(range(lowest + 1, highest + 1))
            self.eventually(lambda: self.open_ports() == others)
            self.eventually_logged(f"Port {lowest} cannot be opened")
        self.eventually(lambda: lowest in self.open_ports())
        said = self.agent.log.count(f"Port {lowest} cannot be opened")
        self.assertEqual(1, said)

    def port_range(self):
        row = self.console_host(self.host, "vnc")
        return f"{row.min_port}-{row.max_port}"

    def test_a_server_that_is_deleted_takes_its_console_along(self):
        access = self.make_access(NOBODY)
        self.manage("server", "delete", access.path.split("/")[2])
        self.eventually(lambda: self.open_ports() == set())

    def test_a_host_that_an_operator_deletes_registers_again(self):
        self.make_access(NOBODY)
        self.manage("console-host", "delete", self.host, "--with-consoles")
        self.eventually(lambda: self.open_ports() == set())
        hosts = tables.console_hosts
        self.eventually(
            lambda: self.database.count(hosts, hosts.c.host == self.host)
        )
        self.make_access(NOBODY)

    def test_operators_see_that_it_is_up(self):
        self.make_access(NOBODY)
        listed = self.manage("console-host", "list", "-f", "json").json
        [host] = [host for host in listed if host["host"] == self.host]
        self.assertEqual(
            ("up", 1, 1), (host["state"], host["consoles"], host["ports_used"])
        )


@base.on_database_servers
class DatabaseAwayTests(AgentTestCase):
    def agent_database(self):
        url = self.database.url
        port = url.port or {"mysql": 3306, "postgresql": 5432}[self.backend]
        self.proxy = TCPProxy(url.host, port)
        self.addCleanup(self.proxy.cut)
        return TestDatabase(
            self.backend, url.set(host="127.0.0.1", port=self.proxy.port)
        )

    def test_what_is_there_stays_and_the_rest_is_caught_up(self):
        kept, deleted = self.make_access(NOBODY), self.make_access(NOBODY)
        self.proxy.cut()
        self.eventually_logged("The database does not answer")
        self.delete(deleted)
        path = f"/servers/{self.server_with_screen(NOBODY)}/consoles"
        self.member.post(path)
        self.assertEqual({kept.port, deleted.port}, self.open_ports())
        self.proxy.restore()
        [made] = self.console_rows(path.split("/")[2])
        self.eventually(lambda: self.open_ports() == {kept.port, made.port})

    def test_it_ends_while_the_database_hangs(self):
        access = self.make_access(NOBODY)
        self.proxy.stall()
        self.assertTrue(self.proxy.holds.wait(agents.TIMEOUT))
        self.agent.process.terminate()
        self.assertEqual(0, self.agent.process.wait(10))
        self.assertTrue(is_free(access.port))

    def test_it_starts_without_a_database(self):
        access = self.make_access(NOBODY)
        self.agent.kill()
        self.proxy.cut()
        with ThreadPoolExecutor(1) as pool:
            # It is ready when consoles are served, and so not yet.
            started = pool.submit(self.start_agent)
            self.eventually_logged("Starting without the database")
            self.assertFalse(started.done())
            self.proxy.restore()
            self.agent = started.result()
        self.assertEqual({access.port}, self.open_ports())


class RefusalTests(base.DatabaseTestCase):
    backend = "sqlite"

    def refused(self, options, database=None):
        database = database or configuration.migrated(self.backend)
        with self.assertRaises(agents.NotReady) as caught:
            agents.Agent(agents.configure(database, "console-1", options))
        said = str(caught.exception)
        self.assertNotIn("Traceback", said)
        return said

    def test_what_cannot_work_is_said_in_a_sentence(self):
        for options, expected in (
            ({"agent": {"driver": "none"}}, "there is no driver 'none'"),
            (
                {"agent": {"ports": "5-4"}},
                "[agent] ports must begin with the lower port",
            ),
            ({"agent": {"multiplex_port": "443"}}, "needs a port for each"),
            (
                {"vnc": {"tls_ca_file": "/none"}},
                "[vnc] tls_ca_file, tls_cert_file",
            ),
            ({"vnc": {"endpoint_password": "secret"}}, "must be a pattern of"),
        ):
            with self.subTest(options):
                said = self.refused(options)
                self.assertIn(expected, said)
                self.assertNotIn("secret", said)

    def test_another_schema_is_refused(self):
        self.assertIn("db sync", self.refused({}, self.new_database()))
