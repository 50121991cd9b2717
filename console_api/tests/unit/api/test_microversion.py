# SPDX-License-Identifier: Apache-2.0
import unittest

from microversion_parse import Version

from console_api.api import microversion
from console_api.api.faults import Fault


def negotiate(
    standard: str | None = None, legacy: str | None = None
) -> Version:
    environ = {}
    if standard is not None:
        environ["HTTP_OPENSTACK_API_VERSION"] = standard
    if legacy is not None:
        environ["HTTP_X_OPENSTACK_NOVA_API_VERSION"] = legacy
    return microversion.negotiate(environ)


class NegotiateTest(unittest.TestCase):
    def test_requested_microversion_is_in_force(self) -> None:
        for standard, legacy, expected in (
            (None, None, (2, 1)),
            ("compute 2.1", None, (2, 1)),
            ("compute 2.104", None, (2, 104)),
            ("compute latest", None, (2, 104)),
            ("COMPUTE 2.31", None, (2, 31)),
            ("  compute   2.31  ", None, (2, 31)),
            ("compute\t2.31", None, (2, 31)),
            ("identity 3.7, compute 2.31", None, (2, 31)),
            ("compute 2.31,identity 3.7", None, (2, 31)),
            ("compute 2.30, compute 2.31", None, (2, 31)),
            # The service type of our own is another name of compute.
            ("console 2.31", None, (2, 31)),
            (" Console\t latest", "2.6", (2, 104)),
            ("console 2.31, compute 2.30", None, (2, 30)),
            ("compute 2.30,console 2.31, identity 3.7", None, (2, 31)),
            ("my-console 2.31", "2.6", (2, 6)),
            ("consoles 2.31, console", "2.6", (2, 6)),
            (None, "2.31", (2, 31)),
            (None, " 2.31 ", (2, 31)),
            (None, "latest", (2, 104)),
            # The standard header takes precedence if it names compute.
            ("compute 2.31", "2.6", (2, 31)),
            ("compute 2.31", "nonsense", (2, 31)),
            ("identity 3.7", "2.6", (2, 6)),
            ("identity 3.7", None, (2, 1)),
            # Without a version of compute it is ignored.
            ("", None, (2, 1)),
            ("2.31", None, (2, 1)),
            ("compute", "2.6", (2, 6)),
        ):
            with self.subTest(standard=standard, legacy=legacy):
                self.assertEqual(
                    Version(*expected), negotiate(standard, legacy)
                )

    def test_malformed_microversion_returns_400_without_headers(self) -> None:
        for text in (
            "2",
            "2.",
            ".1",
            "2.x",
            "2.1.1",
            "2.1 2",
            "-2.1",
            "+2.1",
            "02.1",
            "2.01",
            "0.1",
            "2,1",
            "LATEST",
            "None",
            "2.1e1",
            "2.1\0",
            "2.9999999999",
            "2" * 5000 + ".1",
            # Digits of other scripts.
            "\u0662.\u0661",
        ):
            for standard, legacy in (
                (f"compute {text}", None),
                (f"console {text}", None),
                (None, text),
            ):
                # A comma separates the services of a header.
                if "," in text:
                    continue
                with self.subTest(standard=standard, legacy=legacy):
                    with self.assertRaises(Fault) as caught:
                        negotiate(standard, legacy)
                    self.assertEqual(400, caught.exception.status)
                    self.assertEqual((), caught.exception.headers)
                    self.assertLess(len(str(caught.exception)), 200)

    def test_unsupported_microversion_returns_406_and_is_echoed(self) -> None:
        for text in ("2.0", "2.105", "1.1", "1.200", "3.0", "999999999.1"):
            for standard, legacy in ((f"compute {text}", None), (None, text)):
                with self.subTest(standard=standard, legacy=legacy):
                    with self.assertRaises(Fault) as caught:
                        negotiate(standard, legacy)
                    fault = caught.exception
                    self.assertEqual(406, fault.status)
                    headers = dict(fault.headers)
                    self.assertEqual(
                        (f"compute {text}, console {text}", text),
                        (
                            headers["OpenStack-API-Version"],
                            headers["X-OpenStack-Nova-API-Version"],
                        ),
                    )
                    for word in (text, "2.1", "2.104"):
                        self.assertIn(word, str(fault))


class HeadersTest(unittest.TestCase):
    def test_headers_name_microversion_and_vary(self) -> None:
        self.assertEqual(
            (
                ("OpenStack-API-Version", "compute 2.31, console 2.31"),
                ("X-OpenStack-Nova-API-Version", "2.31"),
                (
                    "Vary",
                    "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
                ),
            ),
            tuple(microversion.headers(Version(2, 31))),
        )
