# SPDX-License-Identifier: Apache-2.0
"""The Data Encryption Standard (FIPS 46-3), for a single block.

Password files of VNC are encrypted with it, with a key that is public, so it
hides the password from a glance only.  The standard library does not have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

# Tables of the standard. They count bits from 1, the most significant first.
_PC1 = (
    *(57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18),
    *(10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36),
    *(63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22),
    *(14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4),
)
_PC2 = (
    *(14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10),
    *(23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2),
    *(41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48),
    *(44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32),
)
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_INITIAL = tuple(
    first - 8 * row
    for first in (58, 60, 62, 64, 57, 59, 61, 63)
    for row in range(8)
)
_FINAL = tuple(_INITIAL.index(bit) + 1 for bit in range(1, 65))
_EXPANSION = tuple(
    (4 * row + column - 1) % 32 + 1 for row in range(8) for column in range(6)
)
_PERMUTATION = (
    *(16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10),
    *(2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25),
)
# Each digit is a value of a box, row after row.
_BOXES = tuple(
    tuple(int(digit, 16) for digit in digits)
    for digits in (
        "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
        "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
        "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
        "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
        "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
        "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
        "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
        "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
    )
)


def encrypt(key: bytes, block: bytes) -> bytes:
    """Encrypt 8 bytes with a key of 8 bytes."""
    bits = _select(_bits(block), _INITIAL)
    left, right = bits[:32], bits[32:]
    for subkey in _subkeys(_bits(key)):
        left, right = right, _xor(left, _mix(right, subkey))
    bits = _select([*right, *left], _FINAL)
    return int("".join(map(str, bits)), 2).to_bytes(8, "big")


def _subkeys(key: Sequence[int]) -> Iterator[Sequence[int]]:
    selected = _select(key, _PC1)
    left, right = selected[:28], selected[28:]
    for shift in _SHIFTS:
        left = left[shift:] + left[:shift]
        right = right[shift:] + right[:shift]
        yield _select(left + right, _PC2)


def _mix(half: Sequence[int], subkey: Sequence[int]) -> Sequence[int]:
    expanded = _xor(_select(half, _EXPANSION), subkey)
    mixed: list[int] = []
    for number, box in enumerate(_BOXES):
        first, *middle, last = expanded[6 * number : 6 * number + 6]
        column = int("".join(map(str, middle)), 2)
        value = box[16 * (2 * first + last) + column]
        mixed.extend(_bits(bytes([value]))[4:])
    return _select(mixed, _PERMUTATION)


def _bits(data: bytes) -> list[int]:
    return [byte >> (7 - bit) & 1 for byte in data for bit in range(8)]


def _select(bits: Sequence[int], table: Sequence[int]) -> list[int]:
    return [bits[position - 1] for position in table]


def _xor(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [one ^ other for one, other in zip(left, right)]
