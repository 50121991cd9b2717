# SPDX-License-Identifier: Apache-2.0
import shutil

from console_api import errors
from console_api.api import service
from console_api.tests.unit import base
from console_api.tokens import access


class ServiceTest(base.ServiceCase):
    def test_it_is_made_as_configured(self) -> None:
        self.conf = base.load_conf(self.folder, {"api": {"max_limit": 7}})
        made = self.make_service()
        self.assertEqual(7, made.max_limit)

    def test_every_console_type_has_the_base_url_of_its_option(self) -> None:
        urls = {
            "novnc": "http://a/1",
            "xvpvnc": "http://a/2",
            "spice-html5": "http://a/3",
            "spice-direct": "http://a/4",
            "rdp-html5": "http://a/5",
            "serial": "ws://a/6",
            "webmks": "",
        }
        self.assertEqual(
            set(urls),
            {t for ts in access.TYPES_OF_PROTOCOL.values() for t in ts},
        )
        options = {
            f"{kind.replace('-', '_')}_base_url": url
            for kind, url in urls.items()
        }
        conf = base.load_conf(self.folder, {"remote_consoles": options})
        self.assertEqual(urls, service._base_urls(conf))


class StartTest(base.ServiceCase):
    def test_a_schema_behind_the_code_stops_it(self) -> None:
        (self.folder / "console_api.sqlite").write_bytes(b"")
        with self.assertRaisesRegex(errors.ConfigurationError, "db sync"):
            self.make_service()

    def test_missing_keys_stop_it(self) -> None:
        shutil.rmtree(self.folder / "keys")
        with self.assertRaisesRegex(errors.ConfigurationError, "keys setup"):
            self.make_service()

    def test_an_unknown_driver_stops_it(self) -> None:
        self.conf = base.load_conf(
            self.folder, {"directory": {"driver": "none"}}
        )
        with self.assertRaisesRegex(errors.ConfigurationError, "'none'"):
            self.make_service()

    def test_a_faulty_policy_file_stops_it(self) -> None:
        (self.folder / "policy.yaml").write_text("a: [")
        with self.assertRaisesRegex(errors.ConfigurationError, "policy"):
            self.make_service()

    def test_a_wrong_value_in_the_group_of_a_library_stops_it(self) -> None:
        with self.assertRaisesRegex(
            errors.ConfigurationError, "max_pool_size"
        ):
            self.conf = base.load_conf(
                self.folder, {"database": {"max_pool_size": "many"}}
            )
            self.make_service()

    def test_an_absent_database_does_not_stop_it(self) -> None:
        self.conf = base.load_conf(
            self.folder,
            {"database": {"connection": f"sqlite:///{self.folder}/no/file"}},
        )
        with self.assertLogs(service.LOG, "WARNING") as logs:
            self.make_service()
        self.assertIn("without database", logs.output[0])
