# SPDX-License-Identifier: Apache-2.0
from sqlalchemy.engine import URL

from console_api import errors
from console_api.db.url import database_url
from console_api.tests.unit import base


class DatabaseUrlTest(base.FolderCase):
    def url(self, text: str) -> URL:
        return database_url(
            base.load_conf(self.folder, {"database": {"connection": text}})
        )

    def test_url_gets_timeouts(self) -> None:
        for text, expected in (
            ("sqlite:////a/file", {"timeout": "30"}),
            (
                "mysql+pymysql://user:secret@host/name",
                {
                    "connect_timeout": "10",
                    "read_timeout": "30",
                    "write_timeout": "30",
                    "charset": "utf8mb4",
                },
            ),
            (
                "postgresql+psycopg2://user:secret@host/name",
                {
                    "connect_timeout": "10",
                    "tcp_user_timeout": "30000",
                    "keepalives_idle": "15",
                    "keepalives_interval": "5",
                    "keepalives_count": "3",
                    "client_encoding": "utf8",
                },
            ),
        ):
            with self.subTest(text):
                self.assertEqual(expected, dict(self.url(text).query))

    def test_timeouts_of_the_operator_are_kept(self) -> None:
        url = self.url("sqlite:////a/file?timeout=3")
        self.assertEqual({"timeout": "3"}, dict(url.query))

    def test_other_encodings_are_replaced(self) -> None:
        for text, name, expected in (
            ("mysql+pymysql://h/n?charset=utf8", "charset", "utf8mb4"),
            ("mysql+pymysql://h/n?charset=latin1", "charset", "utf8mb4"),
            (
                "postgresql+psycopg2://h/n?client_encoding=latin1",
                "client_encoding",
                "utf8",
            ),
        ):
            with self.subTest(text):
                self.assertEqual(expected, self.url(text).query[name])

    def test_escaped_password_is_decoded(self) -> None:
        url = self.url("mysql+pymysql://user:a%40b%2Fc$$d@host/name")
        self.assertEqual("a@b/c$d", url.password)
        self.assertEqual("host", url.host)

    def test_unknown_database_gets_no_timeouts(self) -> None:
        url = self.url("oracle://user:secret@host/name")
        self.assertEqual({}, dict(url.query))

    def test_missing_url_is_reported(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "is not set"):
            self.url("")

    def test_invalid_url_is_refused_without_its_text(self) -> None:
        for text in (
            "secret",
            "secret://host/name",
            "mysql+secret://user:secret@host/name",
            "mysql+pymysql://user:secret@host:secret/name",
            "mysql+pymysql://user:pass@secret@host/name",
            "postgresql+psycopg2://user:pass@secret/secret@host/name",
        ):
            with self.subTest(text):
                with self.assertRaises(errors.ConfigurationError) as caught:
                    self.url(text)
                message = str(caught.exception)
                self.assertIn("[database] connection", message)
                self.assertIn("@ as %40", message)
                self.assertNotIn("secret", message)
