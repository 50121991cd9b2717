# SPDX-License-Identifier: Apache-2.0
import itertools
import shutil
from unittest import mock

from console_api import errors, values
from console_api.api import service
from console_api.consoles import types
from console_api.tests.unit import base


class ServiceTest(base.ServiceCase):
    def test_max_limit_is_configured(self) -> None:
        self.conf = base.load_conf(self.folder, {"api": {"max_limit": 7}})
        made = self.make_service()
        self.assertEqual(7, made.max_limit)

    def test_access_urls_have_base_url_of_their_type(self) -> None:
        types = values.CONSOLE_TYPES_BY_PROTOCOL
        options = {
            f"{console_type.replace('-', '_')}_base_url": f"http://{console_type}/"
            for console_type in itertools.chain(*types.values())
        }
        self.conf = base.load_conf(self.folder, {"remote_consoles": options})
        tokens = self.make_service().tokens
        server = self.add_server(
            endpoints={protocol: {} for protocol in types}
        )
        for protocol, console_types in types.items():
            for console_type in console_types:
                with self.subTest(console_type):
                    url = tokens.issue(
                        server, protocol, console_type, None
                    ).url
                    self.assertIn(f"http://{console_type}/?", url)


class StartTest(base.ServiceCase):
    def test_outdated_schema_is_refused(self) -> None:
        (self.folder / "console_api.sqlite").write_bytes(b"")
        with self.assertRaisesRegex(errors.ConfigurationError, "db sync"):
            self.make_service()

    def test_missing_keys_are_refused(self) -> None:
        shutil.rmtree(self.folder / "keys")
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            self.make_service()

    def test_unknown_directory_driver_is_refused(self) -> None:
        self.conf = base.load_conf(
            self.folder, {"directory": {"driver": "none"}}
        )
        with self.assertRaisesRegex(errors.ConfigurationError, "'none'"):
            self.make_service()

    def test_console_types_without_driver_are_refused(self) -> None:
        for value, message in (
            ("vncc", r"\(vnc, vnc\+xvp\), not \"vncc\""),
            ("vnc,novnc", 'not "novnc"'),
            ("", "types is empty"),
        ):
            self.conf = base.load_conf(
                self.folder, {"consoles": {"types": value}}
            )
            with (
                self.subTest(value),
                self.assertRaisesRegex(errors.ConfigurationError, message),
            ):
                self.make_service()

    def test_console_type_of_installed_driver_is_accepted(self) -> None:
        self.conf = base.load_conf(
            self.folder, {"consoles": {"types": "third-party,vnc"}}
        )
        with mock.patch.object(
            types, "_of_installed_drivers", return_value=["third-party"]
        ):
            self.make_service()

    def test_faulty_policy_file_is_refused(self) -> None:
        (self.folder / "policy.yaml").write_text("a: [")
        with self.assertRaisesRegex(errors.ConfigurationError, "policy"):
            self.make_service()

    def test_wrong_database_option_is_refused(self) -> None:
        with self.assertRaisesRegex(
            errors.ConfigurationError, "max_pool_size"
        ):
            self.conf = base.load_conf(
                self.folder, {"database": {"max_pool_size": "many"}}
            )
            self.make_service()

    def test_service_starts_without_database(self) -> None:
        self.conf = base.load_conf(
            self.folder,
            {"database": {"connection": f"sqlite:///{self.folder}/no/file"}},
        )
        with self.assertLogs(service.LOG, "WARNING") as logs:
            self.make_service()
        self.assertIn("without database", logs.output[0])
