# SPDX-License-Identifier: Apache-2.0
"""Single DES, which VNC authentication and xvp require although it is weak."""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """Encrypt a single block.

    :param key: 8 bytes, used as they are
    :param block: 8 bytes
    """
    # Triple DES with three equal keys is single DES.  A single block needs
    # no chaining, so ECB reveals nothing.
    cipher = Cipher(TripleDES(key * 3), modes.ECB())  # noqa: S305  # nosec
    encryptor = cipher.encryptor()
    return encryptor.update(block) + encryptor.finalize()
