# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage``, from an empty database, on each database."""

import json
import os
import subprocess
import time
import unittest
import uuid

from console_api.db import schema, tables
from console_api.tests.functional import (
    base,
    configuration,
    databases,
    servers,
)
from console_api.tests.functional.manage import (
    LIST,
    PROGRAM,
    TIMEOUT,
    VNC,
    ManageCase,
    end,
    start,
)
from console_api.tests.unit.cmd.manage.base import run


@base.on_each_database
class FirstStepsTests(ManageCase):
    migrated = False

    def test_commands_set_up_a_cloud_with_a_console(self):
        self.assertIn("console-api-manage db sync", self.refused(*LIST))
        version = ("db", "version", "-f", "json")
        self.assertIsNone(json.loads(self.manage(*version))["found"])
        self.manage("db", "sync")
        self.assertEqual(
            {"found": schema.head(), "needed": schema.head()},
            json.loads(self.manage(*version)),
        )
        self.manage("console-host", "create", "h", "--ports", "5900-5909")
        # In place of its agent.
        self.database.execute(
            tables.console_host_heartbeats.update(),
            {"last_seen_at": databases.ALWAYS_UP},
        )
        made = json.loads(
            self.manage(
                *("server", "create", "web", "--project", "p"),
                *("--compute-host", "c", "--endpoint", VNC, "-f", "json"),
            )
        )
        server = servers.Server(self.folder)
        self.addCleanup(server.stop)
        client = server.client(user="user", project="p")
        path = f"/servers/{made['uuid']}/consoles"
        self.assertEqual(200, client.post(path).status)
        before = self.console(client, path)
        self.manage("keys", "rotate")
        self.assertEqual(before, self.console(client, path))
        self.assertIn("Delete", self.refused("console-host", "delete", "h"))
        self.manage("server", "delete", made["uuid"])
        self.manage("console-host", "delete", "h")
        self.assertEqual([], json.loads(self.manage(*LIST, "-f", "json")))

    def console(self, client, path):
        [listed] = client.get(path).json["consoles"]
        number = listed["console"]["id"]
        return client.get(f"{path}/{number}").json

    def test_concurrent_syncs_upgrade_the_schema_once(self):
        processes = [self.start("db", "sync") for _ in range(3)]
        done = f"The database schema is at version {schema.head()}.\n"
        for process in processes:
            self.assertEqual((0, done, ""), end(process))


@base.on_each_database
class TokensTests(ManageCase):
    def setUp(self):
        super().setUp()
        self.server = str(uuid.uuid4())
        self.manage(
            *("server", "create", "web", "--project", "p"),
            *("--uuid", self.server),
        )

    def add_tokens(self, count, expires_at):
        self.database.execute(
            tables.console_auth_tokens.insert(),
            [
                {
                    "token_hash": uuid.uuid4().hex * 2,
                    "server_id": self.server,
                    "console_type": "novnc",
                    "host": "h",
                    "port": 1,
                    "expires_at": int(expires_at),
                }
                for _ in range(count)
            ],
        )

    def test_concurrent_purges_delete_expired_tokens_only(self):
        self.add_tokens(3000, time.time() - 1)
        processes = [
            self.start("token", "purge", "--batch-size", "100")
            for _ in range(2)
        ]
        added = 0
        while any(process.poll() is None for process in processes):
            self.add_tokens(1, time.time() + 3600)
            added += 1
        ends = [end(process) for process in processes]
        self.assertEqual([(0, ""), (0, "")], [(e[0], e[2]) for e in ends])
        deleted = [int(stdout.split()[1]) for _, stdout, _ in ends]
        self.assertEqual(3000, sum(deleted))
        self.assertEqual(
            added, self.database.count(tables.console_auth_tokens)
        )


class WithoutDatabaseTests(unittest.TestCase):
    """Errors before a command reaches the database."""

    def write(self, connection):
        folder = configuration.temporary_folder()
        (folder / "console_api.conf").write_text(
            f"[database]\nconnection = {connection}\n"
        )
        return folder

    def run_with(self, connection, *arguments):
        return end(start(self.write(connection), *arguments))

    def test_unavailable_database_is_reported_on_one_line(self):
        for url in (
            "mysql+pymysql://u:s3cret@127.0.0.1:1/x",
            "postgresql+psycopg2://u:s3cret@127.0.0.1:1/x",
            "sqlite:////proc/absent/x.sqlite",
        ):
            for command in (LIST, ("db", "sync")):
                with self.subTest(url=url, command=command):
                    outcome = run(self.write(url), *command)
                    stderr = outcome.stderr
                    self.assertEqual((1, ""), (outcome.status, outcome.stdout))
                    self.assertIn("The database is unavailable", stderr)
                    self.assertEqual(1, stderr.count("\n"), stderr)
                    self.assertNotIn("s3cret", stderr)

    def test_tracebacks_do_not_contain_the_password(self):
        for url in (
            "mysql+pymysql://u:s3cret@127.0.0.1:1/x",
            "mysql+pymysql://u:s3cret@127.0.0.1:port/x",
            "s3cret",
        ):
            with self.subTest(url=url):
                status, _, stderr = self.run_with(url, "-vv", "--debug", *LIST)
                self.assertEqual(1, status)
                self.assertIn("Traceback", stderr)
                self.assertNotIn("s3cret", stderr)

    def test_environment_names_the_configuration_folder(self):
        folder = configuration.temporary_folder()
        process = subprocess.run(
            [PROGRAM, "server", "list"],
            env={**os.environ, "OS_CONSOLE_API_CONFIG_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        self.assertEqual(1, process.returncode)
        self.assertIn(f"{folder}/console_api.conf", process.stderr)

    def test_missing_command_does_not_start_a_shell(self):
        status, stdout, stderr = self.run_with("sqlite://")
        self.assertEqual((2, ""), (status, stdout))
        self.assertIn("--help", stderr)
