# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.xvp import pools
from console_api.tests.unit import base

SECRET = "s3cret of pools"


class ReadTest(base.FolderCase):
    def conf(self, **sections: dict[str, Any]) -> cfg.ConfigOpts:
        """Load a configuration, with the required options of each pool."""
        complete = {
            f"xvp_pool:{name}": {
                "manager_password": SECRET,
                "hosts": "xs1",
                **values,
            }
            for name, values in sections.items()
        }
        names = {"pools": ", ".join(sections)}
        return base.load_conf(Path(self.folder), {"xvp": names, **complete})

    def test_options_become_lines(self) -> None:
        west, east = pools.read(
            self.conf(
                west={
                    "domain": "example.org",
                    "manager_user": "console api",
                    "manager_password": "password",
                    "hosts": "xs1=192.0.2.1, xs2=",
                    "compute_hosts": "west-*, compute-1",
                },
                east={},
            )
        )
        self.assertEqual("west", west.name)
        self.assertLessEqual(
            {"xs1", "xs2", "xs1.example.org", "xs2.example.org"},
            west.host_names,
        )
        self.assertEqual(("west-*", "compute-1"), west.compute_hosts)
        self.assertEqual(
            [
                "POOL west",
                "DOMAIN example.org",
                'MANAGER "console api" 2a0e3d7a60a60b3294f43d47a87410fa',
                "HOST 192.0.2.1 xs1",
                "HOST xs2",
            ],
            west.lines,
        )
        self.assertEqual(("*",), east.compute_hosts)
        self.assertEqual(["POOL east", 'DOMAIN ""'], list(east.lines[:2]))
        self.assertNotIn("2a0e3d7a60a60b32", repr(west))

    def test_host_names_with_and_without_domain(self) -> None:
        [pool] = pools.read(
            self.conf(a={"domain": "Example.org", "hosts": "XS1.example.org"})
        )
        self.assertLessEqual({"xs1", "xs1.example.org"}, pool.host_names)

    def test_option_that_xvp_would_refuse_is_refused(self) -> None:
        for values, text in (
            ({"manager_password": ""}, "1 to 16 bytes"),
            ({"manager_password": SECRET + "xx"}, "1 to 16 bytes"),
            ({"manager_user": "u" * 33}, "manager_user must have at most 32"),
            ({"manager_user": "a#b"}, "manager_user must consist"),
            ({"domain": "d" * 80}, "domain must have at most 79"),
            ({"hosts": ""}, "hosts must name at least one"),
            ({"hosts": "a, a"}, "hosts must not name a host twice"),
            ({"hosts": "a=::1"}, "hosts must have an IPv4 address"),
            ({"hosts": "a=b=c"}, "hosts must have an IPv4 address"),
            ({"hosts": "=192.0.2.1"}, "hosts must not be empty"),
        ):
            with (
                self.subTest(str(values)),
                self.assertRaises(errors.ConfigurationError) as caught,
            ):
                pools.read(self.conf(west=values))
            self.assertIn("[xvp_pool:west]", str(caught.exception))
            self.assertIn(text, str(caught.exception))
            self.assertNotIn(SECRET, str(caught.exception))

    def test_invalid_pool_name_is_refused(self) -> None:
        for names, text in (
            ("", "at least one"),
            ("a, a", "twice"),
            ("a:b", "colon"),
            ("p" * 80, "79"),
        ):
            with (
                self.subTest(names),
                self.assertRaisesRegex(errors.ConfigurationError, text),
            ):
                conf = self.conf(a={}, **{"a:b": {}, "p" * 80: {}})
                conf.set_override("pools", names.split(", "), group="xvp")
                if not names:
                    conf.set_override("pools", [], group="xvp")
                pools.read(conf)
