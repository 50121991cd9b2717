# SPDX-License-Identifier: Apache-2.0
"""Policy files with random faults."""

import random
import unittest
from pathlib import Path

from console_api.policy import check, reader
from console_api.tests.unit.policy.base import INDEX

_FILE = f"""# Who may use consoles here.
"{INDEX}": "role:a or (rule:own and not role:b)"
own: &own project_id:%(project_id)s
"os_compute_api:os-consoles:show": [["role:x"], ["role:y", *own]]
"os_compute_api:os-consoles:create": >-
  role:z
  or "rule:own"
""".encode()

_INSERTIONS = (
    *b"[]{}!\t\"':?|>%&*#-()@\n\xff\0",
    b"!!str ",
    b"!!seq ",
    b": ",
    b"- ",
    b"&own ",
    b"*own",
    b"---\n",
    b"<<: ",
    b" not ",
    "\u2028".encode(),
)


def mutate(chance: random.Random) -> bytes:
    """Return the file with a few random changes."""
    data = bytearray(_FILE)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) + 1)
        if chance.random() < 0.6:
            piece = chance.choice(_INSERTIONS)
            data[at:at] = bytes([piece]) if isinstance(piece, int) else piece
        else:
            del data[at : at + chance.randint(1, 10)]
    return bytes(data)


class FuzzTest(unittest.TestCase):
    def test_any_file_is_read_or_refused(self) -> None:
        chance = random.Random(20261128)
        for _ in range(500):
            data = mutate(chance)
            with self.subTest(data):
                document = reader.read(Path("policy.yaml"), data)
                for rule in document.rules:
                    self.assertIsInstance(rule.name, str)
                    self.assertIsInstance(rule.value, str | list)
                result = check.check([document])
                for finding in result.findings:
                    self.assertLess(len(str(finding)), 1000)
