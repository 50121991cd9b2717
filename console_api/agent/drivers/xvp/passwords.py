# SPDX-License-Identifier: Apache-2.0
"""The form in which ``xvp.conf`` holds passwords.

That is obfuscation, not encryption: xvp's keys are fixed and public.  Both
forms were measured on xvp 1.16.
"""

from console_api.rfb import des

MAX_VM_LENGTH = 8
MAX_POOL_LENGTH = 16

_VM_KEY = bytes.fromhex("c1240899c2260705")
_POOL_KEY = bytes.fromhex("cc101058be030766")


def obfuscate_vm(password: str) -> str:
    """Return the 16 hexadecimal digits of the password of a console.

    :param password: 1 to 8 printable ASCII characters without spaces; xvp
        would accept others, but VNC viewers encode them differently
    :raises ValueError: it is something else; the message, which continues a
        sentence, does not contain it
    """
    _check(password, MAX_VM_LENGTH)
    if not password.isascii() or " " in password:
        raise ValueError(
            "must consist of printable ASCII characters without spaces"
        )
    block = password.encode().ljust(MAX_VM_LENGTH, b"\0")
    return des.encrypt_block(_VM_KEY, block).hex()


def obfuscate_pool(password: str) -> str:
    """Return the 32 hexadecimal digits of the password of a pool's hosts.

    :param password: 1 to 16 bytes in UTF-8 without control characters
    :raises ValueError: it is something else; the message, which continues a
        sentence, does not contain it
    """
    _check(password, MAX_POOL_LENGTH)
    padded = password.encode().ljust(MAX_POOL_LENGTH, b"\0")
    first, last = padded[:8], padded[8:]
    # xvp chains from the last block to the first.
    last = des.encrypt_block(_POOL_KEY, last)
    mixed = bytes(a ^ b for a, b in zip(first, last, strict=True))
    return (des.encrypt_block(_POOL_KEY, mixed) + last).hex()


def _check(password: str, max_length: int) -> None:
    length = len(password.encode())
    if not (password.isprintable() and 1 <= length <= max_length):
        raise ValueError(
            f"must have 1 to {max_length} bytes and no control characters"
        )
