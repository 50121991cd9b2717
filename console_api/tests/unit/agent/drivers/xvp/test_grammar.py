# SPDX-License-Identifier: Apache-2.0
import textwrap
import unittest

from console_api.agent.drivers.xvp import grammar
from console_api.agent.drivers.xvp.model import VM, File, Host, Pool

VM_HEX, POOL_HEX = "0123456789abcdef", "0123456789abcdef" * 2

# xvp 1.16 takes it.
REAL = textwrap.dedent("""\
    OTP DENY
    MULTIPLEX 28000
    POOL p-mux
      DOMAIN ""
      MANAGER root 2a0e3d7a60a60b3294f43d47a87410fa
      HOST 192.0.2.1 xs1
      VM - vm-a ed1a6fce37775acd
      VM - vm-b 480b7ee675a08575
    POOL p-ded
      DOMAIN example.org
      MANAGER root 0fd5afc28bbe1ede32af7fd70a26fe44
      HOST xs2
      VM 28011 vm-c ed1a6fce37775acd
      VM 28012 "vm d" 480b7ee675a08575
""")

RIGHT = {
    "otp": "",
    "multiplex": "MULTIPLEX 2000",
    "pool": "POOL p",
    "domain": 'DOMAIN ""',
    "manager": f"MANAGER root {POOL_HEX}",
    "host": "HOST xs1",
    "vm": f"VM 2001 a {VM_HEX}",
    "more": "",
}


def text(**lines: str) -> str:
    """Write a file with some other lines than the usual ones."""
    return "\n".join({**RIGHT, **lines}.values())


class ParseTest(unittest.TestCase):
    maxDiff = None

    def test_a_real_file(self) -> None:
        manager = "2a0e3d7a60a60b3294f43d47a87410fa"
        other = "0fd5afc28bbe1ede32af7fd70a26fe44"
        file = grammar.parse(REAL)
        self.assertEqual(
            File(
                28000,
                [
                    Pool(
                        *("p-mux", "", "root", manager),
                        [Host("xs1", "192.0.2.1")],
                        [
                            VM(None, "vm-a", "ed1a6fce37775acd"),
                            VM(None, "vm-b", "480b7ee675a08575"),
                        ],
                    ),
                    Pool(
                        *("p-ded", "example.org", "root", other),
                        [Host("xs2")],
                        [
                            VM(28011, "vm-c", "ed1a6fce37775acd"),
                            VM(28012, "vm d", "480b7ee675a08575"),
                        ],
                    ),
                ],
            ),
            file,
        )
        self.assertEqual({28000, 28011, 28012}, file.ports)
        self.assertNotIn(manager, repr(file))
        self.assertNotIn("ed1a6fce37775acd", repr(file))

    def test_what_xvp_takes(self) -> None:
        uuid = "00000000-0000-4000-8000-000000000001"
        for lines in (
            {},
            {"otp": "DATABASE a b\nOTP ALLOW IPCHECK HTTP 3600"},
            {"otp": "OTP REQUIRE 1"},
            {"otp": "OTP ALLOW IPCHECK ON"},
            {"otp": "# a comment, and\n\n \t \n"},
            {"pool": f"\t POOL \t{'p' * 79} # p"},
            {"domain": f"DOMAIN {'d' * 79}"},
            {"manager": f'MANAGER "{"a " * 16}" {POOL_HEX}'},
            {"host": "HOST xs1\nHOST 192.0.2.1 xs2"},
            {"vm": f"VM :99 {'v' * 80} {VM_HEX}"},
            {"vm": f"VM 65535 {uuid} {VM_HEX}#"},
            {"vm": f"VM - a {VM_HEX}\nGROUP g\nVM - b {VM_HEX}"},
            {"vm": f"GROUP g\nVM 1024 a {VM_HEX}"},
            {"more": "#" + "x" * 4094},
        ):
            with self.subTest(str(lines)):
                grammar.parse(text(**lines))

    def test_what_xvp_refuses(self) -> None:
        for lines, number, reason in (
            ({"otp": "OTP ALLOW IPCHECK"}, 1, "OTP"),
            ({"otp": "OTP DENY 0"}, 1, "OTP"),
            ({"otp": "OTP DENY 3601"}, 1, "OTP"),
            ({"otp": "OTP NEVER"}, 1, "OTP"),
            ({"otp": "otp DENY"}, 1, "otp cannot be after"),
            ({"otp": "DATABASE"}, 1, "DATABASE"),
            ({"otp": "OTP DENY", "multiplex": "OTP DENY"}, 2, "cannot be"),
            ({"multiplex": "MULTIPLEX 1023"}, 2, "1024"),
            ({"multiplex": "MULTIPLEX -"}, 2, "1024"),
            ({"multiplex": "MULTIPLEX 2001"}, 7, "port 2001 is used twice"),
            ({"pool": "POOL"}, 3, "POOL"),
            ({"pool": 'POOL ""'}, 3, "empty"),
            ({"pool": "POOL a:b"}, 3, "colon"),
            ({"pool": f"POOL {'p' * 80}"}, 3, "79"),
            ({"pool": 'POOL "a#b"'}, 3, "does not enclose"),
            ({"pool": 'POOL "a"b'}, 3, "does not enclose"),
            ({"pool": 'POOL a"b'}, 3, "does not enclose"),
            ({"pool": "POOL é"}, 3, "printable ASCII"),
            ({"pool": "VM"}, 3, "VM cannot be after MULTIPLEX"),
            ({"domain": f"DOMAIN {'d' * 80}"}, 4, "too long"),
            ({"domain": "DOMAIN"}, 4, "DOMAIN"),
            ({"domain": ""}, 5, "MANAGER cannot be after POOL"),
            ({"manager": f"MANAGER {'u' * 33} {POOL_HEX}"}, 5, "32"),
            ({"manager": "MANAGER root"}, 5, "MANAGER"),
            ({"manager": f"MANAGER root {VM_HEX}"}, 5, "32 hex"),
            ({"manager": f"MANAGER root {'F' * 32}"}, 5, "32 hex"),
            ({"host": "HOST 192.0.2 xs1"}, 6, "192.0.2"),
            ({"host": "HOST ::1 xs1"}, 6, "::1"),
            ({"host": "HOST 1 2 3"}, 6, "HOST"),
            ({"host": f"HOST {'h' * 81}"}, 6, "80"),
            ({"host": "HOST a\nHOST a"}, 7, "another host"),
            ({"vm": ""}, 7, "no VM"),
            ({"vm": "GROUP g"}, 7, "no VM"),
            ({"vm": f"VM 2001 a {VM_HEX} more"}, 7, "three"),
            ({"vm": f"VM 2001 a b {VM_HEX}"}, 7, "three"),
            ({"vm": f"VM 1023 a {VM_HEX}"}, 7, "1024"),
            ({"vm": f"VM 65536 a {VM_HEX}"}, 7, "1024"),
            ({"vm": f"VM :100 a {VM_HEX}"}, 7, "1024"),
            ({"vm": f"VM 2001 {'v' * 81} {VM_HEX}"}, 7, "80"),
            ({"vm": f'VM 2001 "" {VM_HEX}'}, 7, "empty"),
            ({"vm": f"VM 2001 a {POOL_HEX}"}, 7, "16 hex"),
            ({"vm": f"VM 2001 {'a' * 4096} {VM_HEX}"}, 7, "4095 bytes"),
            ({"vm": "VM " + "a " * 10}, 7, "10 words"),
            ({"more": f"VM 2002 a {VM_HEX}"}, 8, "another server"),
            ({"more": f"VM 2001 b {VM_HEX}"}, 8, "used twice"),
            ({"vm": f"VM 5901 a {VM_HEX}\nVM :1 b {VM_HEX}"}, 8, "5901"),
            ({"more": text(multiplex="")}, 10, "another pool"),
            ({"more": "HOST xs2"}, 8, "HOST cannot be after VM"),
            ({"multiplex": "", "vm": f"VM - a {VM_HEX}"}, 7, "multiplex"),
        ):
            with self.subTest(str(lines)):
                with self.assertRaises(grammar.Refused) as caught:
                    grammar.parse(text(**lines))
                [refusal] = caught.exception.refusals
                self.assertEqual(number, refusal.line, refusal)
                self.assertIn(reason, refusal.reason)
                self.assertIn(f"line {number}: ", str(caught.exception))

    def test_a_file_without_a_pool(self) -> None:
        for content in ("", "OTP DENY\n", "# POOL p\n"):
            with (
                self.subTest(content),
                self.assertRaisesRegex(grammar.Refused, "there is no pool"),
            ):
                grammar.parse(content)

    def test_every_wrong_server_is_found_in_one_go(self) -> None:
        more = (
            f"VM 2001 b {VM_HEX}\n"
            f"VM 2002 c {VM_HEX}\n"
            f'VM 2003 "d {VM_HEX}\n'
            "HOST too late\n"
            "never read"
        )
        with self.assertRaises(grammar.Refused) as caught:
            grammar.parse(text(more=more))
        self.assertEqual(
            [8, 10, 11], [line for line, _ in caught.exception.refusals]
        )
