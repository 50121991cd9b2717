# SPDX-License-Identifier: Apache-2.0
"""How passwords are written in ``xvp.conf``.

That is obfuscation and no encryption: xvp's keys are fixed and public.  Both
forms were measured on xvp 1.16.
"""

from console_api.rfb import des

VM_LENGTH = 8
POOL_LENGTH = 16

_VM_KEY = bytes.fromhex("c1240899c2260705")
_POOL_KEY = bytes.fromhex("cc101058be030766")


def obfuscate_vm(password: str) -> str:
    """Return the 16 hex digits of the password that a VNC client types.

    :param password: 1 to 8 visible ASCII characters; xvp would take others,
        but VNC clients do not agree on what to send for them
    :raises ValueError: it is not; the message does not hold it
    """
    _check(password, VM_LENGTH)
    if not (password.isascii() and " " not in password):
        raise ValueError(
            "the password has characters other than visible ASCII"
        )
    block = password.encode().ljust(VM_LENGTH, b"\0")
    return des.encrypt_block(_VM_KEY, block).hex()


def obfuscate_pool(password: str) -> str:
    """Return the 32 hex digits of a password for the hosts of a pool.

    :param password: 1 to 16 bytes in UTF-8, none of them a control character
    :raises ValueError: it is not; the message does not hold it
    """
    _check(password, POOL_LENGTH)
    padded = password.encode().ljust(POOL_LENGTH, b"\0")
    first, last = padded[:8], padded[8:]
    # xvp chains from the last block to the first.
    last = des.encrypt_block(_POOL_KEY, last)
    mixed = bytes(a ^ b for a, b in zip(first, last, strict=True))
    return (des.encrypt_block(_POOL_KEY, mixed) + last).hex()


def _check(password: str, length: int) -> None:
    if not (password.isprintable() and 1 <= len(password.encode()) <= length):
        raise ValueError(
            f"the password has not 1 to {length} bytes, or control characters"
        )
