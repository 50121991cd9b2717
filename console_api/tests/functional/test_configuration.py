# SPDX-License-Identifier: Apache-2.0
"""The service refuses to start with an invalid configuration."""

import os
import runpy
import shutil
import sys
import traceback
import unittest

import sqlalchemy as sa

from console_api import conf
from console_api.tests.functional import (
    base,
    configuration,
    processes,
    servers,
)

SECRET = "pAssw0rd-of-it"

REFUSED = "console_api.errors.ConfigurationError: console_api does not start. "


def load(*folders):
    """Load the application with one configuration after another.

    :returns: the output of each attempt
    """
    path = configuration.temporary_folder() / "log"
    with path.open("wb") as log:
        process = processes.Program(
            _load, [*map(str, folders)], os.environ, log.fileno()
        )
    status = process.wait(120)
    text = path.read_text()
    if status:
        raise AssertionError(text)
    return text.split("\0")[:-1]


def _load(*folders):
    # Run the module again for each folder, as a WSGI server does once.
    for folder in folders:
        os.environ[conf.ENVIRONMENT] = folder
        try:
            runpy.run_module("console_api.wsgi")
        except Exception:  # noqa: BLE001 - its traceback is tested
            traceback.print_exc(file=sys.stdout)
        print(end="\0", flush=True)


class ConfigurationTests(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.database = configuration.migrated("sqlite")
        self.cases = []

    def new_folder(self, *texts):
        """Create an empty folder whose refusal contains the texts."""
        folder = configuration.temporary_folder()
        self.cases.append((folder, texts))
        return folder

    def write(self, *texts, **options):
        """Write a configuration whose refusal contains the texts."""
        folder = self.new_folder(*texts)
        return configuration.write(folder, self.database, options)

    def assert_refused(self):
        """Assert that each configuration is refused, with its texts."""
        outputs = load(*(folder for folder, _ in self.cases))
        for (folder, texts), output in zip(self.cases, outputs, strict=True):
            with self.subTest(texts):
                _, refused, reason = output.partition(REFUSED)
                self.assertTrue(refused, output)
                for text in texts:
                    self.assertIn(text.format(folder=folder), reason)
                self.assertNotIn(SECRET, output)

    def test_valid_configurations_are_accepted(self):
        self.write()
        self.write(consoles={"types": "vnc"}, tokens={"ttl": "60"})
        for output in load(*(folder for folder, _ in self.cases)):
            self.assertNotIn("Traceback", output)

    def test_missing_file_is_refused(self):
        self.new_folder(
            "{folder}/console_api.conf does not exist", conf.ENVIRONMENT
        )
        self.assert_refused()

    def test_malformed_files_are_refused(self):
        for text in ("no section\n", "[api\n", "[api]\nkey\n"):
            folder = self.write("The configuration in {folder}")
            (folder / "console_api.conf").write_text(text)
        self.assert_refused()

    def test_invalid_options_are_refused(self):
        for group, option, value in (
            ("api", "auth_strategy", "none"),
            ("tokens", "ttl", "ten minutes"),
        ):
            self.write(option, **{group: {option: value}})
        self.assert_refused()

    def test_unknown_directory_driver_is_refused(self):
        self.write(
            "[directory] driver",
            "'telephone_book'",
            "`pipeline` are built in",
            directory={"driver": "telephone_book"},
        )
        self.assert_refused()

    def test_invalid_policy_files_are_refused(self):
        for name, content, text in (
            ("missing.yaml", None, "[oslo_policy] policy_file: missing.yaml"),
            ("list.yaml", b"- a\n- list\n", "list.yaml"),
            ("broken.yaml", b'"unfinished', "broken.yaml"),
            (
                "binary.yaml",
                b"\xff\xfe\x00",
                "binary.yaml:1: The file is encoded in UTF-16, not in UTF-8",
            ),
        ):
            folder = self.write(text, oslo_policy={"policy_file": name})
            if content is not None:
                (folder / name).write_bytes(content)
        folder = self.write("policy.yaml: The policy file cannot be read")
        (folder / "policy.yaml").mkdir()
        if os.geteuid() != 0:
            # The superuser can read every file.
            folder = self.write("policy.yaml: The policy file cannot be read")
            (folder / "policy.yaml").touch(mode=0)
        self.assert_refused()

    def test_invalid_key_repositories_are_refused(self):
        run = "Run: console-api-manage keys setup"
        missing, empty, no_key, folder_for_key = (
            self.write(*texts)
            for texts in (
                ("The key repository {folder}/keys", run),
                ("The key repository {folder}/keys", run),
                ("{folder}/keys/0", "is not a Fernet key"),
                ("{folder}/keys/0", "cannot be read"),
            )
        )
        for folder in (missing, empty):
            shutil.rmtree(folder / "keys")
        (empty / "keys").mkdir()
        (no_key / "keys" / "0").write_text(SECRET)
        (folder_for_key / "keys" / "0").unlink()
        (folder_for_key / "keys" / "0").mkdir()
        self.assert_refused()

    def test_invalid_database_urls_are_refused(self):
        for url, text in (
            ("", "[database] connection is not set"),
            (f"nonsense {SECRET}", "[database] connection is not a"),
            (f"mysql+pymysl://user:{SECRET}@host/db", "no dialect"),
            (f"oracl://user:{SECRET}@host/db", "no dialect"),
            (f"mysql+mysqldb://user:{SECRET}@host/db", "is not installed"),
        ):
            self.write(text, database={"connection": url})
        folder = self.new_folder("[database] connection is not set")
        configuration.write(folder, None)
        self.assert_refused()

    def test_file_of_another_format_is_reported(self):
        folder = self.new_folder("not a database")
        path = folder / "text"
        path.write_text("This is text, not a database. " * 100)
        url = {"connection": f"sqlite:///{path}"}
        configuration.write(folder, None, {"database": url})
        [output] = load(folder)
        # Refused or logged: the cause is reported.
        self.assertIn("not a database", output)

    def test_invalid_paste_files_are_refused(self):
        original = configuration.PASTE_FILE.read_text()
        self.write(
            "[api] paste_config: missing.ini",
            api={"paste_config": "missing.ini"},
        )
        for old, new, text in (
            ("noauth2 = faults", "other = faults", "auth_strategy = noauth2"),
            ("[filter:context]", "[filter:other]", "context"),
            ("pipeline:context_factory", "pipeline:no_factory", "no_factory"),
            ("console_api.api.pipeline:faults", "no_such:faults", "no_such"),
            ("[pipeline:console_api]", "[pipeline:other]", "console_api"),
            ("[pipeline:console_api]", "pipeline:console_api", "paste"),
        ):
            folder = self.write(text)
            (folder / "api-paste.ini").write_text(original.replace(old, new))
        self.assert_refused()

    def test_fragments_are_read(self):
        folder = self.write("'other'")
        fragments = folder / "console_api.conf.d"
        fragments.mkdir()
        (fragments / "10.conf").write_text("[directory]\ndriver = other\n")
        self.assert_refused()

    def test_wsgi_server_does_not_start(self):
        with self.assertRaises(servers.NotStarted) as caught:
            servers.start(self.database, {"directory": {"driver": "other"}})
        self.assertIn(
            "ConfigurationError: console_api does not start. [directory] "
            "driver: there is no driver 'other'",
            str(caught.exception),
        )


@base.on_each_database
class SchemaTests(base.DatabaseTestCase):
    def assert_refused(self, database, version):
        with self.assertRaises(servers.NotStarted) as caught:
            servers.start(database)
        self.assertIn(
            f"The database schema is at version {version}, but",
            str(caught.exception),
        )
        self.assertIn("Run: console-api-manage db sync", str(caught.exception))

    def test_empty_database_is_refused(self):
        self.assert_refused(self.new_database(), "none")

    def test_other_schema_versions_are_refused(self):
        database = configuration.migrate(self.new_database())
        for version in ("0000", "9999"):
            database.execute(
                sa.text("UPDATE alembic_version SET version_num = :version"),
                {"version": version},
            )
            with self.subTest(version):
                self.assert_refused(database, version)
