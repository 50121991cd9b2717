# SPDX-License-Identifier: Apache-2.0
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from console_api import directory, errors
from console_api.db import tables
from console_api.directory.base import Endpoint
from console_api.tests import prerequisites
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER
from console_api.tests.unit.directory.libvirt import domains
from console_api.tests.unit.directory.libvirt.domains import (
    PAUSED,
    RUNNING,
    SHUT_OFF,
)

try:
    import libvirt
except ImportError:
    libvirt = None


def require_libvirt() -> None:
    """Skip a test without libvirt-python.

    :raises unittest.SkipTest: it is not installed, and not required
    """
    if libvirt is None:
        prerequisites.skip("libvirt-python is not installed.")


class LibvirtCase(base.DatabaseCase):
    """Daemons are libvirt's test driver, with one file per host."""

    def setUp(self) -> None:
        super().setUp()
        require_libvirt()

    def uri(self, host: str, *xml: str) -> str:
        """Create a host with these domains, and return its URI."""
        path = self.folder / f"{host}.xml"
        path.write_text(domains.node(*xml))
        return f"{host}=test://{path}"

    def make_directory(
        self, *uris: str, cache_seconds: int = 0, **options: Any
    ) -> Any:
        conf = base.load_conf(
            self.folder,
            {
                "directory": {
                    "driver": "libvirt",
                    "cache_seconds": cache_seconds,
                },
                "libvirt": {"timeout": 5, **options},
            },
        )
        conf.set_override("uris", list(uris), "libvirt")
        return directory.load(conf, self.database)

    def assert_unavailable(self, remote: Any, *words: str) -> None:
        with (
            self.assertRaises(errors.DirectoryUnavailable),
            self.assertLogs("console_api.directory", "ERROR") as logged,
        ):
            remote.get(SERVER)
        for word in words:
            self.assertIn(word, "\n".join(logged.output))


VNC = domains.graphics("vnc", 'port="5901"')


class GetTest(LibvirtCase):
    def test_server_is_found_where_its_domain_is(self) -> None:
        made = self.make_directory(
            self.uri("c1", domains.domain(uuid=UNKNOWN_SERVER)),
            self.uri("c2", domains.domain(VNC)),
        )
        server = made.get(SERVER)
        self.assertEqual("c2", server.compute_host)
        self.assertEqual(
            {"vnc": Endpoint("192.0.2.10", 5901)}, server.endpoints
        )
        [row] = self.rows(tables.servers)
        self.assertEqual(
            (SERVER, base.PROJECT, "mail", "instance-00000001", "c2"),
            tuple(row),
        )

    def test_endpoint_is_not_cached(self) -> None:
        """Another server may use the port of a cached endpoint."""
        uri = self.uri("c1", domains.domain(VNC))
        made = self.make_directory(uri, cache_seconds=60)
        [daemon] = made._daemons
        # The connection of the directory is read-only.
        daemon._connection = libvirt.open(uri.partition("=")[2])
        server = made.get(SERVER)
        daemon._connection.lookupByUUIDString(SERVER).destroy()
        domain = daemon._connection.defineXML(
            domains.domain(VNC.replace("5901", "5902"))
        )
        self.assertEqual(5901, made.get(SERVER).endpoints["vnc"].port)
        self.assertEqual(5902, made.endpoint(server, "vnc").port)
        self.assertIsNone(made.endpoint(server, "spice"))
        domain.undefine()
        with self.assertRaises(errors.ServerNotFound):
            made.endpoint(server, "vnc")

    def test_server_without_domain_is_not_found(self) -> None:
        for xml in ("", domains.domain(metadata="")):
            made = self.make_directory(self.uri("c1", xml))
            with self.assertRaises(errors.ServerNotFound):
                made.get(SERVER)

    def test_host_with_greatest_state_is_chosen(self) -> None:
        for state, other in (
            (RUNNING, SHUT_OFF),
            (RUNNING, PAUSED),
            (PAUSED, SHUT_OFF),
        ):
            made = self.make_directory(
                self.uri("c1", domains.domain(state=other)),
                self.uri("c2", domains.domain(state=state)),
            )
            with self.subTest(state=state, other=other):
                self.assertEqual("c2", made.get(SERVER).compute_host)

    def test_domain_reported_by_two_hosts_is_unavailable(self) -> None:
        for state in (RUNNING, PAUSED, SHUT_OFF):
            made = self.make_directory(
                self.uri("c1", domains.domain(state=state)),
                self.uri("c2", domains.domain(state=state)),
            )
            with self.subTest(state):
                self.assert_unavailable(made, "c1, c2")

    def test_invalid_metadata_is_unavailable(self) -> None:
        for old, new, word in (
            ("nova:project", "nova:projekt", "no project"),
            ("nova/1.1", "nova/2.0", "version '2.0'"),
        ):
            xml = domains.domain().replace(old, new)
            made = self.make_directory(self.uri("c1", xml))
            with self.subTest(word):
                self.assert_unavailable(made, "c1", word)

    def test_known_server_without_metadata_is_kept(self) -> None:
        made = self.make_directory(
            self.uri("c1", domains.domain(metadata="", state=RUNNING)),
            gone_after=0,
        )
        with (
            self.assertRaises(errors.ServerNotFound),
            self.assertLogs("console_api.directory", "WARNING") as logged,
        ):
            made.get(SERVER)
        self.assertIn("c1: no metadata", logged.output[0])
        self.add_server()
        self.add_console_and_token()
        self.assert_unavailable(made, "c1: no metadata")
        self.assertEqual(1, len(self.rows(tables.consoles)))

    def test_copy_without_metadata_is_ignored(self) -> None:
        self.add_server()
        made = self.make_directory(
            self.uri("c1", domains.domain(metadata="", state=RUNNING)),
            self.uri("c2", domains.domain(state=RUNNING)),
        )
        self.assertEqual("c2", made.get(SERVER).compute_host)

    def test_missing_server_is_unavailable_while_a_host_fails(self) -> None:
        unavailable = f"c9=qemu:///system?socket={self.folder}/nowhere"
        running = self.uri("c1", domains.domain(state=RUNNING))
        self.assertEqual(
            "c1",
            self.make_directory(unavailable, running).get(SERVER).compute_host,
        )
        for host in (
            self.uri("c1", domains.domain(state=SHUT_OFF)),
            self.uri("c2", domains.domain(uuid=UNKNOWN_SERVER)),
        ):
            self.assert_unavailable(
                self.make_directory(unavailable, host), "c9"
            )
        self.assertEqual(1, len(self.rows(tables.servers)))


class HangingTest(LibvirtCase):
    """A daemon accepts calls, but never responds."""

    def setUp(self) -> None:
        super().setUp()
        self.stopped = threading.Event()
        self.addCleanup(self.stopped.set)

    def hanging(self, *uris: str, timeout: float) -> Any:
        made = self.make_directory(
            "c9=test:///default", *uris, timeout=timeout
        )
        daemon = made._daemons[0]
        daemon._connection = mock.Mock()
        daemon._connection.lookupByUUIDString = lambda _: self.stopped.wait()
        return made

    def test_server_on_another_host_is_found(self) -> None:
        running = self.uri("c1", domains.domain(state=RUNNING))
        made = self.hanging(running, timeout=2)
        self.assertEqual("c1", made.get(SERVER).compute_host)

    def test_hanging_daemon_occupies_few_threads(self) -> None:
        made = self.hanging(timeout=0.2)
        for _ in range(12):
            self.assert_unavailable(made, "c9", "TimeoutError")
        names = [thread.name for thread in threading.enumerate()]
        self.assertLessEqual(names.count("libvirt"), 8)


class BrokenDaemonTest(LibvirtCase):
    """A socket that is not that of a working daemon."""

    def listen(self, respond: Callable[[socket.socket], None]) -> str:
        """Accept one connection, and return the URI."""
        path = str(self.folder / "socket")
        listener = socket.create_server(path, family=socket.AF_UNIX)
        self.addCleanup(listener.close)
        stopped = threading.Event()
        self.addCleanup(stopped.set)

        def run() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(4)
                respond(connection)
                stopped.wait()

        threading.Thread(target=run, daemon=True).start()
        return f"c9=qemu+unix:///system?socket={path}"

    def assert_failure(
        self, respond: Callable[[socket.socket], None], word: str
    ) -> None:
        uri = self.listen(respond)
        made = self.make_directory(uri, timeout=0.3)
        self.assert_unavailable(made, "c9", word)
        running = self.uri("c1", domains.domain(state=RUNNING))
        made = self.make_directory(uri, running, timeout=2)
        self.assertEqual("c1", made.get(SERVER).compute_host)

    def test_daemon_that_never_responds(self) -> None:
        self.assert_failure(lambda connection: None, "TimeoutError")

    def test_daemon_that_dies_before_it_responds(self) -> None:
        self.assert_failure(socket.socket.close, "libvirtError")

    def test_daemon_that_dies_within_a_response(self) -> None:
        def die(connection: socket.socket) -> None:
            connection.sendall(b"\0\0\0\x40\x20\0\x80\x86")
            connection.close()

        self.assert_failure(die, "libvirtError")

    def test_daemon_that_sends_garbage(self) -> None:
        self.assert_failure(
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n"),
            "libvirtError",
        )


class DeleteTest(LibvirtCase):
    def test_missing_server_is_deleted_after_gone_after_seconds(self) -> None:
        for gone_after, left in ((60, 1), (0, 0)):
            made = self.make_directory(
                self.uri("c1", domains.domain()), gone_after=gone_after
            )
            made.get(SERVER)
            self.uri("c1")
            made._daemons[0]._connection = None
            for _ in range(2):
                with self.assertRaises(errors.ServerNotFound):
                    made.get(SERVER)
            self.assertEqual(left, len(self.rows(tables.servers)))

    def test_unknown_ids_are_not_remembered(self) -> None:
        made = self.make_directory(self.uri("c1"))
        with self.assertRaises(errors.ServerNotFound):
            made.get(UNKNOWN_SERVER)
        self.assertEqual({}, made._missing_since)


class ConfigurationTest(LibvirtCase):
    def test_invalid_options_are_refused(self) -> None:
        for uris in ((), ("qemu:///system",), ("=qemu:///system",), ("c1=",)):
            with (
                self.subTest(uris),
                self.assertRaisesRegex(errors.ConfigurationError, "uris"),
            ):
                self.make_directory(*uris)

    def test_missing_libvirt_python_is_named(self) -> None:
        with (
            mock.patch.dict(sys.modules, {"libvirt": None}),
            self.assertRaisesRegex(
                errors.ConfigurationError, r"console-api\[libvirt\]"
            ),
        ):
            self.make_directory("c1=test:///default")
