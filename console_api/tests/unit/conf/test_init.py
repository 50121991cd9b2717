# SPDX-License-Identifier: Apache-2.0
import sys
import unittest
from pathlib import Path
from unittest import mock

from oslo_config import cfg
from oslo_policy import opts as policy_opts

from console_api import conf as configuration
from console_api import errors
from console_api.conf import gateway_api, nova, opts
from console_api.tests.unit import base


class ConfigDirTest(unittest.TestCase):
    def test_chosen_folder_overrides_the_environment(self) -> None:
        for chosen, environment, expected in (
            ("/chosen", {configuration.ENVIRONMENT: "/other"}, "/chosen"),
            (None, {configuration.ENVIRONMENT: "/other"}, "/other"),
            (None, {configuration.ENVIRONMENT: ""}, "/etc/console_api"),
            (None, {}, "/etc/console_api"),
        ):
            with (
                self.subTest(chosen=chosen, environment=environment),
                mock.patch.dict("os.environ", environment, clear=True),
            ):
                self.assertEqual(
                    Path(expected), configuration.config_dir(chosen)
                )


class LoadTest(base.FolderCase):
    def test_file_in_the_folder_is_read(self) -> None:
        conf = base.load_conf(self.folder, {"tokens": {"ttl": 30}})
        self.assertEqual(30, conf.tokens.ttl)
        self.assertEqual("noauth2", conf.api.auth_strategy)

    def test_options_have_defaults(self) -> None:
        conf = base.load_conf(self.folder)
        self.assertEqual(600, conf.tokens.ttl)
        self.assertEqual(1000, conf.api.max_limit)
        self.assertEqual(["vnc", "vnc+xvp"], conf.consoles.types)
        self.assertFalse(conf.noauth2.allow_remote)
        self.assertEqual("api-paste.ini", conf.api.paste_config)
        self.assertEqual("database", conf.directory.driver)
        self.assertEqual(3, conf.passwords.max_active_keys)

    def test_console_types_are_not_available_by_default(self) -> None:
        (self.folder / "console_api.conf").write_text("")
        options = configuration.load(self.folder).remote_consoles
        self.assertEqual(7, len(options))
        self.assertEqual({None}, {options[name] for name in options})

    def test_options_of_libraries_are_registered(self) -> None:
        conf = base.load_conf(self.folder, {"DEFAULT": {"debug": "true"}})
        self.assertTrue(conf.debug)
        self.assertEqual(["policy.d"], conf.oslo_policy.policy_dirs)
        self.assertIn("console_api.sqlite", conf.database.connection)

    def test_defaults_of_libraries_stay_those_of_other_services(self) -> None:
        conf = base.load_conf(self.folder)
        self.assertEqual(5.0, conf.oslo_policy.remote_timeout)
        other = cfg.ConfigOpts()
        policy_opts.set_defaults(other)
        self.assertEqual(60, other.oslo_policy.remote_timeout)

    def test_fragments_override_the_file_in_order_of_name(self) -> None:
        fragments = self.folder / "console_api.conf.d"
        fragments.mkdir()
        (fragments / "20.conf").write_text("[tokens]\nttl = 20\n")
        (fragments / "10.conf").write_text(
            "[tokens]\nttl = 10\n[api]\nmax_limit = 5\n"
        )
        (fragments / "30.txt").write_text("[tokens]\nttl = 30\n")
        conf = base.load_conf(self.folder, {"tokens": {"ttl": 1}})
        self.assertEqual(20, conf.tokens.ttl)
        self.assertEqual(5, conf.api.max_limit)

    def test_configurations_are_independent(self) -> None:
        one = base.load_conf(self.folder, {"tokens": {"ttl": 1}})
        two = base.load_conf(self.folder, {"tokens": {"ttl": 2}})
        self.assertEqual((1, 2), (one.tokens.ttl, two.tokens.ttl))
        self.assertNotIn("tokens", cfg.CONF)

    def test_command_line_of_the_process_is_ignored(self) -> None:
        base.write_conf(self.folder)
        arguments = ["server", "--config-file", "/nowhere", "--bogus"]
        with mock.patch.object(sys, "argv", arguments):
            conf = configuration.load(self.folder)
        self.assertEqual(600, conf.tokens.ttl)

    def test_missing_file_is_named_with_a_remedy(self) -> None:
        with self.assertRaises(errors.ConfigurationError) as caught:
            configuration.load(self.folder)
        message = str(caught.exception)
        self.assertIn(str(self.folder / "console_api.conf"), message)
        self.assertIn("Create it", message)
        self.assertIn(configuration.ENVIRONMENT, message)

    def test_invalid_values_are_refused_with_their_option(self) -> None:
        for group, option, value in (
            ("api", "auth_strategy", "password"),
            ("api", "max_limit", "0"),
            ("api", "max_limit", "many"),
            ("consoles", "types", "x" * 33),
            ("noauth2", "allow_remote", "perhaps"),
            ("passwords", "max_active_keys", "2"),
            ("remote_consoles", "novnc_base_url", "ftp://host/"),
            ("remote_consoles", "serial_base_url", "ws://host/a b"),
            ("remote_consoles", "webmks_base_url", "host:6080"),
            ("tokens", "ttl", "0"),
            ("tokens", "ttl", "ten"),
        ):
            with self.subTest(f"{group} {option} {value}"):
                base.write_conf(self.folder, {group: {option: value}})
                with self.assertRaises(errors.ConfigurationError) as caught:
                    configuration.load(self.folder)
                message = str(caught.exception)
                self.assertIn(option, message)
                self.assertIn(str(self.folder), message)

    def test_empty_base_url_is_accepted(self) -> None:
        conf = base.load_conf(
            self.folder, {"remote_consoles": {"novnc_base_url": ""}}
        )
        self.assertEqual("", conf.remote_consoles.novnc_base_url)

    def test_malformed_file_is_refused(self) -> None:
        for content in (b"no option here\n", b"[api]\nx = \xff\xfe\n"):
            with self.subTest(content):
                path = self.folder / "console_api.conf"
                path.write_bytes(content)
                with self.assertRaises(errors.ConfigurationError) as caught:
                    configuration.load(self.folder)
                self.assertIn(str(self.folder), str(caught.exception))


class FindFileTest(base.FolderCase):
    def test_file_in_the_configuration_folder_is_found(self) -> None:
        conf = base.load_conf(self.folder)
        path = self.folder / "some-file.ini"
        path.touch()
        self.assertEqual(path, configuration.find_file(conf, path.name))

    def test_missing_file_is_none(self) -> None:
        conf = base.load_conf(self.folder)
        self.assertIsNone(configuration.find_file(conf, "some-file.ini"))


class OptionsTest(unittest.TestCase):
    def test_every_group_is_listed_once(self) -> None:
        names = [name for name, _options in opts.list_opts()]
        self.assertEqual(
            sorted(
                [group.GROUP for group in configuration.GROUPS]
                + ["xvp_pool:name", gateway_api.GROUP, nova.GROUP]
            ),
            sorted(names),
        )
        self.assertEqual(len(names), len(set(names)))

    def test_every_option_has_help(self) -> None:
        for group, options in opts.list_opts():
            if group in {gateway_api.GROUP, nova.GROUP}:
                # The help is keystoneauth's.
                continue
            for option in options:
                with self.subTest(f"{group} {option.name}"):
                    self.assertRegex(option.help or "", r"\.$")
