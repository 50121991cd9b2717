# SPDX-License-Identifier: Apache-2.0
"""vncviewer of TigerVNC, or another one that reads a VNC password file."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers import Cipher, modes

from console_api_client.viewers.base import Target, Viewer, start

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:
    # Before cryptography 43.
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

# The key of all VNC password files, with the bits of each byte reversed, as
# VNC does. It is public: the file hides the password from a glance only.
_KEY = bytes.fromhex("e84ad660c4721ae0")


def password_file(password: str) -> bytes:
    """Return the contents of a VNC password file.

    VNC authentication uses the first 8 characters of a password.
    """
    block = password.encode()[:8].ljust(8, b"\0")
    # With three equal keys, Triple DES is DES, which the format requires.
    cipher = Cipher(TripleDES(_KEY * 3), modes.ECB())  # noqa: S305  # nosec
    encryptor = cipher.encryptor()
    return encryptor.update(block) + encryptor.finalize()


class VNCViewer(Viewer):
    """vncviewer, which reads the password from a pipe, once."""

    def run(self, target: Target) -> int:
        """Show a console until the user closes the viewer."""
        reader, writer = os.pipe()
        try:
            # A pipe has room for it.
            os.write(writer, password_file(target.password))
        finally:
            os.close(writer)
        try:
            options = ("-passwd", f"/dev/fd/{reader}")
            address = f"{target.address}::{target.port}"
            return start(
                [*self.command, *options, address], pass_fds=(reader,)
            )
        finally:
            os.close(reader)
