# SPDX-License-Identifier: Apache-2.0
import contextlib
import ssl
from asyncio import sslproto
from collections.abc import Iterator
from typing import Any
from unittest import mock

from console_api import errors
from console_api.agent.drivers.vnc import session
from console_api.agent.drivers.vnc.security import Security
from console_api.rfb import auth
from console_api.rfb.handshake import VENCRYPT, VNC
from console_api.tests import certificates
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.vnc.base import (
    FAILED,
    OK,
    ConsoleCase,
    Viewer,
)
from console_api.tests.waiting import wait_until_async

# From the version of RFB to the subtype X509Vnc of VeNCrypt.
BEGIN = b"RFB 003.008\n" + b"\x13" + b"\0\2" + b"\0\0\1\5"

# What is sent until TLS starts.
OFFER = b"RFB 003.008\n" + b"\2\x13\2" + b"\0\2" + b"\0\1\0\0\1\5" + b"\1"


class FromConfTest(base.FolderCase):
    def load(self, **options: str) -> Security:
        return Security.from_conf(
            base.load_conf(self.folder, {"vnc": options})
        )

    def test_types_depend_on_options(self) -> None:
        authority = certificates.make(self.folder)
        files = {
            "tls_cert_file": str(authority.certificate_file),
            "tls_key_file": str(authority.key_file),
        }
        for options, expected in (
            ({}, (VNC,)),
            (files, (VENCRYPT, VNC)),
            ({**files, "tls_required": "true"}, (VENCRYPT,)),
        ):
            with self.subTest(expected):
                self.assertEqual(expected, self.load(**options).types)

    def test_invalid_options_are_errors(self) -> None:
        file = self.folder / "broken.pem"
        file.write_text("broken")
        for options, message in (
            ({"tls_required": "true"}, "need .* tls_cert_file"),
            ({"tls_key_file": str(file)}, "need .* tls_cert_file"),
            ({"tls_cert_file": str(file)}, "cannot be used"),
            ({"tls_cert_file": "/nowhere"}, "No such file"),
        ):
            with (
                self.subTest(options),
                self.assertRaisesRegex(errors.ConfigurationError, message),
            ):
                self.load(**options)


class TLSCase(base.FolderCase, ConsoleCase):
    def setUp(self) -> None:
        super().setUp()
        self.authority = certificates.make(self.folder)
        files = {
            "tls_cert_file": str(self.authority.certificate_file),
            "tls_key_file": str(self.authority.key_file),
        }
        conf = base.load_conf(self.folder, {"vnc": files})
        self.security = Security.from_conf(conf)

    async def start_tls(self) -> Viewer:
        """Connect and start TLS."""
        viewer = await self.connect()
        viewer.send(BEGIN)
        self.assertEqual(OFFER, await viewer.receive(len(OFFER)))
        await viewer.start_tls(
            ssl.create_default_context(cafile=self.authority.ca_file)
        )
        return viewer


class AuthenticateTest(TLSCase):
    async def authenticate(self, password: str) -> tuple[Viewer, int]:
        viewer = await self.start_tls()
        viewer.send(auth.respond(password, await viewer.receive(16)))
        return viewer, int.from_bytes(await viewer.receive(4))

    async def test_session_is_encrypted(self) -> None:
        viewer, result = await self.authenticate("pAsSw0rd")
        self.assertEqual(OK, result)
        viewer.send(b"\1")
        await wait_until_async(lambda: bool(self.displays))
        self.displays[0].send(b"picture")
        self.assertEqual(b"picture", await viewer.receive(7))

    async def test_nothing_but_challenge_follows_tls_handshake(self) -> None:
        # TigerVNC's viewer would wait forever for a challenge that it receives
        # together with a ticket.
        viewer, _ = await self.authenticate("pAsSw0rd")
        self.assertFalse(viewer.has_ticket)

    async def test_wrong_password_is_refused(self) -> None:
        with self.assertLogs(session.LOG, "WARNING"):
            viewer, result = await self.authenticate("wrong")
        self.assertEqual(FAILED, result)
        self.assertEqual("Wrong password.", await viewer.reason())

    async def test_idle_session_has_small_buffers(self) -> None:
        # asyncio has no public way to it.
        created: list[Any] = []
        original = sslproto.SSLProtocol.__init__

        def record(protocol: Any, *args: Any, **kwargs: Any) -> None:
            original(protocol, *args, **kwargs)
            created.append(protocol)

        with mock.patch.object(sslproto.SSLProtocol, "__init__", record):
            await self.authenticate("pAsSw0rd")
        self.assertEqual(
            [32 * 1024] * 2, [len(each._ssl_buffer) for each in created]
        )

    async def test_renewed_certificate_is_used(self) -> None:
        await self.authenticate("pAsSw0rd")
        self.authority = certificates.make(self.folder)
        _, result = await self.authenticate("pAsSw0rd")
        self.assertEqual(OK, result)


class FaultyViewerTest(TLSCase):
    async def test_rejected_certificate_is_not_logged(self) -> None:
        viewer = await self.connect()
        viewer.send(BEGIN)
        await viewer.receive(len(OFFER))
        with self.nothing_logged():
            with self.assertRaises(ssl.SSLCertVerificationError):
                await viewer.start_tls(ssl.create_default_context())
            await self.closed()

    async def test_bytes_that_are_not_tls_end_the_connection(self) -> None:
        for data in (b"garbage", b"\x16\3\1\0\5", b""):
            with self.subTest(data), self.nothing_logged():
                viewer = await self.connect()
                viewer.send(BEGIN)
                await viewer.receive(len(OFFER))
                viewer.send(data)
                viewer.close()
                await self.closed()

    @contextlib.contextmanager
    def nothing_logged(self) -> Iterator[None]:
        """Assert that neither the agent nor asyncio logs."""
        with (
            self.assertNoLogs("console_api", "INFO"),
            self.assertNoLogs("asyncio", "ERROR"),
        ):
            yield

    async def closed(self) -> None:
        """Wait until no viewer is served."""
        await wait_until_async(lambda: not self.listener._tasks)
