# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policies import (
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
    servers,
)
from console_api.policy import spelling


class IdentifyTest(unittest.TestCase):
    def test_misspelled_name_means_the_rule_that_it_resembles(self) -> None:
        for name, meant in (
            ("os_compute_api:os-consoles:indx", consoles.INDEX),
            ("os_compute_api:os-console:show", consoles.SHOW),
            ("os_compute_api:os-remote-console", remote_consoles.CREATE),
            ("os_compute_api:os-remote-consoles:show", remote_consoles.CREATE),
            ("os_compute_api:os-consoles.index", consoles.INDEX),
            ("os-compute-api:os-consoles:index", consoles.INDEX),
            ("OS_COMPUTE_API:os-consoles:INDEX", consoles.INDEX),
            (" os_compute_api:os-consoles:index", consoles.INDEX),
            ("os_compute_api: os-consoles: index", consoles.INDEX),
            ("'os_compute_api:os-consoles:index'", consoles.INDEX),
            ("os_compute_api:os-consoles:index\u200b", consoles.INDEX),
            ("os-consoles:index", consoles.INDEX),
            ("os-console-auth-token", console_auth_tokens.SHOW),
            ("os_compute_api:os-console-host:index", console_hosts.INDEX),
            ("project_members_or_admin", "project_member_or_admin"),
            ("Context_is_admin", "context_is_admin"),
        ):
            with self.subTest(name):
                found = spelling.identify(name)
                assert found is not None
                self.assertEqual([meant], [*found.meant])

    def test_former_name_means_todays(self) -> None:
        for name, meant in (
            ("compute:get_vnc_console", remote_consoles.CREATE),
            ("compute:get_mks_console", remote_consoles.CREATE),
            ("compute:get_all_tenants", servers.ALL_TENANTS),
            ("compute_extension:consoles", consoles.DELETE),
            (consoles.ROOT, consoles.LIST),
        ):
            with self.subTest(name):
                found = spelling.identify(name)
                assert found is not None
                self.assertIn(meant, found.meant)

    def test_unknown_operation_of_consoles_is_unknown(self) -> None:
        found = spelling.identify("os_compute_api:os-consoles:explode")
        assert found is not None
        self.assertEqual([], [*found.meant])

    def test_hidden_character_is_named(self) -> None:
        for name, words in (
            ("os_compute_api:os-consoles:index\u00a0", "NO-BREAK SPACE"),
            ("os_compute_api:os-c\u043ensoles:index", "CYRILLIC SMALL"),
            ("os_compute_api:os-consoles:index ", "a space"),
        ):
            with self.subTest(name):
                found = spelling.identify(name)
                assert found is not None
                self.assertIn(words, found.message)

    def test_names_of_other_services_are_theirs(self) -> None:
        for name in (
            "os_compute_api:os-console-output",
            "os_compute_api:servers:index",
            "os_compute_api:servers:index:get_all_tenants",
            "os_compute_api:os-hypervisors:list",
            "identity:list_users",
            "create_network",
            "helpdesk",
        ):
            with self.subTest(name):
                self.assertIsNone(spelling.identify(name))
