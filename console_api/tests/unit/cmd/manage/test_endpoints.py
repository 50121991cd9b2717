# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.cmd.manage.endpoints import parse_endpoint

VNC = "protocol=vnc,host=h,port=1"


class ParseEndpointTest(unittest.TestCase):
    def test_optional_parts_default_to_none(self) -> None:
        self.assertEqual(
            {
                "protocol": "vnc",
                "host": "h",
                "port": 1,
                "tls_port": None,
                "internal_access_path": None,
            },
            parse_endpoint(VNC),
        )

    def test_values_may_contain_commas_and_equals_signs(self) -> None:
        path = '{"ticket": "a,b=c"}'
        self.assertEqual(
            {
                "protocol": "mks",
                "host": "2001:db8::1",
                "port": 902,
                "tls_port": 903,
                "internal_access_path": path,
            },
            parse_endpoint(
                f"internal_access_path={path},tls_port=903,protocol=mks,"
                "port=902,host=[2001:db8::1]"
            ),
        )

    def test_malformed_endpoints_raise_with_the_reason(self) -> None:
        for text, message in (
            ("", "must be KEY=VALUE pairs"),
            ("vnc", '"vnc" is not'),
            ("color=red", '"color=red" is not'),
            ("host=h,port=1", "must have protocol="),
            ("protocol=vnc,port=1", "must have host="),
            ("protocol=vnc,host=h", "must have port="),
            (f"{VNC},port=2", "must have port only once"),
            (f"{VNC},color=red", "port must be a number from 1 to"),
            (f"{VNC},tls_port=0", "tls_port must be a number"),
            (f"{VNC},tls_port=", "tls_port must be a number"),
            (f"{VNC},internal_access_path=", "must not be empty"),
            ("protocol=ssh,host=h,port=1", "protocol must be one of vnc,"),
            ("protocol=vnc,host=a b,port=1", "host must not contain white"),
        ):
            with self.subTest(text):
                with self.assertRaises(ValueError) as caught:
                    parse_endpoint(text)
                self.assertIn(message, str(caught.exception))
