# SPDX-License-Identifier: Apache-2.0
"""Single DES, which VNC authentication and xvp need although it is broken."""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Encrypt one block of 8 bytes with a key of 8 bytes, used as it is."""
    # Triple DES with one key three times is single DES.  One block needs no
    # chaining: there is nothing for ECB to give away.
    cipher = Cipher(TripleDES(key * 3), modes.ECB())  # noqa: S305  # nosec
    encryptor = cipher.encryptor()
    return encryptor.update(block) + encryptor.finalize()
