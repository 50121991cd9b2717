# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests: an authority, and a server certificate."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Authority:
    """A folder with the files that QEMU expects, by their names."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "ca-cert.pem"

    @property
    def certificate_file(self) -> Path:
        """The certificate of the server."""
        return self.folder / "server-cert.pem"

    @property
    def key_file(self) -> Path:
        """The private key of the server."""
        return self.folder / "server-key.pem"


def make(folder: Path, *, name: str = "127.0.0.1") -> Authority:
    """Create an authority and a server certificate.

    :param name: the host name or IP address that the certificate contains
    """
    ca_key, server_key = (
        ec.generate_private_key(ec.SECP256R1()) for _ in "ab"
    )
    ca_name = x509.Name.from_rfc4514_string("CN=authority of a test")
    server_name = x509.Name.from_rfc4514_string("CN=compute host of a test")
    ca = (
        _builder(ca_name, ca_name, ca_key, ca_key)
        .add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    server = _builder(server_name, ca_name, server_key, ca_key).add_extension(
        x509.SubjectAlternativeName([_general_name(name)]), critical=False
    )
    authority = Authority(folder)
    _write(authority.ca_file, ca.sign(ca_key, hashes.SHA256()))
    _write(authority.certificate_file, server.sign(ca_key, hashes.SHA256()))
    authority.key_file.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return authority


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - dt.timedelta(days=1),
        not_valid_after=now + dt.timedelta(days=1),
    )
    # Python 3.13 and later require both.
    return builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        critical=False,
    ).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(
            issuer_key.public_key()
        ),
        critical=False,
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
