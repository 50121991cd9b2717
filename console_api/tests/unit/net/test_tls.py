# SPDX-License-Identifier: Apache-2.0
import shutil
import ssl
import tempfile
import unittest
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from console_api import errors
from console_api.net import tls
from console_api.net.tls import ReloadingContext
from console_api.tests import certificates

OPTIONS = "[vnc] tls_cert_file or tls_key_file"


class TLSCase(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.current = self.make("current")
        self.renewed = self.make("renewed")

    def make(self, name: str) -> certificates.Authority:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        return certificates.make(folder, name=f"{name}.example.org")

    def replace(self, *names: str) -> None:
        """Replace files of the current authority by those of the renewed."""
        for name in names:
            (self.renewed.folder / name).rename(self.current.folder / name)


class ReloadingContextTest(TLSCase):
    def setUp(self) -> None:
        super().setUp()
        self.created = 0
        self.context = self.reloading()

    def reloading(self) -> ReloadingContext:
        files = (self.current.certificate_file, self.current.key_file)
        return ReloadingContext(
            OPTIONS, [*map(str, files)], self.create, lambda: self.now
        )

    def create(self) -> ssl.SSLContext:
        self.created += 1
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_certificate(
            context,
            str(self.current.certificate_file),
            str(self.current.key_file),
        )
        return context

    def test_unchanged_files_are_read_once(self) -> None:
        self.assertIs(self.context.get(), self.context.get())
        self.assertEqual(1, self.created)

    def test_changed_files_are_read_again(self) -> None:
        before = self.context.get()
        self.replace("server-cert.pem", "server-key.pem")
        with self.assertLogs(tls.LOG, "INFO"):
            after = self.context.get()
        self.assertIsNot(before, after)
        self.assertIs(after, self.context.get())

    def test_file_written_in_place_is_read_again(self) -> None:
        certificate = self.current.certificate_file
        certificate.write_bytes(certificate.read_bytes())
        self.context.get()
        self.assertEqual(2, self.created)

    def test_context_stays_until_certificate_and_key_match(self) -> None:
        before = self.context.get()
        self.replace("server-cert.pem")
        with self.assertLogs(tls.LOG, "ERROR") as logs:
            self.assertIs(before, self.context.get())
        self.assertIn(OPTIONS, logs.output[0])
        self.replace("server-key.pem")
        with self.assertNoLogs(tls.LOG, "ERROR"):
            self.assertIsNot(before, self.context.get())

    def test_error_is_logged_once(self) -> None:
        before = self.context.get()
        self.current.key_file.unlink()
        with self.assertLogs(tls.LOG, "ERROR") as logs:
            for _ in range(5):
                self.assertIs(before, self.context.get())
                self.now += 1
        self.assertEqual(1, len(logs.output))
        self.assertIn(str(self.current.key_file), logs.output[0])

    def test_another_error_is_logged_too(self) -> None:
        self.current.key_file.unlink()
        with self.assertLogs(tls.LOG, "ERROR"):
            self.context.get()
        self.current.key_file.write_text("broken")
        with self.assertLogs(tls.LOG, "ERROR"):
            self.context.get()

    def test_passing_error_is_retried(self) -> None:
        certificate = self.current.certificate_file
        before = self.context.get()
        create, self.context._create = self.context._create, _fail
        certificate.touch()
        with self.assertLogs(tls.LOG, "ERROR"):
            self.context.get()
        self.context._create = create
        self.assertIs(before, self.context.get())
        self.now += 1
        self.assertIsNot(before, self.context.get())

    def test_missing_file_is_refused_at_start(self) -> None:
        self.current.key_file.unlink()
        with self.assertRaises(errors.ConfigurationError) as raised:
            self.reloading()
        self.assertIn(OPTIONS, str(raised.exception))
        self.assertIn(str(self.current.key_file), str(raised.exception))


class LoadCertificateTest(TLSCase):
    def test_encrypted_key_is_refused(self) -> None:
        file = self.current.key_file
        key = serialization.load_pem_private_key(file.read_bytes(), None)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"passphrase"),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with self.assertRaisesRegex(ValueError, "must not be encrypted"):
            tls.load_certificate(
                context, str(self.current.certificate_file), str(file)
            )


def _fail() -> ssl.SSLContext:
    raise OSError("too many open files")
