# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any
from unittest import mock

from console_api import directory, errors
from console_api.db import tables
from console_api.directory.base import Endpoint, Server
from console_api.directory.nova.directory import NovaDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.fake_nova import (
    INVALID_RESPONSES,
    FakeNova,
    fail_once,
    fault,
)

MAIL = Server(
    uuid=SERVER,
    project_id=base.PROJECT,
    name="mail",
    instance_name="instance-00000001",
    compute_host="compute-1",
)


class NovaCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.nova = FakeNova()
        self.addCleanup(self.nova.stop)
        self.nova.add_server(SERVER)
        self.directory = self.make_directory()

    def make_directory(self, cache_seconds: float = 0, **options: Any) -> Any:
        conf = base.load_conf(
            self.folder,
            {
                "directory": {
                    "driver": "nova",
                    "cache_seconds": cache_seconds,
                },
                "nova": {
                    **self.nova.options,
                    "timeout": 0.6,
                    "connect_retry_delay": 0.01,
                    "status_code_retry_delay": 0.01,
                    **options,
                },
            },
        )
        loaded = directory.load(conf, self.database)
        self.assertIsInstance(loaded, NovaDirectory)
        return loaded

    def assert_unavailable(self, call: Callable[[], object]) -> None:
        """Assert that a call fails, and logs one line without secrets."""
        with (
            self.assertRaises(errors.DirectoryUnavailable) as caught,
            self.assertLogs(level="WARNING") as all_logged,
            self.assertLogs("console_api.directory", "ERROR") as logged,
        ):
            call()
        output = "\n".join(all_logged.output + logged.output)
        self.assertNotIn(fake_nova.TOKEN, output)
        self.assertNotIn(fake_nova.CONSOLE_TOKEN, output)
        self.assertIn("Retry", str(caught.exception))
        self.assertEqual(1, len(logged.output), logged.output)
        self.assertLess(len(logged.output[0]), 1000)


class GetTest(NovaCase):
    def test_get_stores_server_of_nova(self) -> None:
        self.assertEqual(MAIL, self.directory.get(SERVER))
        [row] = self.rows(tables.servers)
        self.assertEqual(
            (SERVER, base.PROJECT, "mail", "instance-00000001", "compute-1"),
            tuple(row),
        )
        self.assertEqual(
            [("GET", f"/v2.1/servers/{SERVER}")], self.nova.requests
        )

    def test_get_stores_changes(self) -> None:
        self.directory.get(SERVER)
        self.nova.add_server(SERVER, **{"OS-EXT-SRV-ATTR:host": None})
        self.assertIsNone(self.directory.get(SERVER).compute_host)
        self.assertIsNone(self.rows(tables.servers)[0].compute_host)

    def test_get_of_invalid_id_sends_no_request(self) -> None:
        for text in ("", "../flavors", "1", SERVER.upper()[:-1] + "F"):
            with self.assertRaises(errors.ServerNotFound):
                self.directory.get(text)
        self.assertEqual([], self.nova.requests)

    def test_get_of_deleted_server_deletes_row(self) -> None:
        self.directory.get(SERVER)
        self.add_console_and_token()
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            self.directory.get(SERVER)
        for table in (
            tables.servers,
            tables.consoles,
            tables.console_auth_tokens,
        ):
            self.assertEqual([], self.rows(table))
        with self.assertRaises(errors.ServerNotFound):
            self.directory.get(UNKNOWN_SERVER)

    def test_404_without_access_to_all_projects_is_unavailable(self) -> None:
        self.directory.get(SERVER)
        del self.nova.servers[SERVER]
        for response in (
            fault(403, "forbidden"),
            fault(404, "itemNotFound"),
            fault(400, "badRequest"),
            (200, {"servers": [{"id": SERVER}]}),
            (200, {}),
        ):
            self.nova.responses["GET", "/v2.1/servers?"] = response
            with self.subTest(response):
                self.assert_unavailable(lambda: self.directory.get(SERVER))
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_invalid_response_deletes_nothing(self) -> None:
        self.directory.get(SERVER)
        self.add_console_and_token()
        for name, response in INVALID_RESPONSES.items():
            self.nova.responses["GET", "/v2.1/servers/"] = response
            with self.subTest(name):
                self.assert_unavailable(lambda: self.directory.get(SERVER))
        self.assertEqual(1, len(self.rows(tables.consoles)))
        self.assertEqual(1, len(self.rows(tables.console_auth_tokens)))
        requested = {path for _, path in self.nova.requests}
        self.assertNotIn(fake_nova.REDIRECTED, requested)

    def test_invalid_server_is_unavailable(self) -> None:
        for key, value in (
            ("id", UNKNOWN_SERVER),
            ("tenant_id", None),
            ("tenant_id", ""),
            ("tenant_id", 7),
            ("tenant_id", "x" * 256),
            ("name", "mail\0"),
            ("name", ["mail"]),
            ("OS-EXT-SRV-ATTR:host", {}),
            ("OS-EXT-SRV-ATTR:instance_name", None),
        ):
            self.nova.add_server(SERVER, **{key: value})
            with self.subTest(key=key, value=value):
                self.assert_unavailable(lambda: self.directory.get(SERVER))
        self.assertEqual([], self.rows(tables.servers))

    def test_missing_admin_attributes_are_unavailable(self) -> None:
        for key in ("OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:instance_name"):
            self.nova.add_server(SERVER)
            del self.nova.servers[SERVER][key]
            with self.subTest(key):
                self.assert_unavailable(lambda: self.directory.get(SERVER))

    def test_refused_connection_is_unavailable(self) -> None:
        self.nova.stop()
        self.assert_unavailable(lambda: self.directory.get(SERVER))

    def test_request_is_retried_once(self) -> None:
        path = f"/v2.1/servers/{SERVER}"
        for failure in (
            fake_nova.retry_after("0"),
            fake_nova.disconnect,
        ):
            self.nova.requests.clear()
            self.nova.responses["GET", path] = fail_once(self.nova, failure)
            with self.subTest(failure.__name__):
                self.assertEqual(MAIL, self.directory.get(SERVER))
                self.assertEqual([("GET", path)] * 2, self.nova.requests)

    def test_timeout_is_not_retried(self) -> None:
        path = f"/v2.1/servers/{SERVER}"
        for failure in (fake_nova.hang, fake_nova.send_slowly):
            self.nova.requests.clear()
            self.nova.responses["GET", path] = fail_once(self.nova, failure)
            with self.subTest(failure.__name__):
                self.assert_unavailable(lambda: self.directory.get(SERVER))
                self.assertEqual([("GET", path)], self.nova.requests)


class EndpointTest(NovaCase):
    def endpoint(self, protocol: str = "vnc") -> Endpoint | None:
        endpoint: Endpoint | None = self.directory.endpoint(MAIL, protocol)
        return endpoint

    def test_get_creates_nothing_in_nova(self) -> None:
        self.directory.get(SERVER)
        self.assertNotIn("POST", dict(self.nova.requests))

    def test_endpoint_is_that_of_a_remote_console(self) -> None:
        for protocol in ("vnc", "spice", "rdp", "serial", "mks"):
            for path in (None, "", "/path"):
                self.nova.endpoints[protocol] = {
                    "host": "192.0.2.10",
                    "port": 5900,
                    "internal_access_path": path,
                }
                with self.subTest(protocol=protocol, path=path):
                    self.assertEqual(
                        Endpoint(
                            "192.0.2.10",
                            5900,
                            internal_access_path=path or None,
                        ),
                        self.endpoint(protocol),
                    )

    def test_host_of_endpoint_is_checked(self) -> None:
        self.nova.endpoints["vnc"] = {"host": "[2001:db8::1]", "port": 5900}
        self.assertEqual(Endpoint("2001:db8::1", 5900), self.endpoint())
        self.nova.endpoints["vnc"]["host"] = "192.0.2.10:5900"
        self.assert_unavailable(self.endpoint)

    def test_endpoint_has_the_tls_port_of_spice(self) -> None:
        self.nova.endpoints["spice"] = {
            "host": "c",
            "port": 6969,
            "tls_port": 6970,
        }
        self.assertEqual(Endpoint("c", 6969, 6970), self.endpoint("spice"))
        for tls_port in (0, "6970", True):
            self.nova.endpoints["spice"]["tls_port"] = tls_port
            with self.subTest(tls_port):
                self.assert_unavailable(lambda: self.endpoint("spice"))

    def test_nova_without_spice_direct_reveals_the_port(self) -> None:
        self.nova.endpoints["spice"] = {"host": "c", "port": 6969}
        self.nova.microversions = ["compute 2.31"]
        self.assertEqual(Endpoint("c", 6969), self.endpoint("spice"))

    def test_compute_host_without_spice_direct_reveals_the_port(self) -> None:
        self.nova.endpoints["spice"] = {"host": "c", "port": 6969}
        make_console = self.nova.respond

        def respond(method: str, path: str, body: Any) -> Any:
            if body and body["remote_console"]["type"] == "spice-direct":
                return fault(400, "badRequest")
            return make_console(method, path, body)

        with mock.patch.object(self.nova, "respond", respond):
            self.assertEqual(Endpoint("c", 6969), self.endpoint("spice"))

    def test_nova_without_microversions_is_unavailable(self) -> None:
        self.nova.microversions = []
        self.assert_unavailable(lambda: self.endpoint("spice"))

    def test_endpoint_of_unavailable_type_is_none(self) -> None:
        for response in (
            fault(400, "badRequest"),
            fault(501, "notImplemented"),
        ):
            self.nova.responses["POST", "/"] = response
            with self.subTest(response):
                self.assertIsNone(self.endpoint())

    def test_endpoint_of_unready_server_raises_not_ready(self) -> None:
        self.nova.responses["POST", "/"] = fault(409, "conflictingRequest")
        with self.assertRaises(errors.ServerNotReady):
            self.endpoint()

    def test_endpoint_of_deleted_server_is_not_found(self) -> None:
        del self.nova.servers[SERVER]
        with self.assertRaises(errors.ServerNotFound):
            self.endpoint()

    def test_endpoint_with_invalid_response_is_unavailable(self) -> None:
        self.nova.endpoints["vnc"] = {"host": "c", "port": 5900}
        for key in (
            ("POST", "/v2.1/servers/"),
            ("GET", "/v2.1/os-console-auth-tokens/"),
        ):
            for name, response in {
                **INVALID_RESPONSES,
                "unknown token": fault(404, "itemNotFound"),
                "no URL": (200, {"remote_console": {"url": None}}),
                "no token": (200, {"remote_console": {"url": "http://c/"}}),
                "bad URL": (200, {"remote_console": {"url": "http://[c/"}}),
                "other server": (
                    200,
                    {
                        "console": {
                            "instance_uuid": UNKNOWN_SERVER,
                            "host": "c",
                            "port": 5900,
                        }
                    },
                ),
                **{
                    f"port {port!r}": (
                        200,
                        {
                            "console": {
                                "instance_uuid": SERVER,
                                "host": "c",
                                "port": port,
                            }
                        },
                    )
                    for port in (0, -1, 65536, "5900", None, True, 5.9)
                },
            }.items():
                self.nova.responses = {key: response}
                with self.subTest(key=key, response=name):
                    self.assert_unavailable(self.endpoint)


class ConfigurationTest(NovaCase):
    def test_invalid_options_are_refused(self) -> None:
        for options, word in (
            ({"auth_type": ""}, "auth_type"),
            ({"auth_type": "nonsense"}, "nonsense"),
            ({"auth_type": "v3password"}, "auth_url"),
            ({"timeout": "soon"}, "timeout"),
            ({"timeout": 0}, "timeout"),
            ({"connect_retries": "often"}, "connect.retries"),
            (
                {"endpoint_override": "http://nova/v2.1/%(tenant_id)s"},
                "endpoint_override",
            ),
            (
                {"endpoint_override": "http://nova/v2.1/$$(project_id)s"},
                "endpoint_override",
            ),
            ({"min_version": "2.1", "version": "2.1"}, "version"),
        ):
            with (
                self.subTest(**options),
                self.assertRaises(errors.ConfigurationError) as caught,
            ):
                self.make_directory(**options)
            self.assertRegex(str(caught.exception), rf"\[nova\].*{word}")

    def test_keystone_failure_is_unavailable(self) -> None:
        self.nova.responses["GET", "/v3"] = (500, b"<html>")
        self.nova.responses["POST", "/v3"] = (500, b"<html>")
        remote = self.make_directory(
            auth_type="v3password",
            auth_url=self.nova.url.replace("v2.1", "v3"),
            username="nova",
            password="secret-of-nova",
            user_domain_id="default",
            project_name="service",
            project_domain_id="default",
        )
        self.assert_unavailable(lambda: remote.get(SERVER))
