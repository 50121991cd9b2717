# SPDX-License-Identifier: Apache-2.0
import socket
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from keystonemiddleware import auth_token
from keystonemiddleware import opts as auth_token_opts
from oslo_config import cfg

from console_api import errors
from console_api.api.middleware import authtoken
from console_api.tests.unit import base

KEYSTONE = {
    "www_authenticate_uri": "http://127.0.0.1:1/",
    "auth_type": "password",
    "auth_url": "http://127.0.0.1:1/",
}


class MakeTest(base.FolderCase):
    def load(self, **changed: str | None) -> cfg.ConfigOpts:
        options = {
            name: value
            for name, value in {**KEYSTONE, **changed}.items()
            if value is not None
        }
        return base.load_conf(self.folder, {authtoken.GROUP: options})

    def make(self, conf: cfg.ConfigOpts) -> authtoken.AuthTokenFilter:
        return authtoken.make(mock.Mock(), conf)

    def test_requests_to_keystone_have_timeout_and_retries(self) -> None:
        for changed, timeout, retries in (
            ({}, 10, 1),
            ({"http_connect_timeout": "3"}, 3, 1),
            ({"http_request_max_retries": "7"}, 10, 7),
        ):
            made = self.make(self.load(**changed))
            with self.subTest(changed):
                self.assertEqual(timeout, made._session.timeout)
                adapter: Any = made._identity_server._adapter
                self.assertEqual(retries, adapter.connect_retries)

    def test_wrong_option_is_reported(self) -> None:
        for changed, pattern in (
            ({"auth_type": None}, "auth_type is not set"),
            ({"auth_url": None}, "auth_url"),
            ({"auth_type": "unknown"}, "unknown"),
            (
                {"memcache_security_strategy": "ENCRYPT"},
                "memcache_secret_key must be defined",
            ),
        ):
            with (
                self.subTest(changed),
                self.assertRaisesRegex(errors.ConfigurationError, pattern),
            ):
                self.make(self.load(**changed))

    def test_import_error_without_memcached_is_a_bug(self) -> None:
        with (
            mock.patch.object(
                auth_token.AuthProtocol, "__init__", side_effect=ImportError
            ),
            self.assertRaises(ImportError),
        ):
            self.make(self.load())

    def test_unreachable_memcached_is_logged(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            reachable = f"127.0.0.1:{listening.getsockname()[1]}"
            with socket.socket() as taken:
                # Bound but not listening: connections are refused.
                taken.bind(("127.0.0.1", 0))
                refused = f"inet:127.0.0.1:{taken.getsockname()[1]}"
                for server, reason in (
                    (reachable, None),
                    (f"inet:{reachable}", None),
                    ("unix:/absent", None),
                    (refused, "Connection refused"),
                    (f"{'x' * 64}.example.org", "label|known"),
                    ("cache.invalid", r"known|resolution|associated"),
                    ("cache.invalid:11211", r"known|resolution|associated"),
                ):
                    with self.subTest(server):
                        self.assert_warned(server, reason)

    def make_and_check(self, conf: cfg.ConfigOpts) -> None:
        self.make(conf)
        for thread in threading.enumerate():
            if thread.name == authtoken.MEMCACHED_CHECK:
                thread.join()

    def assert_warned(self, server: str, reason: str | None) -> None:
        """Assert that a warning names a server, unless there is no reason."""
        conf = self.load(memcached_servers=f"{server},{server}")
        if reason is None:
            with self.assertNoLogs(authtoken.LOG):
                self.make_and_check(conf)
            return
        with self.assertLogs(authtoken.LOG, "WARNING") as logs:
            self.make_and_check(conf)
        self.assertEqual(2, len(logs.output))
        self.assertIn(f"{server} cannot be reached", logs.output[0])
        self.assertRegex(logs.output[0], reason)

    @unittest.skipUnless(
        any(
            option.dest == "memcache_tls_enabled"
            for _group, options in auth_token_opts.list_auth_token_opts()
            for option in options
        ),
        "keystonemiddleware is too old to connect to memcached by TLS",
    )
    def test_missing_memcached_client_is_reported(self) -> None:
        conf = self.load(
            memcached_servers="cache.example.org:11211",
            # Requires another client, which no other test imports.
            memcache_tls_enabled="true",
        )
        with (
            mock.patch.dict(sys.modules, {"bmemcached": None}),
            self.assertRaisesRegex(
                errors.ConfigurationError, "bmemcached.*extra memcached"
            ),
        ):
            self.make(conf)
